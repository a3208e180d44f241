//! From a plan to the end: construction, start, stop and close of one application's goners.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument;

use crate::lists::Lists;
use crate::node::{Body, Node, NodeId, Shared};
use crate::plan::{Graph, Piece};
use crate::schedule::{Schedule, early_first, levels};
use crate::slots::{Sites, Store, call, gather};
use crate::table::{BoxFuture, Instance};
use crate::tasks::{GRACE, Progress, Tasks, UnderWay, Work, abandoned};
use crate::unwind::{catch, caught};
use crate::{CloseReport, Deadline, EarlyEnd, Error, Event, Hook, Options, Result, Shutdown, ShutdownToken};

/// The goners of one application, and how far each has come. However it ends, also when it is dropped, what was started is
/// stopped once and what was built is closed once.
pub(crate) struct Life {
    pub(crate) graph: Arc<Graph>,
    pub(crate) store: Arc<Store>,
    pub(crate) options: Options,
    pub(crate) under_way: UnderWay,
    building: Tasks<Instance>,
    starting: Tasks<()>,
    /// In the order of construction.
    built: Vec<NodeId>,
    started: Vec<NodeId>,
    /// By node, how long it took so far.
    pub(crate) times: Vec<Times>,
    /// The stage of the start that runs, or ran last.
    stage: Hook,
    background: Vec<Background>,
    shutdown: Shutdown,
    /// In the detached task that ends a dropped one: if the runtime drops that too, nobody is left to do it.
    detached: bool,
    /// Where it was built, for one that is dropped elsewhere.
    runtime: Option<tokio::runtime::Handle>,
}

/// How far the construction of a node has come.
enum Begun {
    Done(Instance),
    /// It has a task.
    UnderWay,
    /// It is early, and runs where the application boots until it first waits.
    First(Work, BoxFuture<'static, Result<Instance>>),
}

impl Life {
    pub(crate) fn new(graph: Arc<Graph>, options: Options, under_way: UnderWay) -> Self {
        Life {
            store: Arc::new(Store::new(&graph.nodes)),
            building: Tasks::new(under_way.clone()),
            starting: Tasks::new(under_way.clone()),
            built: Vec::with_capacity(graph.nodes.len()),
            started: Vec::new(),
            times: vec![Times::default(); graph.nodes.len()],
            stage: Hook::BeforeStart,
            background: Vec::new(),
            shutdown: graph.shutdown.clone(),
            detached: false,
            runtime: tokio::runtime::Handle::try_current().ok(),
            under_way,
            options,
            graph,
        }
    }

    /// Constructs every goner when all that it needs is ready. At the first failure no new one is begun.
    pub(crate) async fn build(&mut self) -> Result<()> {
        let graph = Arc::clone(&self.graph);
        let early = early_first(&graph.needs, |id| graph.nodes[id].early);
        let priority = (0..graph.nodes.len()).collect();
        let mut schedule = Schedule::forward(&graph.needs, &early, priority, self.options.max_parallel);
        loop {
            while let Some(id) = schedule.next() {
                // What is constructed at once is done; for the rest a task is under way.
                let made = match self.construct(id) {
                    Ok(Begun::Done(instance)) => Ok(Some(instance)),
                    Ok(Begun::UnderWay) => Ok(None),
                    Ok(Begun::First(work, first)) => Box::pin(self.in_place(work, first)).await,
                    Err(error) => Err(error),
                };
                if let Some(instance) = made.map_err(|error| error.needed(|| graph.asker_of(id)))? {
                    self.put(id, instance);
                    schedule.done(id);
                }
            }
            match self.building.next().await {
                Some(ended) => {
                    let instance = ended.result.map_err(|error| error.needed(|| graph.asker_of(ended.node)))?;
                    self.times[ended.node].build = Some(ended.took);
                    self.put(ended.node, instance);
                    schedule.done(ended.node);
                }
                None => {
                    self.store.fill_lazies();
                    return Ok(());
                }
            }
        }
    }

    fn put(&mut self, id: NodeId, instance: Instance) {
        Store::set(&mut self.store, id, instance);
        self.built.push(id);
    }

