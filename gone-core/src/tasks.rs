//! Hooks under way: each in a task of its own, with a budget and a name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tracing::Instrument;

use crate::error::Who;
use crate::event::Listeners;
use crate::node::NodeId;
use crate::unwind::caught;
use crate::{Asker, Error, Event, Hook, MessageKind, Result};

/// The names of all hooks that are under way, for whoever has to say what did not finish.
#[derive(Clone, Default)]
pub(crate) struct UnderWay {
    hooks: Arc<Mutex<Vec<(String, Hook)>>>,
    /// Whoever is told of all of them.
    pub(crate) listeners: Listeners,
}

impl UnderWay {
    fn hooks(&self) -> MutexGuard<'_, Vec<(String, Hook)>> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.hooks().iter().map(|(goner, hook)| format!("`{goner}` in {hook}")).collect()
    }

    fn add(&self, goner: &str, hook: Hook) {
        self.hooks().push((goner.to_owned(), hook));
    }

    fn remove(&self, goner: &str, hook: Hook) {
        let mut hooks = self.hooks();
        if let Some(at) = hooks.iter().position(|(name, it)| name == goner && *it == hook) {
            hooks.remove(at);
        }
    }
}

/// A budget may be as long as `Duration::MAX`.
pub(crate) fn after(begun: Instant, budget: Duration) -> Instant {
    const LONG: Duration = Duration::from_secs(86_400 * 365 * 30);
    begun + budget.min(LONG)
}

/// What a task is doing: the hook that it is in, since when, and the providers that it waits for.
#[derive(Clone)]
pub(crate) struct Progress {
    step: Arc<Mutex<Step>>,
    who: Who,
    listeners: Listeners,
}

struct Step {
    hook: Hook,
    begun: Instant,
    /// Whether the listeners were told that it began, and not that it is over.
    told: bool,
    asked: Vec<(usize, Who, Asker)>,
}

impl Progress {
    /// Of what begins with `hook`, as soon as that is entered.
    pub(crate) fn new(hook: Hook, who: Who, under_way: &UnderWay) -> Self {
        let step = Step { hook, begun: Instant::now(), told: false, asked: Vec::new() };
        Progress { step: Arc::new(Mutex::new(step)), who, listeners: under_way.listeners.clone() }
    }

    fn step(&self) -> MutexGuard<'_, Step> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next hook begins, with a budget of its own; the one before it went well.
    pub(crate) fn enter(&self, hook: Hook) {
        self.leave(None);
        {
            let mut step = self.step();
            (step.hook, step.begun, step.told) = (hook, Instant::now(), !self.listeners.is_empty());
        }
        self.listeners.tell(Event::Began { goner: &self.who.name, hook });
    }

    /// The hook is over.
    pub(crate) fn leave(&self, error: Option<&Error>) {
        let (hook, took) = {
            let mut step = self.step();
            if !std::mem::replace(&mut step.told, false) {
                return;
            }
            (step.hook, step.begun.elapsed())
        };
        self.listeners.tell(Event::Ended { goner: &self.who.name, hook, took, error });
    }

    /// A provider is asked for a field.
    pub(crate) fn asks(&self, number: usize, provider: Who, asker: Asker) {
        self.step().asked.push((number, provider, asker));
    }

    /// It has answered.
    pub(crate) fn answered(&self, number: usize) {
        self.step().asked.retain(|(asked, ..)| *asked != number);
    }

    fn begun(&self) -> Instant {
        self.step().begun
    }

    /// Says of an error where the task was.
    fn place(&self, goner: &Who, error: Error) -> Error {
        let step = self.step();
        let took = Some(step.begun.elapsed());
        match step.asked.first() {
            Some((_, provider, asker)) if step.hook == Hook::Provide => {
                error.in_hook(provider, Hook::Provide, took).asked_by(asker.clone())
            }
            _ => error.in_hook(goner, step.hook, took),
        }
    }
}

/// The tasks of one stage.
pub(crate) struct Tasks<T> {
    set: JoinSet<(u64, Result<T>)>,
    running: Vec<Running>,
    /// Past their budget, and still in the set.
    abandoned: Vec<Running>,
    /// Abandoned, and come to a good end all the same.
    late: Vec<(NodeId, T)>,
    next: u64,
    under_way: UnderWay,
}

