//! What is loaded, with its type erased: the nodes of the graph.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::Who;
use crate::run::located;
use crate::slots::Sites;
use crate::source::{Held, Sources};
use crate::table::{BoxFuture, Form, Hooks, Instance, PutFn, Share, Table, offer};
use crate::target::{Made, Site, Target};
use crate::type_name::short;
use crate::{Condition, EarlyEnd, Location, Result, Tag};

/// A node's place in the load order; shared values come after all that was loaded.
pub(crate) type NodeId = usize;

/// One thing that was loaded, with its options.
pub(crate) struct Node {
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) declared: Option<Location>,
    pub(crate) module: &'static str,
    pub(crate) loaded: Location,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) only_for_name: bool,
    pub(crate) default: bool,
    pub(crate) order: i32,
    pub(crate) early: bool,
    pub(crate) fallback: bool,
    /// Found in the registry: it gives way to what the program loads itself.
    pub(crate) discovered: bool,
    pub(crate) replace: bool,
    /// It was a source, and is now what that held.
    pub(crate) source: bool,
    /// Of the container's own: `Shutdown`, `Handle`.
    pub(crate) built_in: bool,
    pub(crate) sites: Cow<'static, [Site]>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) body: Body,
    pub(crate) rare: Option<Box<Rare>>,
}

/// The options that few nodes have, apart, so that the others stay small.
pub(crate) struct Rare {
    pub(crate) default_for: Vec<Target>,
    /// Types that it comes after, where nothing else decides.
    pub(crate) after: Vec<Target>,
    pub(crate) start_budget: Option<Duration>,
    pub(crate) stop_budget: Option<Duration>,
    pub(crate) early_end: Option<EarlyEnd>,
    /// It is loaded only if all of these hold.
    pub(crate) when: Vec<When>,
    pub(crate) with: Mutex<Vec<With>>,
    /// How a function as provider shares what it makes, if it does.
    pub(crate) share: Option<Share>,
    /// Releases what a function as provider has made.
    pub(crate) on_close: Option<Arc<dyn AnyClose>>,
}

impl Rare {
    const fn none() -> Self {
        Rare {
            default_for: Vec::new(),
            after: Vec::new(),
            start_budget: None,
            stop_budget: None,
            early_end: None,
            when: Vec::new(),
            with: Mutex::new(Vec::new()),
            share: None,
            on_close: None,
        }
    }
}

pub(crate) type With = Box<dyn FnOnce(&mut (dyn Any + Send + Sync)) + Send>;

pub(crate) enum Body {
    /// A goner that is constructed.
    Goner(Make),
    /// A value that is there.
    Ready(Instance),
    /// A source, until it is read; then a `Ready` snapshot.
    Source(Arc<dyn AnySource>),
    /// A function as provider.
    Function(Arc<dyn AnyFunction>),
    /// The one value that a sharing provider makes for an extension text.
    Shared(Box<Shared>),
    /// A fallback that something loaded stands in for.
    Displaced,
    /// What a condition left out, or a test that discovers nothing.
    LeftOut(Box<LeftOut>),
    /// What nobody needs, where only what is needed is built.
    Unneeded,
}

/// A value that a sharing provider makes once for all who ask with the same extension text.
pub(crate) struct Shared {
    pub(crate) provider: NodeId,
    pub(crate) tag: Tag,
    pub(crate) share: Share,
}

/// A condition, and where it was given.
pub(crate) struct When {
    pub(crate) condition: Box<dyn Condition>,
    pub(crate) at: Location,
}

/// What was left out would have had this name and offered this.
pub(crate) struct LeftOut {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) offers: Vec<Target>,
    pub(crate) why: String,
}

/// How a goner is made, and what it is.
pub(crate) enum Make {
    /// As its derive says.
    Derived(&'static Table),
    /// As was said when the spec was made.
    Built(Box<Built>),
}

/// What a derive would say in its table.
pub(crate) struct Built {
    pub(crate) construct: Box<dyn Fn(&mut Sites<'_>) -> Instance + Send + Sync>,
    pub(crate) hooks: Hooks,
    pub(crate) provider: Option<Form>,
}

impl Make {
    pub(crate) fn construct(&self, sites: &mut Sites<'_>) -> Instance {
        match self {
            Make::Derived(table) => (table.construct)(sites),
            Make::Built(built) => (built.construct)(sites),
        }
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        match self {
            Make::Derived(table) => &table.hooks,
            Make::Built(built) => &built.hooks,
        }
    }

