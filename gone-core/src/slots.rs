//! What a goner, or a call of a function, is made of: the values that were gathered for its sites.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use crate::lazy::Fill;
use crate::node::{Body, Node, NodeId, Via};
use crate::plan::{Binding, Graph, Piece};
use crate::table::{BoxFuture, Form, Instance};
use crate::target::{Arity, Made, Site};
use crate::tasks::Progress;
use crate::unwind::{catch, caught};
use crate::{Error, Hook, Request, Result, Tag};

/// A lazy that waits to be filled.
type Later = (Piece, Box<dyn Fill>);

/// The instances that exist so far, by node. Each is set once.
pub(crate) struct Store {
    /// What came while nobody else looked, which is cheaper, and most.
    instances: Vec<Option<Instance>>,
    /// What came while others were under way: as many places.
    meanwhile: OnceLock<Box<[OnceLock<Instance>]>>,
    /// The lazies of what is built so far, with what they stand for; none once everything is built.
    later: Mutex<Option<Vec<Later>>>,
    /// The names under which nodes stand in a map.
    names: HashMap<NodeId, Cow<'static, str>>,
}

impl Store {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let name = |(id, node): (NodeId, &Node)| {
            let of = match &node.body {
                // A shared value goes by the name of its provider.
                Body::Shared(shared) => &nodes[shared.provider],
                _ => node,
            };
            Some((id, of.name.clone()?))
        };
        Store {
            instances: nodes.iter().map(|_| None).collect(),
            meanwhile: OnceLock::new(),
            later: Mutex::new(Some(Vec::new())),
            names: nodes.iter().enumerate().filter_map(name).collect(),
        }
    }

    /// Keeps an instance, once for each node.
    pub(crate) fn set(this: &mut Arc<Self>, node: NodeId, instance: Instance) {
        match Arc::get_mut(this) {
            Some(alone) => alone.instances[node] = Some(instance),
            None => {
                let places = || this.instances.iter().map(|_| OnceLock::new()).collect();
                let _ = this.meanwhile.get_or_init(places)[node].set(instance);
            }
        }
    }

    fn later(&self) -> std::sync::MutexGuard<'_, Option<Vec<Later>>> {
        self.later.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Fills a lazy once everything is built.
    fn fill_later(&self, piece: &Piece, lazy: Box<dyn Fill>) {
        if let Some(later) = self.later().as_mut() {
            later.push((piece.clone(), lazy));
            return;
        }
        lazy.fill(&mut |slot| self.put(piece.node, &piece.via, slot));
    }

    /// Fills all lazies, now that everything is built.
    pub(crate) fn fill_lazies(&self) {
        let later = self.later().take();
        for (piece, lazy) in later.into_iter().flatten() {
            lazy.fill(&mut |slot| self.put(piece.node, &piece.via, slot));
        }
    }

    /// Puts what a built node offers into an `Option<S>`.
    pub(crate) fn put(&self, node: NodeId, via: &Via, slot: &mut dyn Any) {
        match (via, self.get(node)) {
            (Via::Put(put), Some(instance)) => put(instance, slot),
            (Via::Cast(cast), Some(instance)) => cast(instance, slot),
            _ => {}
        }
    }

    pub(crate) fn get(&self, node: NodeId) -> Option<&Instance> {
        match self.instances.get(node)? {
            Some(instance) => Some(instance),
            None => self.meanwhile.get()?.get(node)?.get(),
        }
    }
}

impl Drop for Store {
    /// A panic of a goner's `Drop` is said and goes no further: it would end the others' in an abort.
    fn drop(&mut self) {
        let mut meanwhile = self.meanwhile.take();
        for node in (0..self.instances.len()).rev() {
            let later = || meanwhile.as_mut().and_then(|places| places[node].take());
            let Some(instance) = self.instances[node].take().or_else(later) else { continue };
            if let Err(error) = catch(|| drop(instance)) {
                tracing::error!(target: "gone", "a goner was dropped: {error}");
            }
        }
    }
}

/// The values for the sites of one goner or function, taken in the order of the sites.
pub struct Sites<'a> {
    store: &'a Store,
    sites: std::slice::Iter<'a, Site>,
    bindings: std::slice::Iter<'a, Binding>,
    made: std::vec::IntoIter<Made>,
    tag: Option<&'a Tag>,
}

impl fmt::Debug for Sites<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sites").field("left", &self.sites.as_slice()).finish_non_exhaustive()
    }
}

impl<'a> Sites<'a> {
    pub(crate) fn new(
        store: &'a Store,
        sites: &'a [Site],
        bindings: &'a [Binding],
        made: Vec<Made>,
        tag: Option<&'a Tag>,
    ) -> Self {
        Sites { store, sites: sites.iter(), bindings: bindings.iter(), made: made.into_iter(), tag }
    }

