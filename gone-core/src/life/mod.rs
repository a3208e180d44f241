//! From a plan to the end: construction, start, stop and close of one application's goners.

mod background;
mod build;
mod start;
mod stop;

use std::sync::Arc;
use std::time::Duration;

use crate::life::background::Background;
use crate::node::{Body, NodeId};
use crate::plan::Graph;
use crate::slots::Store;
use crate::table::{BoxFuture, Instance};
use crate::tasks::{Tasks, UnderWay};
use crate::{Hook, Options, Result, Shutdown};

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
