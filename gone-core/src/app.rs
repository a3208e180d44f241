use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::life::{Life, Times};
use crate::lookup::Shared;
use crate::plan::{Graph, Plan};
use crate::race::{First, race};
use crate::run::located;
use crate::slots::Store;
use crate::tasks::{UnderWay, after};
use crate::{
    Code, ConfigDump, Error, Event, Inject, Injected, MessageKind, Options, Outline, Result, Shutdown, StateError, With,
};

/// An application whose goners are all constructed. It is started with [`start`](App::start), or closed.
pub struct App {
    parts: Arc<Parts>,
    life: Life,
    begun: Instant,
}

/// What lookups need, and how far the application is.
pub(crate) struct Parts {
    pub(crate) graph: Arc<Graph>,
    pub(crate) store: Arc<Store>,
    pub(crate) after_boot: Shared,
    under_way: UnderWay,
    pub(crate) options: Options,
    phase: AtomicU8,
    /// Once all has started: how long each took.
    times: OnceLock<Vec<Times>>,
}

/// How far an application is. It only goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    Built,
    Ready,
    Stopping,
    Closed,
}

impl App {
    /// Builds, unless `interrupt` ends first: its error is then what the boot ends with, after it is rolled back.
    pub(crate) async fn build(plan: Plan, begun: Instant, interrupt: impl Future<Output = Error>) -> Result<Self> {
        let boot = plan.options.boot;
        let goners = plan.graph.goners();
        let mut life = Life::new(plan.graph, plan.options, plan.under_way);
        life.under_way.listeners.tell(Event::Planned { goners });
        if let Err(error) = within(&life.under_way.clone(), begun, boot, life.build(), interrupt).await {
            return Err(rolled_back(life, error).await);
        }
        let parts = Arc::new(Parts {
            graph: Arc::clone(&life.graph),
            store: Arc::clone(&life.store),
            after_boot: Shared::default(),
            under_way: life.under_way.clone(),
            options: life.options.clone(),
            phase: AtomicU8::new(Phase::Built as u8),
            times: OnceLock::new(),
        });
        parts.graph.handle.set(&parts);
        Ok(App { parts, life, begun })
    }

    /// What the sources hold: each setting as it holds, with where it was set, secrets hidden.
    pub fn config_dump(&self) -> ConfigDump {
        self.parts.graph.sources.dump()
    }

    /// Runs every `start`, in dependency order, independent ones concurrently.
    ///
    /// A dropped future hands everything to a detached task that stops what has started and closes what was built.
    ///
    /// # Errors
    /// The first failure, after all that had started was stopped and all that was built was closed; what failed then is
    /// attached.
    pub async fn start(self) -> Result<Running> {
        self.start_unless(std::future::pending()).await
    }

    pub(crate) async fn start_unless(self, interrupt: impl Future<Output = Error>) -> Result<Running> {
        let App { parts, mut life, begun } = self;
        let boot = life.options.boot;
        if let Err(error) = within(&life.under_way.clone(), begun, boot, life.start(), interrupt).await {
            return Err(rolled_back(life, error).await);
        }
        parts.enter(Phase::Ready);
        let times = parts.times.get_or_init(|| std::mem::take(&mut life.times));
        parts.under_way.listeners.tell(Event::Ready { took: begun.elapsed() });
        let goners = parts.graph.goners();
        let slow = slow(&parts.graph, times);
        tracing::info!(target: "gone", "ready in {} ms: {goners} goners{slow}", begun.elapsed().as_millis());
        let shared = Ending { life: Mutex::new(life), ended: tokio::sync::OnceCell::new(), parts: Arc::clone(&parts) };
        Ok(Running { parts, shared: Arc::new(shared) })
    }

    /// Closes everything, without starting it: no `stop` runs. A dropped future leaves the closing to a detached task.
    ///
    /// # Errors
    /// `gone::stop`: the first failure, with the others attached.
    pub async fn close(self) -> Result<()> {
        self.parts.enter(Phase::Stopping);
        let ended = stopped(self.life.end_apart().await);
        self.parts.enter(Phase::Closed);
        ended
    }

    /// What is offered for the type `S`, the site's type in full: `app.get::<Arc<Store>>()`. Of goners and values; a provider
    /// is asked when a site is filled.
    ///
    /// # Errors
    /// `gone::missing`, `gone::ambiguous`, or `gone::state` for what only a provider offers.
    pub fn get<S: Send + 'static>(&self) -> Result<S> {
        self.parts.get()
    }

    /// What the goner or value of this name offers for the type `S`.
    ///
    /// # Errors
    /// `gone::missing` for an unknown name, `gone::mismatch` if it does not offer `S`, `gone::state` for a provider.
    pub fn get_named<S: Send + 'static>(&self, name: &str) -> Result<S> {
        self.parts.get_named(name)
    }
}