    fn form(&self) -> Option<&Form> {
        match self {
            Make::Derived(table) => table.provider.as_ref(),
            Make::Built(built) => built.provider.as_ref(),
        }
    }
}

/// What a node can give for a site.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) target: Target,
    pub(crate) via: Via,
}

impl Offer {
    /// A goner as a trait object, by a cast given at load.
    pub(crate) fn cast<T: Send + Sync + 'static, U: ?Sized + Send + Sync + 'static>(
        cast: fn(Arc<T>) -> Arc<U>,
    ) -> Self {
        let put = move |instance: &Instance, slot: &mut dyn Any| offer::<T, Arc<U>>(instance, slot, cast);
        Offer { target: Target::of::<Arc<U>>(), via: Via::cast(put) }
    }
}

/// How a site gets what a node offers.
#[derive(Clone)]
pub(crate) enum Via {
    /// Of the instance, by a function of the derive's table.
    Put(PutFn),
    /// Of the instance, by a cast given at load.
    Cast(Cast),
    /// By asking the typed provider.
    Call,
    /// By asking the many-type provider.
    Ask,
}

/// In two steps, so that every binding is as small as one by a function: casts given at load are few.
type Cast = Arc<Box<dyn Fn(&Instance, &mut dyn Any) + Send + Sync>>;

/// Releases the values that a function as provider has made.
pub(crate) trait AnyClose: Send + Sync {
    fn close(&self) -> BoxFuture<'static, Result<()>>;
}

impl Via {
    pub(crate) fn cast(cast: impl Fn(&Instance, &mut dyn Any) + Send + Sync + 'static) -> Self {
        Via::Cast(Arc::new(Box::new(cast)))
    }

    pub(crate) fn is_provider(&self) -> bool {
        matches!(self, Via::Call | Via::Ask)
    }
}

/// A source whose type is erased.
pub(crate) trait AnySource: Send + Sync {
    fn snapshot_id(&self) -> TypeId;
    fn read(&self) -> Result<Box<dyn Any + Send + Sync>>;
    fn open<'a>(
        &'a self,
        local: Box<dyn Any + Send + Sync>,
        sources: &'a Sources,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>>;
    /// The snapshot as a value that offers `Arc<Snapshot>`, and as one for [`Sources`].
    fn keep(&self, snapshot: Box<dyn Any + Send + Sync>) -> Option<(Instance, Held)>;
}

/// A function as provider, its parameters erased.
pub(crate) trait AnyFunction: Send + Sync {
    fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>>;
}

impl Node {
    pub(crate) fn new(type_name: fn() -> &'static str, body: Body) -> Self {
        Node {
            type_name,
            declared: None,
            module: "",
            loaded: std::panic::Location::caller(),
            name: None,
            only_for_name: false,
            default: false,
            order: 0,
            early: false,
            fallback: false,
            discovered: false,
            replace: false,
            source: false,
            built_in: false,
            sites: Cow::Borrowed(&[]),
            offers: Vec::new(),
            body,
            rare: None,
        }
    }

    /// The options that few nodes have.
    pub(crate) fn rare(&self) -> &Rare {
        static NONE: Rare = Rare::none();
        self.rare.as_deref().unwrap_or(&NONE)
    }

    pub(crate) fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(|| Box::new(Rare::none()))
    }

