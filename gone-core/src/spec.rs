use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::function::{Blocking, OnThread, ProviderFn};
use crate::node::{AnyClose, AnyFunction, AnySource, Body, Node, Offer, Via, When};
use crate::slots::Sites;
use crate::source::Held;
use crate::table::{BoxFuture, Instance, Share, put_clone};
use crate::target::{Made, Target};
use crate::unwind::caught;
use crate::{Bundled, Condition, EarlyEnd, Error, Goner, Inject, Result, Source, Sources, With};

/// Something to load, with its options: of a goner (`T::goner()`), a [`value`], a [`provide`] function, or a [`source`].
#[must_use = "a spec does nothing until it is loaded"]
pub struct Spec<T> {
    pub(crate) node: Node,
    pub(crate) of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Spec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Node { name, order, .. } = &self.node;
        f.debug_struct("Spec")
            .field("of", &self.node.label())
            .field("name", name)
            .field("order", order)
            .finish_non_exhaustive()
    }
}

/// Marks the spec of a ready value.
#[derive(Debug)]
pub struct Value<T>(PhantomData<T>);
/// Marks the spec of a function as provider.
#[derive(Debug)]
pub struct Provide<F, A>(PhantomData<(F, A)>);
/// Marks the spec of a source.
#[derive(Debug)]
pub struct Read<S>(PhantomData<S>);

impl<T> Spec<T> {
    pub(crate) fn new(type_name: fn() -> &'static str, body: Body) -> Self {
        Spec::of(Node::new(type_name, body))
    }

    pub(crate) fn of(node: Node) -> Self {
        Spec { node, of: PhantomData }
    }

    /// Gives it this name, verbatim. Takes the place of `#[goner(name = "…")]`. Two of one name are an error of the plan.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.node.name = Some(name.into());
        self
    }

    /// Hides it from every site that asks by type, by glob, or for all: it is found by its exact name only.
    pub fn only_for_name(mut self) -> Self {
        self.node.only_for_name = true;
        self
    }

    /// Prefers it, for each type that it offers, when a single site has several to choose from. Two defaults of one type
    /// are an error of the plan. A default stays an offer for sites that take all.
    pub fn default(mut self) -> Self {
        self.node.default = true;
        self
    }

    /// As [`default`](Spec::default), for one type: the site's type in full, such as `Arc<dyn Store>`. On a many-type
    /// provider it also offers that type, so that sites can ask for it by type.
    pub fn default_for<S: Send + 'static>(mut self) -> Self {
        self.node.rare_mut().default_for.push(Target::of::<S>());
        self
    }

    /// Its place where order matters and nothing else decides: in a `Vec` that takes all, and between goners that have no
    /// path between them, where all of a lower order have started before one of a higher begins. Unless said it is 0; equal
    /// ones keep the load order in a `Vec` and start concurrently. A dependency wins over the order.
    pub fn order(mut self, order: i32) -> Self {
        self.node.order = order;
        self
    }

    /// Takes the place of what is loaded under the same name or, without a name, of what offers the same. What is replaced is gone as
    /// if it had never been loaded: it is not checked, read, constructed or run. The place in the load order is the old one's.
    /// Replacing what is not there, or what several would fit, is an error of the plan.
    pub fn replace(mut self) -> Self {
        self.node.replace = true;
        self
    }

    /// Comes after whatever offers `S`, the site's type in full, in a `Vec` and in the start order, as if by a need. A contradiction
    /// is an error of the plan; that nothing offers `S` is not.
    pub fn after<S: Send + 'static>(mut self) -> Self {
        self.node.rare_mut().after.push(Target::of::<S>());
        self
    }

    /// How long each of its hooks may take while building and starting, in place of [`Options::start_hook`](crate::Options), and
    /// each call of it as a sharing provider.
    pub fn start_budget(mut self, budget: Duration) -> Self {
        self.node.rare_mut().start_budget = Some(budget);
        self
    }

    /// How long each of its hooks may take while stopping and closing, in place of [`Options::stop_hook`](crate::Options). The budget
    /// of the whole shutdown stands above it.
    pub fn stop_budget(mut self, budget: Duration) -> Self {
        self.node.rare_mut().stop_budget = Some(budget);
        self
    }

    /// What it means that its background task returns `Ok` before it was told to end, in place of
    /// [`Options::early_end`](crate::Options).
    pub fn early_end(mut self, early_end: EarlyEnd) -> Self {
        self.node.rare_mut().early_end = Some(early_end);
        self
    }

    /// Loads it only if this holds, and if all other conditions of it do: a pure function of what the sources held before the
    /// plan. It is not asked again. What is left out is gone as if it had never been loaded; a report that misses it says why. A
    /// source has no conditions: it is read before them.
    #[track_caller]
    pub fn when(mut self, condition: impl Condition) -> Self {
        self.node.rare_mut().when.push(When { condition: Box::new(condition), at: std::panic::Location::caller() });
        self
    }

    /// Builds it, and what it needs, before everything else, and closes it after everything else: for logs and telemetry,
    /// which others use without asking for them. Nothing else can be built meanwhile, so its hooks of construction run on the
    /// booting task itself until they first wait: one that never does costs no task, and one that blocks its thread is found
    /// late only when it returns.
    pub fn early(mut self) -> Self {
        self.node.early = true;
        self
    }
}

