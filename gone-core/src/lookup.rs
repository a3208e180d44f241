//! Lookups, calls and makes on an application that is built.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::app::Parts;
use crate::node::{Body, NodeId, Via};
use crate::plan::{Binding, Called, Candidate, Piece, bind_call, glob};
use crate::slots::{Asking, Sites, call, gather};
use crate::table::{Form, Instance, Share};
use crate::target::{Site, Target};
use crate::unwind::{catch, caught};
use crate::{Code, Error, Hook, Injected, Result, StateError, Tag};

/// How many values of sharing providers an application keeps beyond those that its plan knows.
const SHARED_MAX: usize = 1_024;

/// The values that sharing providers have made after the boot, by provider and extension text.
#[derive(Default)]
pub(crate) struct Shared(Mutex<HashMap<(NodeId, String), Cell>>);

/// One value, made once, however many wait for it.
type Cell = Arc<OnceCell<Instance>>;

impl Shared {
    fn cell(&self, provider: NodeId, extend: &str) -> Result<Cell> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (provider, extend.to_owned());
        if cells.len() >= SHARED_MAX && !cells.contains_key(&key) {
            let text =
                format!("{SHARED_MAX} shared values were made after the boot: give `make` fewer different texts");
            return Err(Error::new(Code::State, text));
        }
        Ok(Arc::clone(cells.entry(key).or_default()))
    }
}

