use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use crate::app::Parts;
use crate::run::located;
use crate::{Code, ConfigDump, Error, Inject, Injected, Result, With};

/// Lookups on the running application, for goners that cannot say in a field what they need: `#[gone] handle: Handle`.
///
/// It holds the application weakly, so that no goner keeps its own application alive. All handles of an application are the same.
/// (contract container A-45, C-19, C-94)
///
/// ```
/// use std::sync::Arc;
///
/// use gone::prelude::*;
/// # struct Import(String);
///
/// /// Which import a request means, only the request knows.
/// #[derive(Goner)]
/// struct Imports {
///     #[gone]
///     handle: Handle,
/// }
///
/// impl Imports {
///     fn of_kind(&self, kind: &str) -> gone::Result<Arc<Import>> {
///         self.handle.get_named(&format!("import-{kind}"))
///     }
///
///     fn is_ready(&self) -> bool {
///         self.handle.is_ready()
///     }
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let csv = value(Arc::new(Import("csv".to_owned()))).named("import-csv");
/// #     Gone::load((csv, Imports::goner())).run(async |imports: Arc<Imports>| {
/// #         assert!(imports.is_ready() && imports.of_kind("xml").is_err());
/// #         assert_eq!(imports.of_kind("csv")?.0, "csv");
/// #         Ok(())
/// #     }).await
/// # }
/// ```
#[derive(Clone)]
pub struct Handle(Arc<OnceLock<Weak<Parts>>>);

impl Handle {
    pub(crate) fn new() -> Self {
        Handle(Arc::default())
    }

    pub(crate) fn set(&self, parts: &Arc<Parts>) {
        // A plan is built once.
        let _ = self.0.set(Arc::downgrade(parts));
    }

    fn parts(&self) -> Result<Arc<Parts>> {
        let parts = self.0.get().ok_or_else(|| StateError::NotReady.into_error())?;
        parts.upgrade().ok_or_else(|| StateError::Closed.into_error())
    }

    /// What is offered for the type `S`, the site's type in full: `handle.get::<Arc<Store>>()`.
    ///
    /// # Errors
    /// `gone::missing`, `gone::ambiguous`, or `gone::state` for what only a provider offers; `gone::state` with a [`StateError`] as its source before everything is built,
    /// while the application stops, and after its end.
    pub fn get<S: Send + 'static>(&self) -> Result<S> {
        self.parts()?.get()
    }

    /// As [`get`](Handle::get), with `None` where nothing offers it.
    ///
    /// # Errors
    /// `gone::ambiguous`, or `gone::state` as from [`get`](Handle::get).
    pub fn try_get<S: Send + 'static>(&self) -> Result<Option<S>> {
        self.parts()?.try_get()
    }

    /// What the goner or value of this name offers for the type `S`.
    ///
    /// # Errors
    /// `gone::missing` for an unknown name, `gone::mismatch` if it does not offer `S`, `gone::state` for a provider, and as from
    /// [`get`](Handle::get).
    pub fn get_named<S: Send + 'static>(&self, name: &str) -> Result<S> {
        self.parts()?.get_named(name)
    }

    /// As [`Running::make`](crate::Running::make). A dropped future leaves what that one leaves.
    ///
    /// # Errors
    /// Those of [`Running::make`](crate::Running::make), and `gone::state` as from [`get`](Handle::get).
    pub async fn make<S: Send + 'static>(&self, tag: &str) -> Result<S> {
        self.parts()?.make(tag).await
    }

    /// As [`Running::get_matching`](crate::Running::get_matching).
    ///
    /// # Errors
    /// `gone::state`: if a provider is among them, and as from [`get`](Handle::get).
    pub fn get_matching<S: Send + 'static>(&self, pattern: &str) -> Result<Vec<S>> {
        self.parts()?.get_matching(pattern)
    }

    /// As [`Running::call`](crate::Running::call). A dropped future drops the function's.
    ///
    /// # Errors
    /// Those of [`Running::call`](crate::Running::call), and `gone::state` as from [`get`](Handle::get).
    #[track_caller]
    pub fn call<F, A>(&self, function: F) -> impl Future<Output = Result<F::Output>>
    where
        F: Injected<A>,
    {
        let (parts, sites) = (self.parts(), located(F::sites(), std::panic::Location::caller()));
        async move { parts?.call(function, sites).await }
    }

    /// As [`Running::call_with`](crate::Running::call_with). A dropped future drops the function's.
    ///
    /// # Errors
    /// Those of [`Running::call_with`](crate::Running::call_with), and `gone::state` as from [`get`](Handle::get).
    #[track_caller]
    pub fn call_with<F, B, R>(&self, function: F) -> impl Future<Output = Result<R>>
    where
        F: AsyncFnOnce(B) -> R,
        B: Inject,
    {
        self.call(With::new(function))
    }

    /// As [`Running::config_dump`](crate::Running::config_dump).
    ///
    /// # Errors
    /// As [`get`](Handle::get).
    pub fn config_dump(&self) -> Result<ConfigDump> {
        Ok(self.parts()?.graph.sources.dump())
    }

    /// Whether everything has started and no stop has begun: what a readiness probe asks.
    pub fn is_ready(&self) -> bool {
        self.parts().is_ok_and(|parts| parts.is_ready())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("is_ready", &self.is_ready()).finish()
    }
}

/// Why an application has nothing to give: the source of an error with the code `gone::state`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// Not everything is built yet.
    NotReady,
    /// The application stops.
    ShuttingDown,
    /// The application has ended.
    Closed,
    /// Only what is needed is built, and nobody needs this goner.
    NotBuilt(String),
    /// The provider of this name or type offers it: ask it with `make`.
    Provider(String),
    /// The goner or value of this name or type offers it: look it up with `get`.
    NotAProvider(String),
}

impl StateError {
    pub(crate) fn into_error(self) -> Error {
        Error::from(self).with_code(Code::State)
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateError::NotReady => f.write_str("not everything is built yet"),
            StateError::ShuttingDown => f.write_str("the application is stopping"),
            StateError::Closed => f.write_str("the application has ended"),
            StateError::NotBuilt(name) => write!(f, "`{name}` was not built: nothing that was asked for needs it"),
            StateError::Provider(name) => write!(f, "`{name}` is a provider: ask it with `make`"),
            StateError::NotAProvider(name) => write!(f, "`{name}` is not a provider: look it up with `get`"),
        }
    }
}

impl std::error::Error for StateError {}
