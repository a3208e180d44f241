//! What the derive macro says of a goner: one static table of data and erased function pointers, and what the macro needs
//! to make it. Nothing here is generic over a goner but the small functions that erase its type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use crate::bundle::{Bundle, Inject};
use crate::lazy::{Lazy, make};
use crate::target::{
    Arity, DeserializeFn, Element, LazyElement, Made, Site, Target, deserialize, gather_map, gather_option, gather_vec,
};
use crate::{
    AfterStart, AfterStop, BeforeInit, BeforeStart, BeforeStop, Close, CloseReport, Deadline, Given, Goner, Init,
    Location, NamedProvider, NoneParamProvider, Provider, Request, Result, Run, ShutdownToken, Sites, Sources, Start,
    Stop, Tag,
};

/// A goner (or value) whose type is erased.
pub type Instance = Arc<dyn Any + Send + Sync>;
type Erased = dyn Any + Send + Sync;
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Puts what an instance offers into an `Option<S>`.
pub type PutFn = fn(&Instance, &mut dyn Any);
type MutHook = for<'a> fn(&'a mut Erased) -> BoxFuture<'a, Result<()>>;
type RefHook = for<'a> fn(&'a Erased) -> BoxFuture<'a, Result<()>>;
type RunHook = for<'a> fn(&'a Erased, ShutdownToken) -> BoxFuture<'a, Result<()>>;
type CloseHook = for<'a> fn(&'a Erased, Deadline) -> BoxFuture<'a, Result<CloseReport>>;

/// All that the container knows of a goner's type.
#[derive(Debug)]
pub struct Table {
    /// The type's identity.
    pub id: TypeId,
    /// The type's full name.
    pub type_name: fn() -> &'static str,
    /// Where the struct is declared.
    pub at: Location,
    /// The path of the Rust module in which it is declared.
    pub module: &'static str,
    /// `#[goner(name = "…")]`.
    pub name: Option<&'static str>,
    /// `#[goner(auto)]`.
    pub auto: bool,
    /// The tagged fields, in the order of their declaration.
    pub sites: &'static [Site],
    /// `Arc<Self>`, then one for each `#[goner(offers(…))]`.
    pub offers: &'static [OfferEntry],
    /// Takes what was gathered for the sites and makes the struct.
    pub construct: fn(&mut Sites<'_>) -> Instance,
    /// The hooks that the goner implements.
    pub hooks: Hooks,
    /// The provider form that it implements.
    pub provider: Option<Form>,
}

/// One type that a goner offers.
#[derive(Clone, Copy, Debug)]
pub struct OfferEntry {
    /// The whole type: `Arc<dyn Trait>`.
    pub target: Target,
    /// How to make it of the goner.
    pub put: PutFn,
}

/// The hooks of a goner; a missing one is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hooks {
    /// [`BeforeInit`]
    pub before_init: Option<MutHook>,
    /// [`Init`]
    pub init: Option<MutHook>,
    /// [`BeforeStart`]
    pub before_start: Option<RefHook>,
    /// [`Start`]
    pub start: Option<RefHook>,
    /// [`AfterStart`]
    pub after_start: Option<RefHook>,
    /// [`Run`]
    pub run: Option<RunHook>,
    /// [`BeforeStop`]
    pub before_stop: Option<RefHook>,
    /// [`Stop`]
    pub stop: Option<RefHook>,
    /// [`AfterStop`]
    pub after_stop: Option<RefHook>,
    /// [`Close`]
    pub close: Option<CloseHook>,
}

/// Which kind of provider a goner is.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Makes values of one type.
    Typed {
        /// The type.
        output: Target,
        /// The check in the plan.
        accepts: fn(&Tag, &Sources) -> Result<()>,
        /// The call.
        call: for<'a> fn(&'a Erased, &'a Tag) -> BoxFuture<'a, Result<Made>>,
        /// For `#[goner(share)]`.
        share: Option<Share>,
    },
    /// Answers by name, for many types.
    Named {
        /// The check in the plan.
        accepts: fn(&Target, &Tag, &Sources) -> Result<()>,
        /// The call.
        call: for<'a> fn(&'a Erased, &'a Tag, Request<'a>) -> BoxFuture<'a, Result<Given>>,
    },
}