    /// What is early is under way alone, and becomes a task only if it waits.
    async fn in_place(&mut self, work: Work, first: BoxFuture<'static, Result<Instance>>) -> Result<Option<Instance>> {
        match self.building.try_in_place(work, first).await {
            Some(ended) => {
                self.times[ended.node].build = Some(ended.took);
                ended.result.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Constructs a node that has nothing to wait for, or begins a task that does.
    fn construct(&mut self, id: NodeId) -> Result<Begun> {
        let node = &self.graph.nodes[id];
        let budget = || node.rare().start_budget.unwrap_or(self.options.start_hook);
        match &node.body {
            Body::Ready(instance) => Ok(Begun::Done(Arc::clone(instance))),
            Body::Function(_) | Body::Source(_) | Body::Displaced | Body::LeftOut(_) | Body::Unneeded => {
                Ok(Begun::Done(Arc::new(())))
            }
            Body::Goner(make) => {
                let hooks = make.hooks();
                let asks = self.graph.asks_providers(id);
                if !asks && hooks.before_init.is_none() && hooks.init.is_none() {
                    let made = || catch(|| construct(&self.graph, &self.store, id, Vec::new()));
                    let made = match self.under_way.listeners.is_empty() {
                        true => made(),
                        false => self.told(node, Hook::Construct, made),
                    };
                    return made.map(Begun::Done).map_err(|error| error.in_hook(&node.who(), Hook::Construct, None));
                }
                let hook = match (hooks.init, hooks.before_init) {
                    (Some(_), _) => Hook::Init,
                    (None, Some(_)) => Hook::BeforeInit,
                    (None, None) => Hook::Construct,
                };
                let (graph, store) = (Arc::clone(&self.graph), Arc::clone(&self.store));
                let progress = Progress::new(Hook::Construct, node.who(), &self.under_way);
                let work = Work::new(id, node.who(), hook, budget(), progress.clone());
                let prepare = prepare(graph, store, id, progress);
                if node.early {
                    return Ok(Begun::First(work, Box::pin(prepare)));
                }
                self.building.spawn_hooks(work, prepare);
                Ok(Begun::UnderWay)
            }
            Body::Shared(_) => {
                let (graph, store) = (Arc::clone(&self.graph), Arc::clone(&self.store));
                self.building.spawn(id, node.who(), Hook::Provide, budget(), share(graph, store, id));
                Ok(Begun::UnderWay)
            }
        }
    }

    /// What is done at once, with the listeners told.
    fn told<T>(&self, node: &Node, hook: Hook, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (goner, begun, listeners) = (node.label(), Instant::now(), &self.under_way.listeners);
        listeners.tell(Event::Began { goner: &goner, hook });
        let done = work();
        listeners.tell(Event::Ended { goner: &goner, hook, took: begun.elapsed(), error: done.as_ref().err() });
        done
    }

    /// Runs the three stages of the start, each in dependency order and by `order`, then begins the background tasks.
    pub(crate) async fn start(&mut self) -> Result<()> {
        for stage in [Hook::BeforeStart, Hook::Start, Hook::AfterStart] {
            self.stage(stage).await?;
        }
        self.run();
        Ok(())
    }

    async fn stage(&mut self, stage: Hook) -> Result<()> {
        self.stage = stage;
        let graph = Arc::clone(&self.graph);
        let levels = levels(graph.order(), |id| graph.nodes[id].order);
        let priority = (0..graph.nodes.len()).collect();
        let mut schedule = Schedule::forward(graph.order(), &levels, priority, self.options.max_parallel);
        loop {
            while let Some(id) = schedule.next() {
                match hook(&graph, &self.store, id, stage) {
                    Some(work) => {
                        let node = &graph.nodes[id];
                        let budget = node.rare().start_budget.unwrap_or(self.options.start_hook);
                        self.starting.spawn(id, node.who(), stage, budget, work);
                    }
                    None => {
                        self.passed(id);
                        schedule.done(id);
                    }
                }
            }
            match self.starting.next().await {
                Some(ended) => {
                    ended.result?;
                    *self.times[ended.node].start.get_or_insert_default() += ended.took;
                    self.passed(ended.node);
                    schedule.done(ended.node);
                }
                None => return Ok(()),
            }
        }
    }

    /// Its turn to start came and went well: from now on it is stopped.
    fn passed(&mut self, id: NodeId) {
        if self.stage == Hook::Start {
            self.started.push(id);
        }
    }

    /// Begins the background tasks. One that fails before it is told to end takes the application down.
    fn run(&mut self) {
        for (id, node) in self.graph.nodes.iter().enumerate() {
            let (Body::Goner(make), Some(goner)) = (&node.body, self.store.get(id)) else { continue };
            let Some(run) = make.hooks().run else { continue };
            let (sender, token) = ShutdownToken::new();
            let (goner, shutdown, who) = (Arc::clone(goner), self.shutdown.clone(), node.who());
            let span = tracing::info_span!(target: "gone", "hook", goner = %who.name, hook = %Hook::Run);
            let early_end = node.rare().early_end.unwrap_or(self.options.early_end);
            let begun = Instant::now();
            let progress = Progress::new(Hook::Run, who.clone(), &self.under_way);
            progress.enter(Hook::Run);
            let telling = progress.clone();
            let task = async move {
                let ended = caught(async { run(&*goner, token.clone()).await }).await;
                let ended = ended.map_err(|error| error.in_hook(&who, Hook::Run, Some(begun.elapsed())));
                telling.leave(ended.as_ref().err());
                match ended {
                    Err(error) if !token.is_cancelled() => {
                        shutdown.fail(error);
                        Ok(())
                    }
                    Ok(()) if early_end == EarlyEnd::Stop && !token.is_cancelled() => {
                        shutdown.request(format!("the background task of `{}` has come to its end", who.name));
                        Ok(())
                    }
                    ended => ended,
                }
            };
            let task = tokio::spawn(task.instrument(span));
            self.background.push(Background { node: id, tell: sender, task, progress });
        }
    }

    /// Ends it from wherever it is: cancels what is under way, stops what has started in reverse, closes what was built in
    /// reverse. Each is reached; the errors are collected. A second call finds nothing to do.
    pub(crate) async fn end(&mut self) -> Vec<Error> {
        let deadline = crate::tasks::after(Instant::now(), self.options.shutdown);
        let patience = self.options.stop_hook;
        let (late, mut errors) = self.starting.cancel(patience).await;
        for (id, ()) in late {
            self.passed(id);
        }
        let (late, stuck) = self.building.cancel(patience).await;
        errors.extend(stuck);
        for (id, instance) in late {
            self.put(id, instance);
        }
        let started = std::mem::take(&mut self.started);
        for stage in [Hook::BeforeStop, Hook::Stop, Hook::AfterStop] {
            errors.extend(self.stop(stage, &started, deadline).await);
        }
        errors.extend(self.close(deadline).await);
        errors
    }

    /// As [`end`](Life::end), in a task of its own: whoever waits for it may be dropped, and it goes on.
    pub(crate) async fn end_apart(mut self) -> Vec<Error> {
        let ending = async move {
            let mut errors = self.end().await;
            errors.extend(catch(|| drop(self)).err());
            errors
        };
        let ended = tokio::spawn(ending.in_current_span()).await;
        ended.unwrap_or_else(|error| vec![Error::from(error).with_code(crate::Code::Stop)])
    }

    /// One stage of the stop, in the reverse of the start's order. In the stage of `stop` itself, a background task is told to
    /// end and awaited before its goner's hook.
    async fn stop(&mut self, stage: Hook, started: &[NodeId], deadline: Instant) -> Vec<Error> {
        let graph = Arc::clone(&self.graph);
        let levels = levels(graph.order(), |id| graph.nodes[id].order);
        let mut tasks: Tasks<()> = Tasks::new(self.under_way.clone());
        let mut schedule = backward(graph.order(), &levels, started);
        let mut errors = Vec::new();
        let stops: HashSet<NodeId> = started.iter().copied().collect();
        let mut background: HashMap<NodeId, Background> = match stage {
            Hook::Stop => std::mem::take(&mut self.background).into_iter().map(|it| (it.node, it)).collect(),
            _ => HashMap::new(),
        };
        let mut told_of: HashMap<NodeId, Progress> = HashMap::new();
        loop {
            while let Some(id) = schedule.next() {
                let (goner, budget) = (|| graph.nodes[id].who(), || self.budget(id, deadline));
                if let Some(Background { tell, task, progress, .. }) = background.remove(&id) {
                    let told = told_to_end(tell, AbortOnDrop(task), budget());
                    // The listeners know that it began.
                    let silent = Progress::new(Hook::Run, goner(), &self.under_way);
                    tasks.spawn_hooks(Work::new(id, goner(), Hook::Run, budget() + 2 * GRACE, silent), told);
                    told_of.insert(id, progress);
                    continue;
                }
                match hook(&graph, &self.store, id, stage).filter(|_| stops.contains(&id)) {
                    Some(work) => tasks.spawn(id, goner(), stage, budget(), work),
                    None => schedule.done(id),
                }
            }
            let Some(ended) = tasks.next().await else { return errors };
            let id = ended.node;
            if let Some(progress) = told_of.remove(&id) {
                // If it did not come to its end by itself.
                progress.leave(ended.result.as_ref().err());
            }
            errors.extend(ended.result.err());
            let next = hook(&graph, &self.store, id, stage).filter(|_| ended.hook == Hook::Run && stops.contains(&id));
            match next {
                Some(work) => tasks.spawn(id, graph.nodes[id].who(), stage, self.budget(id, deadline), work),
                None => schedule.done(id),
            }
        }
    }

    async fn close(&mut self, deadline: Instant) -> Vec<Error> {
        let graph = Arc::clone(&self.graph);
        let built = std::mem::take(&mut self.built);
        let levels = early_first(&graph.needs, |id| graph.nodes[id].early);
        let mut tasks: Tasks<CloseReport> = Tasks::new(self.under_way.clone());
        let mut schedule = backward(&graph.needs, &levels, &built);
        let mut errors = Vec::new();
        let closes: HashSet<NodeId> = built.into_iter().collect();
        loop {
            while let Some(id) = schedule.next() {
                let node = &graph.nodes[id];
                let budget = self.budget(id, deadline);
                match close_hook(node, &self.store, id, budget).filter(|_| closes.contains(&id)) {
                    Some(work) => tasks.spawn(id, node.who(), Hook::Close, budget, work),
                    None => schedule.done(id),
                }
            }
            match tasks.next().await {
                Some(ended) => {
                    let goner = graph.nodes[ended.node].label();
                    match ended.result {
                        Ok(report) if report.is_clean() => tracing::trace!(target: "gone", %goner, "closed: {report}"),
                        Ok(report) => tracing::warn!(target: "gone", %goner, "closed: {report}"),
                        Err(error) => errors.push(error),
                    }
                    schedule.done(ended.node);
                }
                None => return errors,
            }
        }
    }

    /// What one hook may take: its own budget, within that of the whole shutdown; when that is used up, a moment is left to each
    /// of the rest, so that all are reached.
    fn budget(&self, id: NodeId, deadline: Instant) -> Duration {
        const MOMENT: Duration = Duration::from_millis(250);
        let left = deadline.saturating_duration_since(Instant::now());
        self.graph.nodes[id].rare().stop_budget.unwrap_or(self.options.stop_hook).min(left.max(MOMENT))
    }

    fn is_over(&self) -> bool {
        let nothing_built = self.built.is_empty() && self.started.is_empty();
        nothing_built && self.background.is_empty() && self.building.is_empty() && self.starting.is_empty()
    }
}

/// How long a node took, where it had anything to wait for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) build: Option<Duration>,
    /// All hooks of the start together.
    pub(crate) start: Option<Duration>,
}

/// A background task under way.
struct Background {
    node: NodeId,
    tell: tokio::sync::watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
    progress: Progress,
}

/// Dropped, it cancels the task: one that does not end in time is not left running.
struct AbortOnDrop(JoinHandle<Result<()>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn told_to_end(tell: tokio::sync::watch::Sender<bool>, mut task: AbortOnDrop, budget: Duration) -> Result<()> {
    tell.send_replace(true);
    match tokio::time::timeout(budget, &mut task.0).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(lost)) => Err(Error::from(lost)),
        Err(_) => {
            // It is to be gone before its goner's `stop` begins, if it does not block its thread.
            task.0.abort();
            let _ = tokio::time::timeout(GRACE, &mut task.0).await;
            Err(abandoned(budget))
        }
    }
}

/// The close of a goner, or of what a function as provider has made, ready to run, if there is one.
fn close_hook(
    node: &Node,
    store: &Store,
    id: NodeId,
    budget: Duration,
) -> Option<BoxFuture<'static, Result<CloseReport>>> {
    if let Some(on_close) = &node.rare().on_close {
        let on_close = Arc::clone(on_close);
        return Some(Box::pin(async move { on_close.close().await.map(|()| CloseReport::clean()) }));
    }
    let (Body::Goner(make), Some(goner)) = (&node.body, store.get(id)) else { return None };
    let (close, goner) = (make.hooks().close?, Arc::clone(goner));
    Some(Box::pin(async move { close(&*goner, Deadline::after(budget)).await }))
}

/// The hook of a stage, ready to run, if the node has one.
fn hook(graph: &Graph, store: &Store, id: NodeId, stage: Hook) -> Option<BoxFuture<'static, Result<()>>> {
    let (Body::Goner(make), Some(goner)) = (&graph.nodes[id].body, store.get(id)) else { return None };
    let hooks = make.hooks();
    let hook = match stage {
        Hook::BeforeStart => hooks.before_start,
        Hook::Start => hooks.start,
        Hook::AfterStart => hooks.after_start,
        Hook::BeforeStop => hooks.before_stop,
        Hook::Stop => hooks.stop,
        Hook::AfterStop => hooks.after_stop,
        Hook::Construct | Hook::Provide | Hook::BeforeInit | Hook::Init | Hook::Run | Hook::Close => None,
    }?;
    let goner = Arc::clone(goner);
    Some(Box::pin(async move { hook(&*goner).await }))
}

