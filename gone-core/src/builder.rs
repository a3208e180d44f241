use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::loader::{Load, Loader};
use crate::node::{AnySource, Body, Node};
use crate::plan::{Place, Plan, Problem, Report, bind, replace};
use crate::race::{First, race};
use crate::registry::{give_way, leave_out};
use crate::target::{Arity, Site, SiteType};
use crate::tasks::UnderWay;
use crate::{App, Error, Event, MessageKind, Options, Result, Running, Sources, Target};

/// Whether goners that were discovered take part.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Discovery {
    /// They do, unless it is a test.
    #[default]
    OutsideTests,
    /// It is a test that did not ask for them.
    Off,
    /// They do, also in a test.
    Always,
}

/// An application while it is put together: it collects what is loaded, then plans, boots, runs or serves.
#[must_use = "nothing happens until it is planned, booted, run or served"]
pub struct AppBuilder {
    loader: Loader,
    /// Where only what is needed is built: by what, beside the function.
    only: Option<Vec<Site>>,
    pub(crate) discovery: Discovery,
    pub(crate) options: Options,
    pub(crate) under_way: UnderWay,
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder")
            .field("loader", &self.loader)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Default for AppBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl AppBuilder {
    /// An application in which nothing is loaded.
    pub fn new() -> Self {
        AppBuilder {
            loader: Loader::new(),
            only: None,
            discovery: Discovery::default(),
            options: Options::default(),
            under_way: UnderWay::default(),
        }
    }

    /// Loads a goner, a value, a function as provider, a source, a module, or a tuple of these. Never fails: what is wrong
    /// stands in the plan's report. Of what is loaded, only modules run here.
    #[track_caller]
    pub fn load(mut self, it: impl Load) -> Self {
        self.loader.load(it);
        self
    }

    /// As [`load`](AppBuilder::load), for what gives way: left out if the program itself loads something of the same name,
    /// or of the same type.
    #[track_caller]
    pub fn fallback(mut self, it: impl Load) -> Self {
        self.loader.fallback(it);
        self
    }

    /// Sets the budgets, and how much is done at once.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use gone_core::AppBuilder;
    ///
    /// let builder = AppBuilder::new().options(|it| {
    ///     it.boot = Duration::from_secs(20);
    ///     it.max_parallel = 8;
    /// });
    /// # drop(builder);
    /// ```
    pub fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Tells `listener` what happens: when a hook begins and how it ends, that all is ready, that it stops and has stopped. Several
    /// listeners are told in turn, of each event at once and on the thread on which it happens: they must be quick, and must not
    /// block. A panic of one is caught and said in the log.
    ///
    /// ```
    /// # use gone_core::{AppBuilder, Event};
    /// let builder = AppBuilder::new().on_event(|event| {
    ///     if let Event::Ended { goner, hook, took, error: None } = event {
    ///         println!("{goner} was through {hook} in {took:?}");
    ///     }
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.under_way.listeners.add(Arc::new(listener));
        self
    }

    /// Builds only what is needed by the function given to [`run`](AppBuilder::run) or [`test`](AppBuilder::test), and by each
    /// [`only`](AppBuilder::only), directly and by way of others, a `Lazy` included. Everything is checked all the same. Looking up
    /// what was not built is a [`StateError::NotBuilt`](crate::StateError). For tests. (contract container C-5)
    pub fn only_needed(mut self) -> Self {
        self.only.get_or_insert_default();
        self
    }