/// How a made value becomes one that is kept and cloned.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub(crate) keep: fn(Made) -> Option<Instance>,
    pub(crate) put: PutFn,
}

/// Puts an `Arc<T>` that is made of the goner `T` by a cast into an `Option<S>`.
pub fn offer<T: Send + Sync + 'static, S: 'static>(instance: &Instance, slot: &mut dyn Any, cast: fn(Arc<T>) -> S) {
    if let (Ok(goner), Some(slot)) = (Arc::clone(instance).downcast::<T>(), slot.downcast_mut::<Option<S>>()) {
        *slot = Some(cast(goner));
    }
}

/// Puts a goner itself into an `Option<Arc<T>>`.
pub fn own<T: Send + Sync + 'static>(instance: &Instance, slot: &mut dyn Any) {
    let Some(slot @ None) = slot.downcast_mut::<Option<Arc<T>>>() else { return };
    match Arc::clone(instance).downcast::<T>() {
        // The slot was empty. Written so, nothing here drops an `Arc<T>`, which would be a third of all the code of a goner.
        Ok(goner) => std::mem::forget(slot.replace(goner)),
        Err(other) => drop(other),
    }
}

/// Puts a clone of a value into an `Option<T>`.
pub(crate) fn put_clone<T: Clone + 'static>(instance: &Instance, slot: &mut dyn Any) {
    if let (Some(value), Some(slot)) = (instance.downcast_ref::<T>(), slot.downcast_mut::<Option<T>>()) {
        *slot = Some(value.clone());
    }
}

impl Share {
    /// Of values of this type.
    pub(crate) const fn of<T: Clone + Send + Sync + 'static>() -> Self {
        Share { keep: keep::<T>, put: put_clone::<T> }
    }
}

fn keep<T: Send + Sync + 'static>(made: Made) -> Option<Instance> {
    made.downcast::<T>().ok().map(|value| Arc::<T>::from(value) as Instance)
}

/// Erases a hook: the goner's type is checked, and is what the table says.
macro_rules! erase {
    ($name:ident, $trait:ident, $method:ident, $erased:ty, $downcast:ident) => {
        /// The erased hook.
        pub fn $name<T: $trait>(goner: $erased) -> BoxFuture<'_, Result<()>> {
            match goner.$downcast::<T>() {
                Some(goner) => Box::pin(goner.$method()),
                None => Box::pin(std::future::ready(Err(foreign::<T>()))),
            }
        }
    };
}
erase!(before_init, BeforeInit, before_init, &mut Erased, downcast_mut);
erase!(init, Init, init, &mut Erased, downcast_mut);
erase!(before_start, BeforeStart, before_start, &Erased, downcast_ref);
erase!(start, Start, start, &Erased, downcast_ref);
erase!(after_start, AfterStart, after_start, &Erased, downcast_ref);
erase!(before_stop, BeforeStop, before_stop, &Erased, downcast_ref);
erase!(stop, Stop, stop, &Erased, downcast_ref);
erase!(after_stop, AfterStop, after_stop, &Erased, downcast_ref);

/// The erased hook.
pub fn run<T: Run>(goner: &Erased, shutdown: ShutdownToken) -> BoxFuture<'_, Result<()>> {
    match goner.downcast_ref::<T>() {
        Some(goner) => Box::pin(goner.run(shutdown)),
        None => Box::pin(std::future::ready(Err(foreign::<T>()))),
    }
}

/// The erased hook.
pub fn close<T: Close>(goner: &Erased, deadline: Deadline) -> BoxFuture<'_, Result<CloseReport>> {
    match goner.downcast_ref::<T>() {
        Some(goner) => Box::pin(goner.close(deadline)),
        None => Box::pin(std::future::ready(Err(foreign::<T>()))),
    }
}