/// Reverse needs; among those that may go, the one that was reached last goes first.
fn backward(needs: &Lists<NodeId>, levels: &[i64], reached: &[NodeId]) -> Schedule {
    let mut priority = vec![usize::MAX; needs.len()];
    for (place, id) in reached.iter().rev().enumerate() {
        priority[*id] = place;
    }
    Schedule::backward(needs, levels, priority, usize::MAX)
}

impl Drop for Life {
    /// A boot whose future is dropped, or an application that nobody stopped: what there is goes to one detached task that ends
    /// it within the shutdown budget.
    fn drop(&mut self) {
        if self.is_over() {
            return;
        }
        let runtime = self.runtime.take().filter(|_| !self.detached);
        let Some(runtime) = runtime else {
            tracing::warn!(target: "gone", "an application was dropped without a runtime to end it in: not all of its goners were closed");
            return;
        };
        if !self.started.is_empty() {
            tracing::warn!(target: "gone", "an application was dropped without a stop: it is stopped in the background");
        }
        // The one that takes its place here has nothing to end.
        let mut rest =
            std::mem::replace(self, Life::new(Arc::clone(&self.graph), self.options.clone(), self.under_way.clone()));
        rest.detached = true;
        runtime.spawn(async move {
            for error in rest.end().await {
                tracing::error!(target: "gone", "after a dropped boot: {error:?}");
            }
        });
    }
}