/// What is done for a node: one hook, or several with that budget each.
pub(crate) struct Work {
    node: NodeId,
    goner: Who,
    /// What it is called by.
    hook: Hook,
    budget: Duration,
    progress: Progress,
    begun: Instant,
}

impl Work {
    pub(crate) fn new(node: NodeId, goner: Who, hook: Hook, budget: Duration, progress: Progress) -> Self {
        Work { node, goner, hook, budget, progress, begun: Instant::now() }
    }
}

struct Running {
    number: u64,
    work: Work,
    abort: AbortHandle,
    /// Past its budget: told to end at once, with so long to do so, and what it failed with.
    cancelled: Option<(Instant, Error)>,
}

/// How long a future that was cancelled has to be gone, so that nothing of it is left when the next hook begins. One that blocks its
/// thread is not waited for any longer.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

impl Running {
    fn deadline(&self) -> Instant {
        match &self.cancelled {
            Some((deadline, _)) => *deadline,
            None => after(self.work.progress.begun(), self.work.budget),
        }
    }
}

pub(crate) fn abandoned(budget: Duration) -> Error {
    Error::msg(format_args!("did not end within {budget:?} and was abandoned")).of_kind(MessageKind::HookAbandoned)
}

/// How a task ended.
pub(crate) struct Ended<T> {
    pub(crate) node: NodeId,
    pub(crate) hook: Hook,
    /// All its hooks together.
    pub(crate) took: Duration,
    pub(crate) result: Result<T>,
}