    /// As [`only_needed`](AppBuilder::only_needed), and names one that is: the type of a site in full, `only::<Arc<Store>>()`.
    #[track_caller]
    pub fn only<S: Send + 'static>(mut self) -> Self {
        self.only.get_or_insert_default().push(Site {
            field: Cow::Borrowed("only"),
            tag: Cow::Borrowed(""),
            ty: const { &SiteType { target: Target::of::<S>(), arity: Arity::One, bundle: None } },
            at: std::panic::Location::caller(),
        });
        self
    }

    /// Lets the goners that were [discovered](crate::discovered) take part in [`test`](AppBuilder::test) as well, where they are left
    /// out unless this is said. [`check`](AppBuilder::check) and the others have them anyway.
    pub fn discover_in_tests(mut self) -> Self {
        self.discovery = Discovery::Always;
        self
    }

    /// Checks everything, without constructing anything: reads the local sources, binds every site of every goner, and lets
    /// the providers check what they will be asked.
    ///
    /// # Errors
    /// All problems at once, as [`Error::report`].
    pub fn plan(self) -> Result<Plan> {
        let (reading, options, under_way) = self.read();
        reading.plan(None, options, under_way)
    }

    /// As [`plan`](AppBuilder::plan), for a `#[test]`: proves that a graph is whole.
    ///
    /// # Errors
    /// All problems at once, as [`Error::report`].
    pub fn check(self) -> Result<()> {
        self.plan().map(drop)
    }

    /// Reads the local sources.
    fn read(self) -> (Reading, Options, UnderWay) {
        let AppBuilder { loader, only, discovery, options, under_way } = self;
        let mut reading = Reading::new(loader, only, discovery);
        reading.local();
        (reading, options, under_way)
    }

    /// Plans with the remote sources opened as well, within the boot's budget.
    async fn plan_remotely(self, function: Option<Cow<'static, [Site]>>, begun: Instant) -> Result<Plan> {
        let (mut reading, options, under_way) = self.read();
        reading.remote(crate::tasks::after(begun, options.boot), options.boot).await;
        reading.plan(function, options, under_way)
    }

    /// Plans, builds and starts.
    ///
    /// A future that is dropped at any point hands what was built to a detached task that stops and closes it within the shutdown
    /// budget.
    ///
    /// # Errors
    /// The plan's report; or the first failure of a hook, with what failed while cleaning up after it attached.
    pub async fn boot(self) -> Result<Running> {
        self.boot_for(None, std::future::pending()).await
    }

    /// Boots, unless `interrupt` ends first: its error is then the boot's, after what was built is rolled back.
    pub(crate) async fn boot_for(
        self,
        function: Option<Cow<'static, [Site]>>,
        interrupt: impl Future<Output = Error>,
    ) -> Result<Running> {
        let begun = Instant::now();
        let mut interrupt = std::pin::pin!(interrupt);
        let plan = match race(self.plan_remotely(function, begun), interrupt.as_mut()).await {
            First::Left(plan) => plan?,
            First::Right(error) => return Err(error),
        };
        App::build(plan, begun, interrupt.as_mut()).await?.start_unless(interrupt).await
    }
}

type Snapshot = Box<dyn std::any::Any + Send + Sync>;

/// The sources while they are read.
struct Reading {
    nodes: Vec<Node>,
    problems: Vec<Problem>,
    only: Option<Vec<Site>>,
    discovery: Discovery,
    sources: Sources,
    /// What each source held, by its node, while it is not kept yet.
    held: Vec<(usize, Arc<dyn AnySource>, Snapshot)>,
}

impl Reading {
    fn new(loader: Loader, only: Option<Vec<Site>>, discovery: Discovery) -> Self {
        let Loader { mut nodes, mut problems, .. } = loader;
        give_way(&mut nodes);
        let mut nodes = replace(nodes, false, &mut problems);
        // A source that gives way does so before it is read.
        let own: Vec<_> =
            nodes.iter().filter(|it| !it.fallback).filter_map(|it| source(it)).map(|it| it.snapshot_id()).collect();
        nodes.retain(|it| !(it.fallback && source(it).is_some_and(|it| own.contains(&it.snapshot_id()))));
        Reading { nodes, problems, only, discovery, sources: Sources::default(), held: Vec::new() }
    }

    fn local(&mut self) {
        for id in 0..self.nodes.len() {
            let Some(source) = source(&self.nodes[id]) else { continue };
            if !self.nodes[id].rare().when.is_empty() {
                let text = format!("`{}` is a source and has a condition", self.nodes[id].label());
                let problem =
                    Problem::new(MessageKind::ConditionalSource, text).involving([Place::of(&self.nodes[id])]);
                self.problems.push(problem.help("sources are read before conditions are asked: take `.when(…)` away"));
                self.nodes[id].rare_mut().when.clear();
            }
            match crate::unwind::catch(|| source.read()).and_then(|read| read) {
                Ok(snapshot) => self.held.push((id, source, snapshot)),
                Err(error) => self.failed(id, error),
            }
        }
    }