fn foreign<T>() -> crate::Error {
    crate::Error::msg(format_args!(
        "the table of `{}` was used for a goner of another type",
        std::any::type_name::<T>()
    ))
}

fn call_provider<'a, T: Provider>(goner: &'a Erased, tag: &'a Tag) -> BoxFuture<'a, Result<Made>> {
    Box::pin(async move {
        let goner = goner.downcast_ref::<T>().ok_or_else(foreign::<T>)?;
        Ok(Box::new(goner.provide(tag).await?) as Made)
    })
}

fn call_none_param<'a, T: NoneParamProvider>(goner: &'a Erased, _: &'a Tag) -> BoxFuture<'a, Result<Made>> {
    Box::pin(async move {
        let goner = goner.downcast_ref::<T>().ok_or_else(foreign::<T>)?;
        Ok(Box::new(goner.provide().await?) as Made)
    })
}

fn call_named<'a, T: NamedProvider>(
    goner: &'a Erased,
    tag: &'a Tag,
    request: Request<'a>,
) -> BoxFuture<'a, Result<Given>> {
    Box::pin(async move {
        let goner = goner.downcast_ref::<T>().ok_or_else(foreign::<T>)?;
        goner.provide(tag, request).await
    })
}

/// Detection by type: an inherent constant of `Probe<…>` wins over the [`Fallback`] of the same name, so that what a type
/// is and implements becomes constant data. It sees only the bounds that the probing code has: see the derive's docs on
/// generic goners.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(std::marker::PhantomData<T>);

/// What a probe says of a type that has nothing of what is asked.
pub trait Fallback {
    /// Not a wrapper.
    const ARITY: Arity = Arity::One;
    /// Not a goner that compiles.
    const TABLE: Option<&'static Table> = None;
    /// Not a bundle.
    const BUNDLE: Option<Bundle> = None;
    /// Not an `Option`.
    const ABSENT: Option<fn() -> Made> = None;
    /// Not `Deserialize`.
    const DESERIALIZE: Option<DeserializeFn> = None;
    /// No hook.
    const BEFORE_INIT: Option<MutHook> = None;
    /// No hook.
    const INIT: Option<MutHook> = None;
    /// No hook.
    const BEFORE_START: Option<RefHook> = None;
    /// No hook.
    const START: Option<RefHook> = None;
    /// No hook.
    const AFTER_START: Option<RefHook> = None;
    /// No hook.
    const RUN: Option<RunHook> = None;
    /// No hook.
    const BEFORE_STOP: Option<RefHook> = None;
    /// No hook.
    const STOP: Option<RefHook> = None;
    /// No hook.
    const AFTER_STOP: Option<RefHook> = None;
    /// No hook.
    const CLOSE: Option<CloseHook> = None;
    /// Not a provider.
    const PROVIDER: Option<Form> = None;
    /// Not a provider.
    const NONE_PARAM_PROVIDER: Option<Form> = None;
    /// Not a provider.
    const NAMED_PROVIDER: Option<Form> = None;
    /// Not a provider whose output can be cloned.
    const SHARE: Option<Share> = None;
    /// Not a provider whose output can be cloned.
    const SHARE_NONE_PARAM: Option<Share> = None;
}
impl<T: ?Sized> Fallback for Probe<T> {}

fn absent<S: Send + 'static>() -> Made {
    Box::new(None::<S>)
}

impl<S: Send + 'static> Probe<Option<S>> {
    /// Takes one or none.
    pub const ARITY: Arity = Arity::Optional(Element { target: Target::of::<S>(), gather: gather_option::<S> });
    /// `None`.
    pub const ABSENT: Option<fn() -> Made> = Some(absent::<S>);
}

impl<S: Send + 'static> Probe<Vec<S>> {
    /// Takes all.
    pub const ARITY: Arity = Arity::Many(Element { target: Target::of::<S>(), gather: gather_vec::<S> });
}

impl<S: Send + 'static> Probe<HashMap<String, S>> {
    /// Takes all that have a name.
    pub const ARITY: Arity = Arity::Named(Element { target: Target::of::<S>(), gather: gather_map::<S> });
}

