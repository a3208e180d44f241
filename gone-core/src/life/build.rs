//! Construction: every goner when all that it needs is ready.

use std::sync::Arc;

use tokio::time::Instant;

use crate::life::Life;
use crate::node::{Body, Node, NodeId, Shared, Via};
use crate::plan::{Graph, Piece};
use crate::schedule::{Schedule, early_first};
use crate::slots::{Sites, Store, call, gather};
use crate::table::{BoxFuture, Instance};
use crate::target::Made;
use crate::tasks::{Progress, Work};
use crate::unwind::{catch, caught};
use crate::{Error, Event, Hook, Result};

/// How far the construction of a node has come.
enum Begun {
    Done(Instance),
    /// It has a task.
    UnderWay,
    /// It is early, and runs where the application boots until it first waits.
    First(Work, BoxFuture<'static, Result<Instance>>),
}

impl Life {
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

    pub(super) fn put(&mut self, id: NodeId, instance: Instance) {
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
}

fn construct(graph: &Graph, store: &Store, id: NodeId, made: Vec<Made>) -> Instance {
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
    let piece = Piece { node: *provider, via: Via::Call };
    let begun = Instant::now();
    let target = graph.nodes[id].offers[0].target;
    let made = caught(call(&graph, &store, &piece, target, tag)).await.map_err(|error| {
        let provider = graph.nodes[*provider].who();
        error.in_hook(&provider, Hook::Provide, Some(begun.elapsed())).asked_by(tag.asker().clone())
    })?;
    (share.keep)(made).ok_or_else(|| Error::msg("the provider made a value of another type"))
}