    async fn remote(&mut self, deadline: Instant, budget: Duration) {
        let held = std::mem::take(&mut self.held);
        for (id, source, local) in held {
            let opened = crate::unwind::caught(source.open(local, &self.sources));
            let opened = tokio::time::timeout_at(deadline, opened).await;
            match opened {
                Ok(Ok(snapshot)) => self.keep(id, &source, snapshot),
                Ok(Err(error)) => self.failed(id, error),
                Err(_) => {
                    self.failed(id, Error::msg(format_args!("the source was not open within the boot's {budget:?}")))
                }
            }
        }
    }

    fn keep(&mut self, id: usize, source: &Arc<dyn AnySource>, snapshot: Snapshot) {
        match source.keep(snapshot) {
            Some((instance, snapshot)) => {
                if !self.sources.insert(source.snapshot_id(), snapshot) {
                    self.two_give_one_snapshot(id);
                    return;
                }
                self.nodes[id].body = Body::Ready(instance);
                self.nodes[id].source = true;
            }
            None => self.failed(id, Error::msg("the source gave a snapshot of another type")),
        }
    }

    /// Says that a second source gives a snapshot. That one is taken out, so that its offer is not a problem as well.
    fn two_give_one_snapshot(&mut self, second: usize) {
        // What a source offers is its snapshot, and nothing else.
        let Some((snapshot, _)) = self.nodes[second].offers().next() else { return };
        let first = self.nodes.iter().position(|it| it.source && it.offer_of(snapshot.id()).is_some());
        let mut places: Vec<_> = first.into_iter().chain([second]).map(|id| Place::of(&self.nodes[id])).collect();
        Place::sort(&mut places);
        let text = format!("two sources give `{}`", snapshot.name());
        let problem = Problem::new(MessageKind::DuplicateSource, text).involving(places);
        self.problems.push(problem.help("load one of them, or put `.replace()` on the one that is to stand"));
        self.nodes[second].take_out(Body::Displaced);
    }

    /// Asks the conditions, and leaves out what does not hold.
    fn leave_out(&mut self) {
        for id in 0..self.nodes.len() {
            let node = &self.nodes[id];
            let mut why = None;
            let mut failed = None;
            for when in &node.rare().when {
                match crate::unwind::catch(|| when.condition.holds(&self.sources)).and_then(|holds| holds) {
                    Ok(true) => {}
                    Ok(false) => {
                        let place = || format!("its condition at {}:{} does not hold", when.at.file(), when.at.line());
                        why.get_or_insert_with(|| when.condition.why_not(&self.sources).unwrap_or_else(place));
                    }
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if let Some(error) = failed {
                self.failed(id, error);
            } else if let Some(why) = why {
                self.nodes[id].leave_out(why);
            }
        }
    }

    fn failed(&mut self, id: usize, error: Error) {
        let place = Place::of(&self.nodes[id]);
        for error in std::iter::once(&error).chain(error.attached()) {
            let problem = Problem::found(MessageKind::Config, error.clone());
            // Where it stands in a file is what there is to mend.
            let place = problem.excerpt.is_none().then(|| place.clone());
            self.problems.push(problem.involving(place));
        }
    }

    fn plan(mut self, function: Option<Cow<'static, [Site]>>, options: Options, under_way: UnderWay) -> Result<Plan> {
        for (id, source, snapshot) in std::mem::take(&mut self.held) {
            self.keep(id, &source, snapshot);
        }
        self.leave_out();
        let mut nodes = replace(self.nodes, true, &mut self.problems);
        if self.discovery == Discovery::Off {
            // What was replaced is gone: what replaces it takes part.
            leave_out(&mut nodes);
        }
        let graph = bind(nodes, function, self.only.as_deref(), &self.sources, self.problems)?;
        if options.deny_warnings && !graph.warnings().is_empty() {
            return Err(Error::plan(Report::new(graph.warnings().to_vec())));
        }
        Ok(Plan { graph: Arc::new(graph), options, under_way })
    }
}

fn source(node: &Node) -> Option<Arc<dyn AnySource>> {
    match &node.body {
        Body::Source(source) => Some(Arc::clone(source)),
        _ => None,
    }
}

impl Plan {
    /// Constructs every goner, independent ones concurrently, and runs their `before_init` and `init`.
    ///
    /// A dropped future hands what was built to a detached task that closes it.
    ///
    /// # Errors
    /// The first failure, after everything that was built has been closed.
    pub async fn build(self) -> Result<App> {
        App::build(self, Instant::now(), std::future::pending()).await
    }
}