impl<T: Goner> Spec<T> {
    /// Changes the goner after its sites are filled, before `before_init`. A panic fails the boot.
    pub fn with(mut self, change: impl FnOnce(&mut T) + Send + 'static) -> Self {
        let with = self.node.rare_mut().with.get_mut().unwrap_or_else(PoisonError::into_inner);
        with.push(Box::new(move |goner| {
            if let Some(goner) = goner.downcast_mut::<T>() {
                change(goner);
            }
        }));
        self
    }

    /// Offers it as a trait object as well: `.offers::<dyn Store>(|it| it)`. `#[goner(offers(dyn Store))]` does the same where
    /// the struct is declared.
    pub fn offers<U: ?Sized + Send + Sync + 'static>(mut self, cast: fn(Arc<T>) -> Arc<U>) -> Self {
        self.node.offers.push(Offer::cast(cast));
        self
    }
}

/// A ready value. It offers exactly its own type and hands out clones; share one with `value(Arc::new(it))`. It is not the
/// container's to close.
pub fn value<T: Clone + Send + Sync + 'static>(value: T) -> Spec<Value<T>> {
    let mut spec = Spec::new(std::any::type_name::<T>, Body::Ready(Arc::new(value)));
    spec.node.offers.push(Offer { target: Target::of::<T>(), via: Via::Put(put_clone::<T>) });
    spec
}

/// A function or closure as provider: its parameters are injected, anew for each call, and what it returns is offered by type.
/// A parameter of type [`Tag`](crate::Tag) is the asking site's tag.
///
/// ```
/// # use gone_core::{provide, Spec, Result};
/// # use std::sync::Arc;
/// # struct Settings { url: String }
/// # #[derive(Clone)] struct Client;
/// # impl Client { async fn connect(_: &str) -> Result<Client> { Ok(Client) } }
/// let spec = provide(|settings: Arc<Settings>| async move { Client::connect(&settings.url).await });
/// # let _ = spec;
/// ```
pub fn provide<F, A>(function: F) -> Spec<Provide<F, A>>
where
    F: ProviderFn<A>,
    A: 'static,
{
    struct Erased<F, A>(F, PhantomData<fn() -> A>);
    impl<F: ProviderFn<A>, A> AnyFunction for Erased<F, A> {
        fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>> {
            self.0.call(arguments)
        }
    }
    let mut spec = Spec::new(std::any::type_name::<F>, Body::Function(Arc::new(Erased(function, PhantomData))));
    spec.node.sites = F::sites();
    spec.node.offers.push(Offer { target: F::output(), via: Via::Call });
    spec
}

