use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::bundle::Bundle;
use crate::node::{Body, Built, Make, Offer, Via};
use crate::table::{self, Hooks, Instance, Probe, offer, target};
use crate::target::{Arity, Site, SiteType, Target};
use crate::{
    AfterStart, AfterStop, BeforeInit, BeforeStart, BeforeStop, Close, Init, Inject, Lazy, NamedProvider,
    NoneParamProvider, Provider, Run, Sites, Spec, Start, Stop,
};

/// A spec that is made at run time: what `#[derive(Goner)]` reads off a struct is said by hand. For types that cannot carry the
/// derive, and for graphs that only the running program knows.
///
/// Sites are declared one by one, and taken in the same order by the function that constructs the goner. Of the hooks, those run
/// that are named here. It offers `Arc<T>`, and what [`offers`](SpecBuilder::offers) adds.
///
/// ```
/// # use gone_core::{SpecBuilder, AppBuilder, Init, Result, value};
/// # use std::sync::Arc;
/// struct Part { size: u32, whole: Option<Arc<Part>> }
/// impl Init for Part {
///     async fn init(&mut self) -> Result<()> { self.size += 1; Ok(()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let mut app = AppBuilder::new().load(value(7_u32));
/// for number in 0..3 {
///     let part = SpecBuilder::<Part>::new(|sites| Part { size: sites.take(), whole: sites.take() })
///         .one::<u32>("size", "")
///         .optional::<Arc<Part>>("whole", format!("part-{}", number + 1))
///         .init()
///         .build();
///     app = app.load(part.named(format!("part-{number}")));
/// }
/// let running = app.boot().await?;
/// let first: Arc<Part> = running.get_named("part-0")?;
/// assert_eq!(first.size, 8);
/// assert!(first.whole.is_some());
/// # running.stop().await
/// # }
/// ```
#[must_use = "a spec does nothing until it is built and loaded"]
pub struct SpecBuilder<T> {
    spec: Spec<T>,
    sites: Vec<Site>,
    built: Built,
}