impl<T: ?Sized + Send + Sync + 'static> Probe<Lazy<T>> {
    /// Takes one, later.
    pub const ARITY: Arity = Arity::Lazy(LazyElement { target: Target::of::<Arc<T>>(), make: make::<T> });
}

impl<T: Goner> Probe<T> {
    /// What is known of a goner.
    pub const TABLE: Option<&'static Table> = Some(T::TABLE);
}

impl<B: Inject> Probe<B> {
    /// A bundle.
    pub const BUNDLE: Option<Bundle> = Some(Bundle::of::<B>());
}

impl<T: serde::de::DeserializeOwned + Send + 'static> Probe<T> {
    /// Read by serde.
    pub const DESERIALIZE: Option<DeserializeFn> = Some(deserialize::<T>);
}

macro_rules! probe_hook {
    ($($trait:ident: $constant:ident, $hook:ty = $erased:ident;)*) => {$(
        impl<T: $trait> Probe<T> {
            /// The hook.
            pub const $constant: Option<$hook> = Some($erased::<T>);
        }
    )*};
}
probe_hook! {
    BeforeInit: BEFORE_INIT, MutHook = before_init;
    Init: INIT, MutHook = init;
    BeforeStart: BEFORE_START, RefHook = before_start;
    Start: START, RefHook = start;
    AfterStart: AFTER_START, RefHook = after_start;
    Run: RUN, RunHook = run;
    BeforeStop: BEFORE_STOP, RefHook = before_stop;
    Stop: STOP, RefHook = stop;
    AfterStop: AFTER_STOP, RefHook = after_stop;
    Close: CLOSE, CloseHook = close;
}

impl<T: Provider> Probe<T> {
    /// The form.
    pub const PROVIDER: Option<Form> = Some(Form::Typed {
        output: Target::of::<T::Output>(),
        accepts: T::accepts,
        call: call_provider::<T>,
        share: None,
    });
}

impl<T: NoneParamProvider> Probe<T> {
    /// The form.
    pub const NONE_PARAM_PROVIDER: Option<Form> = Some(Form::Typed {
        output: Target::of::<T::Output>(),
        accepts: accept_all,
        call: call_none_param::<T>,
        share: None,
    });
}

fn accept_all(_: &Tag, _: &Sources) -> Result<()> {
    Ok(())
}

impl<T: NamedProvider> Probe<T> {
    /// The form.
    pub const NAMED_PROVIDER: Option<Form> = Some(Form::Named { accepts: T::accepts, call: call_named::<T> });
}

impl<T: Provider<Output: Clone + Sync>> Probe<T> {
    /// How its values are shared.
    pub const SHARE: Option<Share> = Some(Share::of::<T::Output>());
}

impl<T: NoneParamProvider<Output: Clone + Sync>> Probe<T> {
    /// How its values are shared.
    pub const SHARE_NONE_PARAM: Option<Share> = Some(Share::of::<T::Output>());
}

/// The one provider form of a goner. Two are refused here, in the user's compile.
pub const fn one_form(typed: Option<Form>, none_param: Option<Form>, named: Option<Form>) -> Option<Form> {
    match (typed, none_param, named) {
        (None, None, None) => None,
        (Some(form), None, None) | (None, Some(form), None) | (None, None, Some(form)) => Some(form),
        _ => panic!("a goner has one provider form: implement one of Provider, NoneParamProvider, NamedProvider"),
    }
}

/// The form with its values shared. What cannot be shared is refused here, in the user's compile.
pub const fn shared(form: Option<Form>, typed: Option<Share>, none_param: Option<Share>) -> Option<Form> {
    match (form, typed, none_param) {
        (Some(Form::Typed { output, accepts, call, .. }), Some(share), None)
        | (Some(Form::Typed { output, accepts, call, .. }), None, Some(share)) => {
            Some(Form::Typed { output, accepts, call, share: Some(share) })
        }
        _ => panic!("#[goner(share)] is for a Provider or NoneParamProvider whose Output is Clone + Sync"),
    }
}