fn construct(graph: &Graph, store: &Store, id: NodeId, made: Vec<crate::target::Made>) -> Instance {
    let node = &graph.nodes[id];
    let Body::Goner(make) = &node.body else { return Arc::new(()) };
    let mut instance = make.construct(&mut Sites::new(store, &node.sites, &graph.bindings[id], made, None));
    let with = node.take_with();
    if !with.is_empty()
        && let Some(goner) = Arc::get_mut(&mut instance)
    {
        for change in with {
            change(goner);
        }
    }
    instance
}

/// Asks the providers, constructs, and runs the hooks of construction.
async fn prepare(graph: Arc<Graph>, store: Arc<Store>, id: NodeId, progress: Progress) -> Result<Instance> {
    let made = {
        let asking = graph.asking(id);
        match gather(&graph, &store, &asking, Some(&progress)) {
            Some(gathered) => {
                progress.enter(Hook::Provide);
                gathered.await?
            }
            None => Vec::new(),
        }
    };
    progress.enter(Hook::Construct);
    let mut instance = catch(|| construct(&graph, &store, id, made))?;
    let Body::Goner(make) = &graph.nodes[id].body else { return Ok(instance) };
    let alone =
        Arc::get_mut(&mut instance).ok_or_else(|| Error::msg("somebody else holds the goner before its init"))?;
    if let Some(before_init) = make.hooks().before_init {
        progress.enter(Hook::BeforeInit);
        before_init(alone).await?;
    }
    if let Some(init) = make.hooks().init {
        progress.enter(Hook::Init);
        init(alone).await?;
    }
    Ok(instance)
}

/// Makes the one value of a sharing provider for one extension text.
async fn share(graph: Arc<Graph>, store: Arc<Store>, id: NodeId) -> Result<Instance> {
    let Body::Shared(shared) = &graph.nodes[id].body else {
        return Err(Error::msg("it is not a shared value"));
    };
    let Shared { provider, tag, share } = &**shared;
    let piece = Piece { node: *provider, via: crate::node::Via::Call };
    let begun = Instant::now();
    let target = graph.nodes[id].offers[0].target;
    let made = caught(call(&graph, &store, &piece, target, tag)).await.map_err(|error| {
        let provider = graph.nodes[*provider].who();
        error.in_hook(&provider, Hook::Provide, Some(begun.elapsed())).asked_by(tag.asker().clone())
    })?;
    (share.keep)(made).ok_or_else(|| Error::msg("the provider made a value of another type"))
}