impl<T: Send + 'static> Tasks<T> {
    pub(crate) fn new(under_way: UnderWay) -> Self {
        Tasks { set: JoinSet::new(), running: Vec::new(), abandoned: Vec::new(), late: Vec::new(), next: 0, under_way }
    }

    /// Begins a hook.
    pub(crate) fn spawn(
        &mut self,
        node: NodeId,
        goner: Who,
        hook: Hook,
        budget: Duration,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) {
        let progress = Progress::new(hook, goner.clone(), &self.under_way);
        progress.enter(hook);
        self.spawn_hooks(Work::new(node, goner, hook, budget, progress), future);
    }

    /// Begins what goes through several hooks and tells its progress.
    pub(crate) fn spawn_hooks(&mut self, work: Work, future: impl Future<Output = Result<T>> + Send + 'static) {
        let future = self.begin(&work, future);
        self.go_on(work, future);
    }

    /// As [`spawn_hooks`](Tasks::spawn_hooks), but polls it once in place: what is ready at once needs no task, and what is not
    /// becomes one. For what runs while nothing else can. How it ended, if it did. It never waits.
    pub(crate) async fn try_in_place(
        &mut self,
        work: Work,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Option<Ended<T>> {
        let mut future = Box::pin(self.begin(&work, future));
        match std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            Poll::Pending => {
                self.go_on(work, future);
                None
            }
            // Late is late, also where it held the thread and nobody could say so meanwhile.
            Poll::Ready(Ok(done)) if work.progress.begun().elapsed() > work.budget => {
                self.late.push((work.node, done));
                let late = abandoned(work.budget);
                Some(self.ended(work, Err(late)))
            }
            Poll::Ready(result) => Some(self.ended(work, result)),
        }
    }

    fn begin<F: Future<Output = Result<T>>>(
        &self,
        work: &Work,
        future: F,
    ) -> impl Future<Output = Result<T>> + use<F, T> {
        self.under_way.add(&work.goner.name, work.hook);
        let span = tracing::info_span!(target: "gone", "hook", goner = %work.goner.name, hook = %work.hook);
        caught(future).instrument(span)
    }

    fn go_on(&mut self, work: Work, future: impl Future<Output = Result<T>> + Send + 'static) {
        let number = self.next;
        self.next += 1;
        let abort = self.set.spawn(async move { (number, future.await) });
        self.running.push(Running { number, work, abort, cancelled: None });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.running.is_empty() && self.abandoned.is_empty() && self.late.is_empty()
    }

    /// The next task that ends, or whose budget does: that one is cancelled, and its error says so. None if none is running.
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Ended<T>> {
        loop {
            let deadline = self.running.iter().map(Running::deadline).min()?;
            let joined = tokio::time::timeout_at(deadline, self.set.join_next()).await;
            match joined {
                Ok(Some(Ok((number, result)))) => {
                    // One that was abandoned before may still come to its end: nobody waits for it any more.
                    let Some(at) = self.running.iter().position(|it| it.number == number) else {
                        self.late.extend(self.abandoned(number).zip(result.ok()));
                        continue;
                    };
                    let it = self.running.swap_remove(at);
                    return Some(match it.cancelled {
                        // It came to its end between its budget's and being cancelled: late is late.
                        Some((_, ref error)) => {
                            self.late.extend(result.ok().map(|done| (it.work.node, done)));
                            let error = error.clone();
                            self.cancelled(it.work, error)
                        }
                        None => self.ended(it.work, result),
                    });
                }
                // Panics are caught within, so this is a task that was cancelled, and now is gone.
                Ok(Some(Err(gone))) => {
                    if let Some(at) = self.running.iter().position(|it| it.abort.id() == gone.id()) {
                        let it = self.running.swap_remove(at);
                        if let Some((_, error)) = it.cancelled.clone() {
                            return Some(self.cancelled(it.work, error));
                        }
                    }
                }
                Ok(None) => {
                    let it = self.running.pop()?;
                    return Some(self.ended(it.work, Err(Error::msg("its task was lost"))));
                }
                Err(_) => {
                    let now = Instant::now();
                    // It may have come to its next hook meanwhile, and has time again.
                    let Some(at) = self.running.iter().position(|it| it.deadline() <= now) else { continue };
                    let it = &mut self.running[at];
                    if let Some((_, error)) = it.cancelled.clone() {
                        let it = self.running.swap_remove(at);
                        let Work { node, hook, begun, .. } = it.work;
                        let took = begun.elapsed();
                        self.under_way.remove(&it.work.goner.name, hook);
                        it.work.progress.leave(Some(&error));
                        self.abandoned.push(it);
                        return Some(Ended { node, hook, took, result: Err(error) });
                    }
                    it.abort.abort();
                    let error = it.work.progress.place(&it.work.goner, abandoned(it.work.budget));
                    it.cancelled = Some((after(now, GRACE), error));
                }
            }
        }
    }

    fn cancelled(&self, it: Work, error: Error) -> Ended<T> {
        self.under_way.remove(&it.goner.name, it.hook);
        it.progress.leave(Some(&error));
        Ended { node: it.node, hook: it.hook, took: it.begun.elapsed(), result: Err(error) }
    }

    fn ended(&self, it: Work, result: Result<T>) -> Ended<T> {
        self.under_way.remove(&it.goner.name, it.hook);
        let result = result.map_err(|error| it.progress.place(&it.goner, error));
        it.progress.leave(result.as_ref().err());
        Ended { node: it.node, hook: it.hook, took: it.begun.elapsed(), result }
    }

    fn abandoned(&self, number: u64) -> Option<NodeId> {
        self.abandoned.iter().find(|it| it.number == number).map(|it| it.work.node)
    }

    /// Cancels all, and gives those that had come to a good end all the same, and an error for each that does not end.
    pub(crate) async fn cancel(&mut self, patience: Duration) -> (Vec<(NodeId, T)>, Vec<Error>) {
        self.set.abort_all();
        self.abandoned.append(&mut self.running);
        let deadline = after(Instant::now(), patience);
        while let Ok(Some(joined)) = tokio::time::timeout_at(deadline, self.set.join_next()).await {
            if let Ok((number, result)) = joined {
                self.late.extend(self.abandoned(number).zip(result.ok()));
            }
        }
        let mut errors = Vec::new();
        for it in self.abandoned.drain(..) {
            self.under_way.remove(&it.work.goner.name, it.work.hook);
            it.work.progress.leave(Some(&Error::msg("was cancelled")));
            if !it.abort.is_finished() {
                let error =
                    Error::msg("blocks its thread and could not be cancelled").of_kind(MessageKind::HookAbandoned);
                errors.push(it.work.progress.place(&it.work.goner, error));
            }
        }
        (std::mem::take(&mut self.late), errors)
    }
}