impl<F, A> Spec<Provide<F, A>>
where
    F: ProviderFn<A, Output: Clone + Send + Sync>,
{
    /// Calls the function once for each extension text, while the application is built, and hands out clones: one pool for all who ask. The
    /// same as `#[goner(share)]` on a provider. (contract container A-77)
    pub fn share(mut self) -> Self {
        self.node.rare_mut().share = Some(Share::of::<F::Output>());
        self
    }

    /// Releases each value that the function has made, when the application closes: after what uses it, the last made first, in the
    /// budget of one `close`, past which the future is dropped. A clone of each value is kept for it until then, also of what
    /// [`make`](crate::Running::make) asked for. What fails is collected, and the others are released.
    pub fn on_close<Fut>(mut self, close: impl Fn(F::Output) -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        if let Body::Function(function) = self.node.body {
            let kept: Arc<Mutex<Vec<F::Output>>> = Arc::default();
            self.node.body = Body::Function(Arc::new(Keeping { function, kept: Arc::clone(&kept) }));
            self.node.rare_mut().on_close = Some(Arc::new(Releasing { kept, close: Arc::new(close) }));
        }
        self
    }
}

/// A function as provider that keeps what it makes.
struct Keeping<T> {
    function: Arc<dyn AnyFunction>,
    kept: Arc<Mutex<Vec<T>>>,
}

impl<T: Clone + Send + Sync + 'static> AnyFunction for Keeping<T> {
    fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>> {
        let (made, kept) = (self.function.call(arguments), Arc::clone(&self.kept));
        Box::pin(async move {
            let made = made.await?;
            if let Some(value) = made.downcast_ref::<T>() {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(value.clone());
            }
            Ok(made)
        })
    }
}

/// Releases what was kept.
struct Releasing<T, C> {
    kept: Arc<Mutex<Vec<T>>>,
    close: Arc<C>,
}

impl<T, C, Fut> AnyClose for Releasing<T, C>
where
    T: Send + Sync + 'static,
    C: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    fn close(&self) -> BoxFuture<'static, Result<()>> {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        let close = Arc::clone(&self.close);
        Box::pin(async move {
            let mut errors = Vec::new();
            for value in kept.into_iter().rev() {
                errors.extend(caught(async { close(value).await }).await.err());
            }
            Error::first_of(errors)
        })
    }
}

/// As [`provide`], for a function whose one parameter is a [bundle](Inject) of sites: so it can ask by name, for an `Option`, or for all
/// of a kind.
pub fn provide_with<F, B, Fut, T>(function: F) -> Spec<Provide<With<F, B>, Bundled<B>>>
where
    F: Fn(B) -> Fut + Send + Sync + 'static,
    B: Inject,
    Fut: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    provide(With::new(function))
}

/// As [`provide`], for a function that is not async and blocks its thread: it runs on a thread of the runtime's blocking pool, so that
/// others go on meanwhile.
///
/// A call that is dropped, or past its budget, cannot be interrupted: the thread goes on to its end, and what it makes then is dropped.
/// (contract container C-69)
pub fn provide_blocking<F, A>(function: F) -> Spec<Provide<Blocking<F>, OnThread<A>>>
where
    Blocking<F>: ProviderFn<OnThread<A>>,
    A: 'static,
{
    provide(Blocking::new(function))
}

/// A source: read once, before the plan.
pub fn source<S: Source>(source: S) -> Spec<Read<S>> {
    struct Erased<S>(S);
    impl<S: Source> AnySource for Erased<S> {
        fn snapshot_id(&self) -> TypeId {
            TypeId::of::<S::Snapshot>()
        }
        fn read(&self) -> Result<Box<dyn Any + Send + Sync>> {
            Ok(Box::new(self.0.read()?))
        }
        fn open<'a>(
            &'a self,
            local: Box<dyn Any + Send + Sync>,
            sources: &'a Sources,
        ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>> {
            Box::pin(async move {
                match local.downcast::<S::Snapshot>() {
                    Ok(local) => Ok(Box::new(self.0.open(*local, sources).await?) as Box<dyn Any + Send + Sync>),
                    Err(other) => Ok(other),
                }
            })
        }
        fn keep(&self, snapshot: Box<dyn Any + Send + Sync>) -> Option<(Instance, Held)> {
            let snapshot: Arc<S::Snapshot> = Arc::from(snapshot.downcast::<S::Snapshot>().ok()?);
            Some((Arc::new(Arc::clone(&snapshot)), Held::of::<S>(snapshot)))
        }
    }
    let mut spec = Spec::new(std::any::type_name::<S>, Body::Source(Arc::new(Erased(source))));
    spec.node
        .offers
        .push(Offer { target: Target::of::<Arc<S::Snapshot>>(), via: Via::Put(put_clone::<Arc<S::Snapshot>>) });
    spec
}
