use std::any::Any;
use std::borrow::Cow;
use std::marker::PhantomData;

use crate::Result;
use crate::slots::Sites;
use crate::table::BoxFuture;
use crate::target::{Arity, Made, Site, SiteType, Target};
use crate::{Injected, ProviderFn};

/// A struct of sites that is no goner: what several goners or functions ask for together. Implemented by `#[derive(Inject)]` only.
///
/// As a tagged field of a goner its sites are filled as if they were the goner's own, and are checked in the plan like these.
/// As the one parameter of the function given to `run_with` or `provide_with`, it lets a function ask by name, for an `Option`, for
/// all of a kind, or by `Lazy`. A bundle has no hooks and is made anew for whoever asks. (contract container A-47, A-81, A-90)
///
/// ```
/// use std::sync::Arc;
///
/// use gone::prelude::*;
/// # struct Store(&'static str);
///
/// #[derive(Inject)]
/// struct Stores {
///     #[gone("primary")]
///     primary: Arc<Store>,
///     #[gone("replica-*")]
///     replicas: Vec<Arc<Store>>,
///     #[gone]
///     label: Option<String>,
/// }
///
/// #[derive(Goner)]
/// struct Reports {
///     #[gone]
///     stores: Stores,
/// }
///
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// let store = |name| value(Arc::new(Store(name))).named(name);
/// Gone::load((store("primary"), store("replica-1"), store("replica-2"), Reports::goner()))
///     .run_with(async |stores: Stores| {
///         assert_eq!((stores.primary.0, stores.replicas.len(), stores.label), ("primary", 2, None));
///         Ok(())
///     })
///     .await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bundle of sites",
    note = "put `#[derive(Inject)]` on it, and `#[gone]` on its fields"
)]
pub trait Inject: Sized + Send + 'static {
    #[doc(hidden)]
    const SITES: &'static [Site];
    #[doc(hidden)]
    fn fill(slots: &mut Sites<'_>) -> Self;
}

/// How a site of a bundle's type is filled.
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    pub(crate) sites: &'static [Site],
    pub(crate) make: fn(&mut Sites<'_>, &mut dyn Any),
}

impl Bundle {
    /// The bundle of a type.
    pub const fn of<B: Inject>() -> Self {
        Bundle { sites: B::SITES, make: make::<B> }
    }
}

fn make<B: Inject>(slots: &mut Sites<'_>, slot: &mut dyn Any) {
    let bundle = B::fill(slots);
    if let Some(slot) = slot.downcast_mut::<Option<B>>() {
        *slot = Some(bundle);
    }
}

/// The sites with those of bundles after them, in the order in which they are filled.
pub(crate) fn flatten(sites: &[Site], is_bundle: &dyn Fn(&Site) -> bool, out: &mut Vec<Site>) {
    for site in sites {
        out.push(site.clone());
        if let Some(bundle) = site.ty.bundle.filter(|_| is_bundle(site)) {
            flatten(bundle.sites, is_bundle, out);
        }
    }
}

/// A function whose one parameter is a bundle.
#[derive(Debug)]
pub struct With<F, B>(F, PhantomData<fn() -> B>);

/// Marks what [`With`] is injected with.
#[derive(Debug)]
pub struct Bundled<B>(PhantomData<B>);

impl<F, B> With<F, B> {
    pub(crate) fn new(function: F) -> Self {
        With(function, PhantomData)
    }
}

fn parameter<B: Inject>() -> Cow<'static, [Site]> {
    Cow::Owned(vec![Site {
        field: Cow::Borrowed("parameter 1"),
        tag: Cow::Borrowed(""),
        ty: const { &SiteType { target: Target::of::<B>(), arity: Arity::One, bundle: Some(Bundle::of::<B>()) } },
        at: std::panic::Location::caller(),
    }])
}

impl<F, B, R> Injected<Bundled<B>> for With<F, B>
where
    F: AsyncFnOnce(B) -> R,
    B: Inject,
{
    type Output = R;
    fn sites() -> Cow<'static, [Site]> {
        parameter::<B>()
    }
    fn call(self, arguments: &mut Sites<'_>) -> impl Future<Output = R> + use<F, B, R> {
        let bundle = arguments.take::<B>();
        (self.0)(bundle)
    }
}

impl<F, B, Fut, T> ProviderFn<Bundled<B>> for With<F, B>
where
    F: Fn(B) -> Fut + Send + Sync + 'static,
    B: Inject,
    Fut: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    type Output = T;
    fn sites() -> Cow<'static, [Site]> {
        parameter::<B>()
    }
    fn output() -> Target {
        Target::of::<T>()
    }
    fn call(&self, arguments: &mut Sites<'_>) -> BoxFuture<'static, Result<Made>> {
        let made = (self.0)(arguments.take::<B>());
        Box::pin(async move { Ok(Box::new(made.await?) as Made) })
    }
}