/// What the start line says of what took long: the critical path and the slowest, if anything took a millisecond.
fn slow(graph: &Graph, times: &[Times]) -> String {
    const MILLISECOND: Duration = Duration::from_millis(1);
    let took = |times: &Times| times.build.unwrap_or_default() + times.start.unwrap_or_default();
    if times.iter().all(|times| took(times) < MILLISECOND) {
        return String::new();
    }
    let outline = Outline::measured(graph, times);
    let parts = |path: &[usize]| path.iter().map(|part| &outline.parts[*part]).collect::<Vec<_>>();
    let path = parts(&outline.critical_path());
    let names: Vec<_> = path.iter().map(|part| part.title()).collect();
    let all: Duration = path.iter().map(|part| part.took()).sum();
    let slowest = outline.parts.iter().max_by_key(|part| part.took());
    let slowest = slowest.map(|part| format!(", slowest {} {} ms", part.title(), part.took().as_millis()));
    format!(", critical path {} {} ms{}", names.join(" → "), all.as_millis(), slowest.unwrap_or_default())
}

/// Awaits a stage of a boot that has begun, for as long as is left of its budget.
async fn within(
    under_way: &UnderWay,
    begun: Instant,
    boot: Duration,
    stage: impl Future<Output = Result<()>>,
    interrupt: impl Future<Output = Error>,
) -> Result<()> {
    match tokio::time::timeout_at(after(begun, boot), race(stage, interrupt)).await {
        Ok(First::Left(result)) => result,
        Ok(First::Right(error)) => Err(error),
        Err(_) => {
            let unfinished = under_way.names().join(", ");
            let mut text = format!("the application was not ready within {boot:?}");
            if !unfinished.is_empty() {
                text.push_str(&format!("; it waited for {unfinished}"));
            }
            Err(Error::new(Code::Hook, text).of_kind(MessageKind::BootBudget))
        }
    }
}

/// Takes down what was built and started. What fails then is attached to what the boot has failed with.
async fn rolled_back(life: Life, error: Error) -> Error {
    life.under_way.listeners.tell(Event::RollingBack { error: &error });
    error.attach(life.end_apart().await)
}

fn stopped(errors: Vec<Error>) -> Result<()> {
    Error::first_of(errors).map_err(|first| first.with_code(Code::Stop))
}

impl Parts {
    fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase.load(Ordering::Acquire) == Phase::Ready as u8
    }

    pub(crate) fn open(&self) -> Result<()> {
        match self.phase.load(Ordering::Acquire) {
            phase if phase == Phase::Stopping as u8 => Err(StateError::ShuttingDown.into_error()),
            phase if phase == Phase::Closed as u8 => Err(StateError::Closed.into_error()),
            _ => Ok(()),
        }
    }
}

/// An application that runs. It has everything of [`App`] but what belongs to an earlier stage, and is ended with
/// [`stop`](Running::stop).
pub struct Running {
    parts: Arc<Parts>,
    shared: Arc<Ending>,
}

struct Ending {
    parts: Arc<Parts>,
    life: Mutex<Life>,
    ended: tokio::sync::OnceCell<Result<()>>,
}

impl Running {
    /// Stops in the reverse of the order of the start, then closes in the reverse of construction. Every hook is reached; one
    /// that does not end within its budget is abandoned and named.
    ///
    /// Called twice, or from two tasks, the hooks run once, and both get the same result. A dropped future leaves the stop
    /// going on in the background.
    ///
    /// # Errors
    /// `gone::stop`: the first failure, with the others attached.
    pub async fn stop(&self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let stop = tokio::spawn(async move {
            let end = || async {
                // Not ready any more, for whoever routes requests here, a while before anything stops.
                shared.parts.enter(Phase::Stopping);
                let listeners = &shared.parts.under_way.listeners;
                listeners.tell(Event::Stopping);
                tokio::time::sleep(shared.parts.options.drain_delay).await;
                let begun = Instant::now();
                let errors = shared.life.lock().await.end().await;
                shared.parts.enter(Phase::Closed);
                listeners.tell(Event::Stopped { took: begun.elapsed(), errors: errors.len() });
                stopped(errors)
            };
            shared.ended.get_or_init(end).await.clone()
        });
        stop.await.unwrap_or_else(|error| Err(Error::from(error).with_code(Code::Stop)))
    }