    /// What is to be done with the goner once its sites are filled: given once.
    pub(crate) fn take_with(&self) -> Vec<With> {
        let Some(rare) = &self.rare else { return Vec::new() };
        std::mem::take(&mut *rare.with.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// What the derive says.
    pub(crate) fn derived(table: &'static Table) -> Self {
        let mut node = Node::new(table.type_name, Body::Goner(Make::Derived(table)));
        node.declared = Some(table.at);
        node.module = table.module;
        node.name = table.name.map(Cow::Borrowed);
        node.sites = Cow::Borrowed(table.sites);
        node
    }

    /// Loaded there.
    pub(crate) fn loaded_at(mut self, loaded: Location) -> Self {
        self.loaded = loaded;
        if let Body::Function(_) = self.body {
            self.sites = located(self.sites, loaded);
        }
        self
    }

    /// The type by its short name; a closure has none, and goes by what it makes.
    pub(crate) fn label(&self) -> String {
        let name = (self.type_name)();
        match (&self.body, self.offers.first()) {
            (Body::Function(_), Some(made)) if name.ends_with("{{closure}}") => {
                format!("closure for {}", made.target.name())
            }
            _ => short(name),
        }
    }

    /// Itself, for errors: what it is called and where it is declared.
    pub(crate) fn who(&self) -> Who {
        Who { name: self.label(), at: self.declared }
    }

    /// Whether it was taken out of the graph.
    pub(crate) fn is_out(&self) -> bool {
        matches!(self.body, Body::Displaced | Body::LeftOut(_) | Body::Unneeded)
    }

    /// Whether it is the one value of a sharing provider for a text.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.body, Body::Shared(_))
    }

    /// Takes it out of the graph: nothing of it is found, checked or run.
    pub(crate) fn take_out(&mut self, body: Body) {
        self.body = body;
        self.offers.clear();
        self.sites = Cow::Borrowed(&[]);
        self.name = None;
        (self.default, self.only_for_name) = (false, false);
        if let Some(rare) = &mut self.rare {
            rare.after.clear();
            rare.default_for.clear();
            rare.on_close = None;
        }
    }

    /// Takes it out of the graph, and remembers for reports what it was.
    pub(crate) fn leave_out(&mut self, why: String) {
        let offers = self.offers().map(|(target, _)| target).collect();
        let left_out = LeftOut { name: self.name.clone(), offers, why };
        self.take_out(Body::LeftOut(Box::new(left_out)));
    }

    pub(crate) fn form(&self) -> Option<&Form> {
        match &self.body {
            Body::Goner(make) => make.form(),
            _ => None,
        }
    }

    /// What the node offers: what its table says, then what was added when it was loaded.
    pub(crate) fn offers(&self) -> impl Iterator<Item = (Target, Via)> {
        let table = match &self.body {
            Body::Goner(Make::Derived(table)) => table.offers,
            _ => &[],
        };
        let made = match self.form() {
            Some(Form::Typed { output, .. }) => Some((*output, Via::Call)),
            _ => None,
        };
        let stat = table.iter().map(|entry| (entry.target, Via::Put(entry.put)));
        stat.chain(made).chain(self.offers.iter().map(|offer| (offer.target, offer.via.clone())))
    }

    pub(crate) fn offer_of(&self, id: TypeId) -> Option<(Target, Via)> {
        self.offers().find(|(target, _)| target.id() == id)
    }

    /// How it gives what it offers of a type: [`offers`](Self::offers) in that order, without a copy of each, for look-ups.
    pub(crate) fn via_of(&self, id: TypeId) -> Option<Via> {
        if let Body::Goner(Make::Derived(table)) = &self.body
            && let Some(entry) = table.offers.iter().find(|entry| entry.target.id() == id)
        {
            return Some(Via::Put(entry.put));
        }
        match self.form() {
            Some(Form::Typed { output, .. }) if output.id() == id => Some(Via::Call),
            _ => self.offers.iter().find(|offer| offer.target.id() == id).map(|offer| offer.via.clone()),
        }
    }

    /// Whether it does something though nobody asks for it.
    pub(crate) fn acts(&self) -> bool {
        match &self.body {
            Body::Goner(make) => {
                let Hooks {
                    before_init,
                    init,
                    before_start,
                    start,
                    after_start,
                    run,
                    before_stop,
                    stop,
                    after_stop,
                    close,
                } = make.hooks();
                let construction = before_init.is_some() || init.is_some() || close.is_some();
                let starting = before_start.is_some() || start.is_some() || after_start.is_some() || run.is_some();
                construction || starting || before_stop.is_some() || stop.is_some() || after_stop.is_some()
            }
            _ => false,
        }
    }

    /// A trait is something that many offer; a node's own type and what its provider makes are what it is loaded for.
    pub(crate) fn is_main(&self, via: &Via) -> bool {
        match (via, &self.body) {
            (Via::Call | Via::Ask, _) => true,
            (Via::Put(put), Body::Goner(Make::Derived(table))) => {
                table.offers.first().is_some_and(|own| std::ptr::fn_addr_eq(own.put, *put))
            }
            (Via::Put(_), _) => true,
            (Via::Cast(_), _) => false,
        }
    }
}
