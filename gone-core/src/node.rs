//! What is loaded, with its type erased: the nodes of the graph.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::Who;
use crate::run::located;
use crate::slots::Sites;
use crate::source::Sources;
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
    pub(crate) default_for: Vec<Target>,
    pub(crate) order: i32,
    pub(crate) early: bool,
    pub(crate) fallback: bool,
    /// Found in the registry: it gives way to what the program loads itself.
    pub(crate) discovered: bool,
    pub(crate) replace: bool,
    /// Types that it comes after, where nothing else decides.
    pub(crate) after: Vec<Target>,
    pub(crate) start_budget: Option<Duration>,
    pub(crate) stop_budget: Option<Duration>,
    pub(crate) early_end: Option<EarlyEnd>,
    /// It is loaded only if all of these hold.
    pub(crate) when: Vec<When>,
    /// It was a source, and is now what that held.
    pub(crate) source: bool,
    /// Of the container's own: `Shutdown`, `Handle`.
    pub(crate) built_in: bool,
    pub(crate) sites: Cow<'static, [Site]>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) with: Mutex<Vec<With>>,
    /// Whether there is any, to be known without the lock.
    pub(crate) has_with: bool,
    /// How a function as provider shares what it makes, if it does.
    pub(crate) share: Option<Share>,
    /// Releases what a function as provider has made.
    pub(crate) on_close: Option<Arc<dyn AnyClose>>,
    pub(crate) body: Body,
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
    Shared { provider: NodeId, tag: Tag, share: Share },
    /// A fallback that something loaded stands in for.
    Displaced,
    /// What a condition left out, or a test that discovers nothing.
    LeftOut(Box<LeftOut>),
    /// What nobody needs, where only what is needed is built.
    Unneeded,
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
        Offer { target: Target::of::<Arc<U>>(), via: Via::Cast(Arc::new(put)) }
    }
}

/// How a site gets what a node offers.
#[derive(Clone)]
pub(crate) enum Via {
    /// Of the instance, by a function of the derive's table.
    Put(PutFn),
    /// Of the instance, by a cast given at load.
    Cast(Arc<CastFn>),
    /// By asking the typed provider.
    Call,
    /// By asking the many-type provider.
    Ask,
}

type CastFn = dyn Fn(&Instance, &mut dyn Any) + Send + Sync;

/// Releases the values that a function as provider has made.
pub(crate) trait AnyClose: Send + Sync {
    fn close(&self) -> BoxFuture<'static, Result<()>>;
}

impl Via {
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
    fn keep(&self, snapshot: Box<dyn Any + Send + Sync>) -> Option<(Instance, Arc<dyn Any + Send + Sync>)>;
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
            default_for: Vec::new(),
            order: 0,
            early: false,
            fallback: false,
            discovered: false,
            replace: false,
            after: Vec::new(),
            start_budget: None,
            stop_budget: None,
            early_end: None,
            when: Vec::new(),
            source: false,
            built_in: false,
            sites: Cow::Borrowed(&[]),
            offers: Vec::new(),
            with: Mutex::new(Vec::new()),
            has_with: false,
            share: None,
            on_close: None,
            body,
        }
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

    /// Takes it out of the graph: nothing of it is found, checked or run.
    pub(crate) fn take_out(&mut self, body: Body) {
        self.body = body;
        self.offers.clear();
        self.sites = Cow::Borrowed(&[]);
        self.name = None;
        self.after.clear();
        self.default_for.clear();
        (self.default, self.only_for_name, self.on_close) = (false, false, None);
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
