use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::Error;

/// Asks the application for an orderly stop: any goner may inject it, `#[gone] shutdown: Shutdown`.
///
/// It is a request: `run` and `serve` answer it by stopping everything in order. A signal makes the same request.
#[derive(Clone)]
pub struct Shutdown(Arc<Inner>);

struct Inner {
    requested: watch::Sender<bool>,
    why: Mutex<Why>,
}

#[derive(Default)]
struct Why {
    reason: Option<String>,
    failure: Option<Error>,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        Shutdown(Arc::new(Inner { requested: watch::Sender::new(false), why: Mutex::default() }))
    }

    fn why(&self) -> MutexGuard<'_, Why> {
        self.0.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for an orderly stop and says why. The first reason stands; asking again changes nothing.
    pub fn request(&self, reason: impl Into<String>) {
        self.why().reason.get_or_insert_with(|| reason.into());
        self.0.requested.send_replace(true);
    }

    /// Asks for a stop because something failed: the application ends with that error.
    pub(crate) fn fail(&self, error: Error) {
        let mut why = self.why();
        why.reason.get_or_insert_with(|| error.to_string());
        why.failure.get_or_insert(error);
        drop(why);
        self.0.requested.send_replace(true);
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.why().failure.clone()
    }

    /// Whether somebody has asked for a stop.
    pub fn is_requested(&self) -> bool {
        *self.0.requested.borrow()
    }

    /// Why a stop was asked for.
    pub fn reason(&self) -> Option<String> {
        self.why().reason.clone()
    }

    /// Waits until somebody asks for a stop. A dropped future leaves nothing behind.
    pub async fn requested(&self) {
        // The sender lives in `self`, so the wait ends with the request only.
        let _ = self.0.requested.subscribe().wait_for(|requested| *requested).await;
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("requested", &self.is_requested()).field("reason", &self.reason()).finish()
    }
}

/// Tells a background task that its goner's turn to stop has come: what [`Run`](crate::Run) is given.
#[derive(Clone, Debug)]
pub struct ShutdownToken(watch::Receiver<bool>);

impl ShutdownToken {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, ShutdownToken(receiver))
    }

    /// Whether the turn has come.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits until the turn has come. A dropped future leaves nothing behind.
    pub async fn cancelled(&self) {
        // An application that is gone has no use for the task either.
        let _ = self.0.clone().wait_for(|cancelled| *cancelled).await;
    }
}