/// An offer of a goner.
pub type Offered<T> = Arc<T>;

/// Where it is called.
#[track_caller]
pub const fn here() -> Location {
    std::panic::Location::caller()
}

/// The target of a site, with what is known of its type.
pub const fn target<T: Send + 'static>(deserialize: Option<DeserializeFn>, absent: Option<fn() -> Made>) -> Target {
    Target::of::<T>().with(deserialize, absent)
}

/// A value on its way to its site.
pub fn made<T: Send + 'static>(value: T) -> Made {
    Box::new(value)
}

/// Sites and offers must be able to cross threads: the derive macro asks it of each, once, at the user's type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected",
    label = "not `Send + Sync + 'static`",
    note = "what is injected crosses threads: use `Arc` for `Rc`, a lock for `RefCell`, and give an injectable trait the supertraits `Send + Sync`"
)]
pub trait Injectable: Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> Injectable for T {}

/// See [`Injectable`].
pub const fn injectable<T: ?Sized + Injectable>() {}

/// As [`Injectable`], of the fields that are not sites.
#[diagnostic::on_unimplemented(
    message = "a goner cannot hold `{Self}`",
    label = "not `Send + Sync + 'static`",
    note = "a goner is shared between threads: use an atomic or a lock for `Cell` and `RefCell`, `Arc` for `Rc`"
)]
pub trait Held: Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> Held for T {}

/// What a field without a tag takes.
#[diagnostic::on_unimplemented(
    message = "a field without a tag takes its `Default`, and `{Self}` has none",
    label = "did you mean to tag this field `#[gone]`?",
    note = "a field is filled by the container with `#[gone]` or `#[gone(\"name\")]`; without a tag its type needs `Default`"
)]
pub trait Untagged: Sized {
    /// Its default.
    fn untagged() -> Self;
}
#[diagnostic::do_not_recommend]
impl<T: Default> Untagged for T {
    fn untagged() -> Self {
        T::default()
    }
}

/// See [`Untagged`].
pub fn untagged<T: Untagged>() -> T {
    T::untagged()
}

/// See [`Held`].
pub const fn held<T: ?Sized + Held>() {}

macro_rules! must_be_listed {
    ($($guard:ident for $trait:ident: $how:literal;)*) => {$(
        #[doc = concat!("Implemented for whatever implements [`", stringify!($trait), "`], and by the derive of a generic goner that does not list it, so that both at once do not compile: add `", $how, "`.")]
        pub trait $guard {}
        impl<T: $trait> $guard for T {}
    )*};
}
must_be_listed! {
    BeforeInitMustBeListedInGonerHooks for BeforeInit: "#[goner(hooks(BeforeInit))]";
    InitMustBeListedInGonerHooks for Init: "#[goner(hooks(Init))]";
    BeforeStartMustBeListedInGonerHooks for BeforeStart: "#[goner(hooks(BeforeStart))]";
    StartMustBeListedInGonerHooks for Start: "#[goner(hooks(Start))]";
    AfterStartMustBeListedInGonerHooks for AfterStart: "#[goner(hooks(AfterStart))]";
    RunMustBeListedInGonerHooks for Run: "#[goner(hooks(Run))]";
    BeforeStopMustBeListedInGonerHooks for BeforeStop: "#[goner(hooks(BeforeStop))]";
    AfterStopMustBeListedInGonerHooks for AfterStop: "#[goner(hooks(AfterStop))]";
    StopMustBeListedInGonerHooks for Stop: "#[goner(hooks(Stop))]";
    CloseMustBeListedInGonerHooks for Close: "#[goner(hooks(Close))]";
    ProviderMustBeListedInGoner for Provider: "#[goner(provider)]";
    NoneParamProviderMustBeListedInGoner for NoneParamProvider: "#[goner(none_param_provider)]";
    NamedProviderMustBeListedInGoner for NamedProvider: "#[goner(named_provider)]";
}