    /// The value for the next site. The plan has seen to it that there is one; that it is not there would be a bug of the
    /// container, and is caught as a panic of the construction.
    pub fn take<S: 'static>(&mut self) -> S {
        let mut slot: Option<S> = None;
        if let (Some(site), Some(binding)) = (self.sites.next(), self.bindings.next()) {
            self.fill(site, binding, &mut slot);
        }
        slot.unwrap_or_else(|| panic!("the plan left a site of type `{}` unfilled", std::any::type_name::<S>()))
    }

    fn fill(&mut self, site: &Site, binding: &Binding, slot: &mut dyn Any) {
        match (binding, site.ty.arity) {
            (Binding::Tag, _) => {
                if let (Some(tag), Some(slot)) = (self.tag, slot.downcast_mut::<Option<Tag>>()) {
                    *slot = Some(tag.clone());
                }
            }
            (Binding::Default, _) => {
                if let Some(default) = site.ty.target.absent() {
                    site.ty.target.place(default, slot);
                }
            }
            (Binding::Bundle, _) => {
                if let Some(bundle) = &site.ty.bundle {
                    (bundle.make)(self, slot);
                }
            }
            (Binding::Whole(piece), _) => self.piece(piece, &site.ty.target, slot),
            (Binding::Later(piece), Arity::Lazy(element)) => {
                let lazy = (element.make)(slot);
                self.store.fill_later(piece, lazy);
            }
            (Binding::Elements(pieces), Arity::Optional(element) | Arity::Many(element) | Arity::Named(element)) => {
                let mut pieces = pieces.iter();
                let named = matches!(site.ty.arity, Arity::Named(_));
                let mut next = |slot: &mut dyn Any| {
                    let piece = pieces.next()?;
                    self.piece(piece, &element.target, slot);
                    let name = self.store.names.get(&piece.node).filter(|_| named);
                    Some(name.map(|name| name.to_string()).unwrap_or_default())
                };
                (element.gather)(&mut next, slot);
            }
            (Binding::Elements(_) | Binding::Later(_), _) => {}
        }
    }

    fn piece(&mut self, piece: &Piece, target: &crate::Target, slot: &mut dyn Any) {
        if !piece.via.is_provider() {
            self.store.put(piece.node, &piece.via, slot);
        } else if let Some(made) = self.made.next() {
            target.place(made, slot);
        }
    }
}

/// Asks the providers for everything that the sites of `node` need of them, all at once, in the order in which [`Sites`]
/// takes it. A dropped future drops the calls under way, and what they had made.
pub(crate) fn gather<'a>(
    graph: &'a Arc<Graph>,
    store: &'a Store,
    asking: &'a Asking<'a>,
    progress: Option<&'a Progress>,
) -> Option<BoxFuture<'a, Result<Vec<Made>>>> {
    let mut calls: Vec<BoxFuture<'a, Result<Made>>> = Vec::new();
    for (index, binding) in asking.bindings.iter().enumerate() {
        let site = &asking.sites[index];
        for (piece, target) in binding.pieces(site) {
            if piece.via.is_provider() {
                let asker = asking.asker(site);
                let tag = Tag::asked_by(site.tag.clone(), asker.clone());
                let number = calls.len();
                if let Some(progress) = progress {
                    progress.asks(number, graph.nodes[piece.node].who(), asker.clone());
                }
                calls.push(Box::pin(async move {
                    let begun = tokio::time::Instant::now();
                    let call = call(graph, store, piece, target, &tag);
                    let made = caught(call).await.map_err(|error| {
                        let provider = graph.nodes[piece.node].who();
                        error.in_hook(&provider, Hook::Provide, Some(begun.elapsed())).asked_by(asker)
                    });
                    if let Some(progress) = progress {
                        progress.answered(number);
                    }
                    made
                }));
            }
        }
    }
    match calls.len() {
        0 => None,
        1 => calls.pop().map(|call| -> BoxFuture<'a, _> { Box::pin(async move { Ok(vec![call.await?]) }) }),
        _ => Some(Box::pin(all(calls))),
    }
}

/// Whose sites are filled.
pub(crate) struct Asking<'a> {
    pub(crate) goner: std::borrow::Cow<'static, str>,
    pub(crate) module: &'static str,
    pub(crate) sites: &'a [Site],
    pub(crate) bindings: &'a [Binding],
}

impl Asking<'_> {
    pub(crate) fn asker(&self, site: &Site) -> crate::Asker {
        crate::Asker { goner: self.goner.clone(), module: self.module, field: site.field.clone(), at: Some(site.at) }
    }
}

/// One call of a provider.
pub(crate) async fn call(
    graph: &Arc<Graph>,
    store: &Store,
    piece: &Piece,
    target: crate::Target,
    tag: &Tag,
) -> Result<Made> {
    let node = &graph.nodes[piece.node];
    if let Body::Function(function) = &node.body {
        let asking = graph.asking(piece.node);
        let made = match gather(graph, store, &asking, None) {
            Some(gathered) => gathered.await?,
            None => Vec::new(),
        };
        let arguments = &mut Sites::new(store, asking.sites, asking.bindings, made, Some(tag));
        let call = catch(|| function.call(arguments))?;
        return call.await;
    }
    let instance = store.get(piece.node).ok_or_else(|| Error::msg("the provider is not built"))?;
    match node.form() {
        Some(Form::Typed { call, .. }) => call(&**instance, tag).await,
        Some(Form::Named { call, .. }) => call(&**instance, tag, Request::new(target)).await?.into_made(&target),
        None => Err(Error::msg("it is not a provider")),
    }
}

/// Awaits all, concurrently; the first error in time ends it and drops the others.
async fn all(mut calls: Vec<BoxFuture<'_, Result<Made>>>) -> Result<Vec<Made>> {
    let mut results: Vec<Option<Made>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        let mut pending = false;
        for (call, result) in calls.iter_mut().zip(&mut results) {
            if result.is_none() {
                match call.as_mut().poll(context) {
                    std::task::Poll::Ready(made) => *result = Some(made?),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        match pending {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(Ok(results.iter_mut().filter_map(Option::take).collect())),
        }
    })
    .await
}