impl Parts {
    pub(crate) fn get<S: Send + 'static>(&self) -> Result<S> {
        self.open()?;
        let offer = self.one(Target::of::<S>())?;
        self.put(offer.node, &offer.via)
    }

    pub(crate) fn try_get<S: Send + 'static>(&self) -> Result<Option<S>> {
        match self.get() {
            Err(error) if error.code() == Code::Missing => Ok(None),
            got => got.map(Some),
        }
    }

    /// Where only what is needed is built, the rest can't be had.
    fn is_built(&self, node: NodeId) -> Result<()> {
        match self.graph.nodes[node].body {
            Body::Unneeded => Err(StateError::NotBuilt(self.graph.nodes[node].label()).into_error()),
            _ => Ok(()),
        }
    }

    pub(crate) fn get_named<S: Send + 'static>(&self, name: &str) -> Result<S> {
        self.open()?;
        let (node, via) = self.named(name, Target::of::<S>())?;
        self.put(node, &via)
    }

    pub(crate) fn get_matching<S: Send + 'static>(&self, pattern: &str) -> Result<Vec<S>> {
        self.open()?;
        let mut found: Vec<_> = self.graph.index.by_type(Target::of::<S>().id()).to_vec();
        found.retain(|it| self.graph.nodes[it.node].name.as_deref().is_some_and(|name| glob(pattern, name)));
        found.sort_by_key(|it| it.node);
        found.iter().map(|it| self.put(it.node, &it.via)).collect()
    }

    /// The one offer of a type, or the one that is default.
    fn one(&self, target: Target) -> Result<&Candidate> {
        match self.graph.index.by_type(target.id()) {
            [] => Err(Error::new(Code::Missing, format_args!("nothing offers `{}`", target.name()))),
            [only] => Ok(only),
            several => {
                let default = several.iter().find(|it| it.default);
                default.ok_or_else(|| {
                    let names: Vec<_> = several.iter().map(|it| self.graph.nodes[it.node].label()).collect();
                    let text = format!("{} offers fit `{}`: {}", several.len(), target.name(), names.join(", "));
                    Error::new(Code::Ambiguous, text)
                })
            }
        }
    }

    fn named(&self, name: &str, target: Target) -> Result<(NodeId, Via)> {
        let id = self.graph.index.by_name(name);
        let id = id.ok_or_else(|| Error::new(Code::Missing, format_args!("nothing is named `{name}`")))?;
        let node = &self.graph.nodes[id];
        if let Some(Form::Named { .. }) = node.form() {
            return Ok((id, Via::Ask));
        }
        if let Some(via) = node.via_of(target.id()) {
            return Ok((id, via));
        }
        self.is_built(id)?;
        Err(Error::new(Code::Mismatch, format_args!("`{name}` does not offer `{}`", target.name())))
    }

    fn put<S: 'static>(&self, id: NodeId, via: &Via) -> Result<S> {
        let mut slot: Option<S> = None;
        self.store.put(id, via, &mut slot);
        slot.ok_or_else(|| self.nothing_from(id, via))
    }

    /// Why a node that offers a type gives nothing of it.
    #[cold]
    fn nothing_from(&self, id: NodeId, via: &Via) -> Error {
        match self.is_built(id) {
            Err(not_built) => not_built,
            Ok(()) if via.is_provider() => StateError::Provider(self.graph.nodes[id].label()).into_error(),
            Ok(()) => StateError::NotReady.into_error(),
        }
    }

    pub(crate) async fn make<S: Send + 'static>(&self, text: &str) -> Result<S> {
        self.open()?;
        let target = Target::of::<S>();
        let tag = Tag::new(text.to_owned());
        let (node, via) = match tag.name() {
            "" | "*" => self.one(target).map(|offer| (offer.node, offer.via.clone()))?,
            name => self.named(name, target)?,
        };
        self.is_built(node)?;
        if !via.is_provider() {
            return Err(StateError::NotAProvider(self.graph.nodes[node].label()).into_error());
        }
        let made = async {
            let piece = self.piece(node, via, target, &tag).await?;
            let mut slot: Option<S> = None;
            if piece.via.is_provider() {
                let made = caught(call(&self.graph, &self.store, &piece, target, &tag)).await?;
                target.place(made, &mut slot);
            } else {
                self.store.put(piece.node, &piece.via, &mut slot);
            }
            slot.ok_or_else(|| Error::new(Code::Mismatch, "the provider made a value of another type"))
        };
        let begun = Instant::now();
        let who = || self.graph.nodes[node].who();
        made.await.map_err(|error| error.in_hook(&who(), Hook::Provide, Some(begun.elapsed())))
    }

    /// Lets the provider check what it is asked, as the plan would, and makes the shared value where it shares.
    async fn piece(&self, node: NodeId, via: Via, target: Target, tag: &Tag) -> Result<Piece> {
        let piece = Piece { node, via };
        match self.graph.nodes[node].form().filter(|_| piece.via.is_provider()) {
            Some(Form::Typed { accepts, share, .. }) => {
                catch(|| accepts(tag, &self.graph.sources))??;
                match share {
                    Some(share) => self.shared(piece, target, tag, *share).await,
                    None => Ok(piece),
                }
            }
            Some(Form::Named { accepts, .. }) => {
                catch(|| accepts(&target, tag, &self.graph.sources))??;
                Ok(piece)
            }
            None => match self.graph.nodes[node].rare().share.filter(|_| piece.via.is_provider()) {
                Some(share) => self.shared(piece, target, tag, share).await,
                None => Ok(piece),
            },
        }
    }

    async fn shared(&self, provider: Piece, target: Target, tag: &Tag, share: Share) -> Result<Piece> {
        let of_plan = |node: &crate::node::Node| match &node.body {
            Body::Shared(shared) => shared.provider == provider.node && shared.tag.extend() == tag.extend(),
            _ => false,
        };
        if let Some(node) = self.graph.nodes.iter().position(of_plan) {
            return Ok(Piece { node, via: Via::Put(share.put) });
        }
        let cell = self.after_boot.cell(provider.node, tag.extend())?;
        let make = || async {
            let made = caught(call(&self.graph, &self.store, &provider, target, tag)).await?;
            (share.keep)(made).ok_or_else(|| Error::msg("the provider made a value of another type"))
        };
        let instance = Arc::clone(cell.get_or_try_init(make).await?);
        // Of the value that was made, whichever instance it is called on.
        let put = move |_: &Instance, slot: &mut dyn std::any::Any| (share.put)(&instance, slot);
        Ok(Piece { node: provider.node, via: Via::cast(put) })
    }

    /// Calls a function with its parameters injected as they are now.
    pub(crate) async fn call<F, A>(&self, function: F, sites: Cow<'static, [Site]>) -> Result<F::Output>
    where
        F: Injected<A>,
    {
        self.open()?;
        let Called { sites, mut bindings, shared } = bind_call(&self.graph, sites)?;
        let first = self.graph.nodes.len();
        let mut made = Vec::with_capacity(shared.len());
        for node in &shared {
            let Body::Shared(shared) = &node.body else { continue };
            let of = Piece { node: shared.provider, via: Via::Call };
            made.push(self.shared(of, node.offers[0].target, &shared.tag, shared.share).await?);
        }
        for piece in bindings.iter_mut().flat_map(Binding::pieces_mut) {
            if let Some(shared) = piece.node.checked_sub(first).and_then(|at| made.get(at)) {
                *piece = shared.clone();
            }
            self.is_built(piece.node)?;
        }
        self.inject(function, "call", &sites, &bindings).await
    }

    pub(crate) async fn inject<F, A>(
        &self,
        function: F,
        name: &'static str,
        sites: &[Site],
        bindings: &[Binding],
    ) -> Result<F::Output>
    where
        F: Injected<A>,
    {
        let asking = Asking { goner: name.into(), module: "", sites, bindings };
        let made = match gather(&self.graph, &self.store, &asking, None) {
            Some(gathered) => {
                let budget = self.options.start_hook;
                let late = |_| Error::new(Code::Hook, format_args!("the parameters were not there within {budget:?}"));
                tokio::time::timeout(budget, gathered).await.map_err(late)??
            }
            None => Vec::new(),
        };
        let mut arguments = Sites::new(&self.store, sites, bindings, made, None);
        let call = catch(|| function.call(&mut arguments))?;
        caught(async { Ok(call.await) }).await
    }
}