    /// As [`App::get`].
    ///
    /// # Errors
    /// `gone::missing`, `gone::ambiguous`, or `gone::state`: for what only a provider offers, and once the application stops.
    pub fn get<S: Send + 'static>(&self) -> Result<S> {
        self.parts.get()
    }

    /// As [`get`](Running::get), with `None` where nothing offers it.
    ///
    /// # Errors
    /// `gone::ambiguous`, or `gone::state` as from [`get`](Running::get).
    pub fn try_get<S: Send + 'static>(&self) -> Result<Option<S>> {
        self.parts.try_get()
    }

    /// As [`App::get_named`].
    ///
    /// # Errors
    /// `gone::missing` for an unknown name, `gone::mismatch` if it does not offer `S`, `gone::state` for a provider and once the
    /// application stops.
    pub fn get_named<S: Send + 'static>(&self, name: &str) -> Result<S> {
        self.parts.get_named(name)
    }

    /// All that is offered for the type `S` under a name that matches, in load order: `*` stands for any text, `?` for one character.
    ///
    /// # Errors
    /// `gone::state` if a provider is among them, and once the application stops.
    pub fn get_matching<S: Send + 'static>(&self, pattern: &str) -> Result<Vec<S>> {
        self.parts.get_matching(pattern)
    }

    /// Asks the provider of `S` for a value, as a site with this tag would: `make::<Db>("*,sessions")`. A sharing provider makes one
    /// value for each extension text, also for callers at once; beyond those that the plan knows, at most 1,024 in the life
    /// of the application.
    ///
    /// A dropped future drops the provider's call, or leaves it to another caller that waits for the same value.
    ///
    /// # Errors
    /// `gone::missing`, `gone::ambiguous`, `gone::mismatch`; what the provider refuses or fails with; `gone::state` with
    /// [`StateError::NotAProvider`] for a goner or value, which [`get`](Running::get) gives.
    pub async fn make<S: Send + 'static>(&self, tag: &str) -> Result<S> {
        self.parts.make(tag).await
    }

    /// Calls a function with its parameters injected, as `run` does. What it returns is given as it is.
    ///
    /// A dropped future drops the function's.
    ///
    /// # Errors
    /// All that is wrong with the parameters, as [`Error::report`] and with the code of the first problem, then the function is not
    /// called; the failure of a provider; a panic of the function.
    #[track_caller]
    pub fn call<F, A>(&self, function: F) -> impl Future<Output = Result<F::Output>>
    where
        F: Injected<A>,
    {
        self.parts.call(function, located(F::sites(), std::panic::Location::caller()))
    }

    /// As [`call`](Running::call), for a function whose one parameter is a [bundle](Inject) of sites: so it can ask by name, for an
    /// `Option`, or for all of a kind. A dropped future drops the function's.
    ///
    /// # Errors
    /// What is wrong with the bundle's sites, the failure of a provider, a panic of the function.
    #[track_caller]
    pub fn call_with<F, B, R>(&self, function: F) -> impl Future<Output = Result<R>>
    where
        F: AsyncFnOnce(B) -> R,
        B: Inject,
    {
        self.call(With::new(function))
    }

    /// What asks for a stop; `run` and `serve` answer it.
    pub fn shutdown(&self) -> Shutdown {
        self.parts.graph.shutdown.clone()
    }

    /// What the application consists of, with what was measured while it booted.
    pub fn outline(&self) -> Outline {
        Outline::measured(&self.parts.graph, self.parts.times.get().map_or(&[], Vec::as_slice))
    }

    /// What the sources hold: each setting as it holds, with where it was set, secrets hidden.
    pub fn config_dump(&self) -> ConfigDump {
        self.parts.graph.sources.dump()
    }

    /// Whether everything has started and no stop has begun.
    pub fn is_ready(&self) -> bool {
        self.parts.is_ready()
    }

    /// Says what nobody needs, where all who might are known.
    pub(crate) fn say_warnings(&self) {
        for problem in self.parts.graph.warnings() {
            let at = problem.involved.first().map(|place| place.loaded);
            let at = at.map(|at| format!(", loaded at {}:{}", at.file(), at.line())).unwrap_or_default();
            tracing::warn!(target: "gone", "{}{at}", problem.message);
        }
    }

    pub(crate) fn shutdown_budget(&self) -> Duration {
        self.parts.options.shutdown
    }

    pub(crate) fn under_way(&self) -> UnderWay {
        self.parts.under_way.clone()
    }

    /// Calls the function for which the application was planned.
    pub(crate) async fn call_planned<F, A>(&self, function: F) -> Result<()>
    where
        F: Injected<A, Output = Result<()>>,
    {
        let Some(planned) = &self.parts.graph.function else {
            return Err(Error::new(Code::State, "the application was not planned for a function"));
        };
        self.parts.inject(function, "run", &planned.sites, &planned.bindings).await?
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "App({} goners)", self.parts.graph.nodes.len())
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Running({} goners)", self.parts.graph.nodes.len())
    }
}
