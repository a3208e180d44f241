use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

/// A need that is met once everything is built, and so breaks a circle: `#[gone] peer: Lazy<Peer>`.
///
/// It stands for the offer of `Arc<T>`, of a goner or a value, and is checked in the plan as any site. It puts no edge into the
/// order: whoever holds it may be built, started and stopped before what it stands for. It holds it weakly, so that no circle
/// keeps itself alive. (contract container A-112, C-49, C-50)
///
/// ```
/// use std::sync::Arc;
///
/// use gone::prelude::*;
///
/// #[derive(Goner)]
/// struct Sender {
///     #[gone]
///     receiver: Arc<Receiver>,
/// }
///
/// #[derive(Goner)]
/// struct Receiver {
///     #[gone]
///     sender: Lazy<Sender>,
/// }
///
/// impl Start for Receiver {
///     async fn start(&self) -> gone::Result<()> {
///         let sender: Arc<Sender> = self.sender.get()?;
///         assert!(std::ptr::eq(self, &*sender.receiver));
///         Ok(())
///     }
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     Gone::load((Sender::goner(), Receiver::goner())).boot().await?.stop().await
/// # }
/// ```
pub struct Lazy<T: ?Sized>(Arc<OnceLock<Weak<T>>>);

/// Why a [`Lazy`] has nothing to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LazyError {
    /// Not everything is built yet: it was asked in a constructor or in an `init`.
    NotReady,
    /// The application has ended.
    Closed,
}

impl fmt::Display for LazyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LazyError::NotReady => "a `Lazy` was asked before everything was built: ask it from `start` on",
            LazyError::Closed => "a `Lazy` was asked after the application had ended",
        })
    }
}

impl std::error::Error for LazyError {}

impl<T: ?Sized> Lazy<T> {
    /// What it stands for.
    ///
    /// # Errors
    /// [`LazyError::NotReady`] while goners are being built, [`LazyError::Closed`] when the application is gone.
    pub fn get(&self) -> Result<Arc<T>, LazyError> {
        self.0.get().ok_or(LazyError::NotReady)?.upgrade().ok_or(LazyError::Closed)
    }
}

impl<T: ?Sized> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Lazy(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lazy<{}>", crate::type_name::short(std::any::type_name::<T>()))
    }
}

/// The other end of a `Lazy`: fills it.
pub(crate) trait Fill: Send {
    /// Calls `put` with an `Option<Arc<T>>` to fill.
    fn fill(&self, put: &mut dyn FnMut(&mut dyn Any));
}

impl<T: ?Sized + Send + Sync + 'static> Fill for Lazy<T> {
    fn fill(&self, put: &mut dyn FnMut(&mut dyn Any)) {
        let mut slot: Option<Arc<T>> = None;
        put(&mut slot);
        if let Some(it) = slot {
            // Filled once, after the last construction.
            let _ = self.0.set(Arc::downgrade(&it));
        }
    }
}

/// Puts an empty `Lazy<T>` into its slot and gives the end by which it is filled.
pub(crate) fn make<T: ?Sized + Send + Sync + 'static>(slot: &mut dyn Any) -> Box<dyn Fill> {
    let lazy = Lazy::<T>(Arc::default());
    if let Some(slot) = slot.downcast_mut::<Option<Lazy<T>>>() {
        *slot = Some(lazy.clone());
    }
    Box::new(lazy)
}