impl<T> fmt::Debug for SpecBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpecBuilder").field("spec", &self.spec).field("sites", &self.sites).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> SpecBuilder<T> {
    /// Begins with the function that constructs the goner of what its sites were given. It must take each site, in the order in
    /// which they are declared, as the type that was declared; else it panics, which fails the boot.
    #[track_caller]
    pub fn new(construct: impl Fn(&mut Sites<'_>) -> T + Send + Sync + 'static) -> Self {
        let construct = Box::new(move |sites: &mut Sites<'_>| Arc::new(construct(sites)) as Instance);
        let built = Built { construct, hooks: Hooks::default(), provider: None };
        // The body is put in when all is said.
        let mut spec = Spec::new(std::any::type_name::<T>, Body::Displaced);
        spec.node.declared = Some(std::panic::Location::caller());
        spec.node.offers.push(Offer {
            target: Target::of::<Arc<T>>(),
            via: Via::Put(|instance, slot| offer::<T, Arc<T>>(instance, slot, |it| it)),
        });
        SpecBuilder { spec, sites: Vec::new(), built }
    }

    #[track_caller]
    fn site(
        mut self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
        ty: &'static SiteType,
    ) -> Self {
        self.sites.push(Site { field: field.into(), tag: tag.into(), ty, at: std::panic::Location::caller() });
        self
    }

    /// A site that takes one: `field` is what reports call it by, `tag` is what stands in `#[gone("…")]`.
    #[track_caller]
    pub fn one<S: Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.site(field, tag, const { &SiteType { target: Target::of::<S>(), arity: Arity::One, bundle: None } })
    }

    /// As [`one`](SpecBuilder::one), of a type that serde reads, so that a many-type provider such as the configuration can give
    /// it.
    #[track_caller]
    pub fn deserialized<S: serde::de::DeserializeOwned + Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        let ty =
            const { &SiteType { target: target::<S>(Probe::<S>::DESERIALIZE, None), arity: Arity::One, bundle: None } };
        self.site(field, tag, ty)
    }

    /// A site that takes one or none, as `Option<S>`.
    #[track_caller]
    pub fn optional<S: Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        let ty = const {
            &SiteType {
                target: target::<Option<S>>(None, Probe::<Option<S>>::ABSENT),
                arity: Probe::<Option<S>>::ARITY,
                bundle: None,
            }
        };
        self.site(field, tag, ty)
    }

    /// A site that takes all, as `Vec<S>`.
    #[track_caller]
    pub fn many<S: Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        let ty = const { &SiteType { target: Target::of::<Vec<S>>(), arity: Probe::<Vec<S>>::ARITY, bundle: None } };
        self.site(field, tag, ty)
    }

    /// A site that takes all that have a name, as `HashMap<String, S>`.
    #[track_caller]
    pub fn map<S: Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        let ty = const {
            &SiteType {
                target: Target::of::<HashMap<String, S>>(),
                arity: Probe::<HashMap<String, S>>::ARITY,
                bundle: None,
            }
        };
        self.site(field, tag, ty)
    }

    /// A site that is filled once everything is built, as `Lazy<S>`.
    #[track_caller]
    pub fn lazy<S: ?Sized + Send + Sync + 'static>(
        self,
        field: impl Into<Cow<'static, str>>,
        tag: impl Into<Cow<'static, str>>,
    ) -> Self {
        let ty = const { &SiteType { target: Target::of::<Lazy<S>>(), arity: Probe::<Lazy<S>>::ARITY, bundle: None } };
        self.site(field, tag, ty)
    }

    /// A bundle of sites, as `B`.
    #[track_caller]
    pub fn bundle<B: Inject>(self, field: impl Into<Cow<'static, str>>) -> Self {
        let ty = const { &SiteType { target: Target::of::<B>(), arity: Arity::One, bundle: Some(Bundle::of::<B>()) } };
        self.site(field, "", ty)
    }

    /// Offers it as a trait object as well: `.offers::<dyn Store>(|it| it)`.
    pub fn offers<U: ?Sized + Send + Sync + 'static>(mut self, cast: fn(Arc<T>) -> Arc<U>) -> Self {
        self.spec.node.offers.push(Offer::cast(cast));
        self
    }

    /// Makes the spec; its options, such as the name, are set on what this returns.
    pub fn build(self) -> Spec<T> {
        let SpecBuilder { mut spec, sites, built } = self;
        spec.node.sites = Cow::Owned(sites);
        spec.node.body = Body::Goner(Make::Built(Box::new(built)));
        spec
    }
}

macro_rules! hooks {
    ($($hook:ident: $trait:ident;)*) => {$(
        impl<T: $trait> SpecBuilder<T> {
            #[doc = concat!("Runs its [`", stringify!($trait), "`].")]
            pub fn $hook(mut self) -> Self {
                self.built.hooks.$hook = Some(table::$hook::<T>);
                self
            }
        }
    )*};
}
hooks! {
    before_init: BeforeInit;
    init: Init;
    before_start: BeforeStart;
    start: Start;
    after_start: AfterStart;
    run: Run;
    before_stop: BeforeStop;
    stop: Stop;
    after_stop: AfterStop;
    close: Close;
}

macro_rules! forms {
    ($($form:ident, $trait:ident, $constant:ident;)*) => {$(
        impl<T: $trait> SpecBuilder<T> {
            #[doc = concat!("It is a provider: its [`", stringify!($trait), "`] is asked. Of several forms the last one named stands.")]
            pub fn $form(mut self) -> Self {
                self.built.provider = Probe::<T>::$constant;
                self
            }
        }
    )*};
}
forms! {
    provider, Provider, PROVIDER;
    none_param_provider, NoneParamProvider, NONE_PARAM_PROVIDER;
    named_provider, NamedProvider, NAMED_PROVIDER;
}

impl<T: Provider<Output: Clone + Sync>> SpecBuilder<T> {
    /// It is a provider that makes one value for each extension text and hands out clones, as with `#[goner(share)]`.
    pub fn shared_provider(mut self) -> Self {
        self.built.provider = const { table::shared(Probe::<T>::PROVIDER, Probe::<T>::SHARE, None) };
        self
    }
}
