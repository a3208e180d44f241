use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::Error;
use crate::race::{First, race};

/// Asks the application for an orderly stop: any goner may inject it, `#[gone] shutdown: Shutdown`.
///
/// It is a request: `run` and `serve` answer it by stopping everything in order. A signal makes the same request.
///
/// ```
/// use gone::prelude::*;
///
/// #[derive(Goner)]
/// struct Licence {
///     #[gone]
///     shutdown: Shutdown,
/// }
///
/// impl Licence {
///     fn has_expired(&self) {
///         self.shutdown.request("the licence has expired");
///     }
/// }
///
/// #[gone::main]
/// async fn main() -> gone::Result<()> {
///     Gone::load(Licence::goner())
///         .run(async |licence: std::sync::Arc<Licence>, shutdown: Shutdown| {
///             licence.has_expired();
///             shutdown.requested().await;
///             assert_eq!(shutdown.reason().as_deref(), Some("the licence has expired"));
///             Ok(())
///         })
///         .await
/// }
/// ```
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

    /// Why a stop was asked for; none if nobody has.
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

    /// Awaits `work` for as long as the turn has not come; `None` if it comes first, and the work is then dropped at the await where
    /// it stands.
    ///
    /// Once the turn has come no work is begun. Work that ends in the same moment counts as ended, so that what it made is not lost.
    /// A dropped future drops the work with it and leaves nothing else behind.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use gone_core::{Result, Run, ShutdownToken};
    /// # struct Cleaner;
    /// # impl Cleaner { async fn clean(&self) -> Result<()> { Ok(()) } }
    /// impl Run for Cleaner {
    ///     async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
    ///         // The wait is cut short; a cleaning that has begun goes on to its end.
    ///         while shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_secs(60))).await.is_some() {
    ///             self.clean().await?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub async fn run_until_cancelled<F: Future>(&self, work: F) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        match race(work, self.cancelled()).await {
            First::Left(output) => Some(output),
            First::Right(()) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Work that never ends and holds `held` until it is dropped.
    async fn holding(held: Arc<()>) {
        pending::<()>().await;
        drop(held);
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn work_runs_until_it_ends_or_the_turn_comes_and_is_then_dropped() {
        let (tell, token) = ShutdownToken::new();
        assert_eq!(token.run_until_cancelled(ready(7)).await, Some(7));
        let held = Arc::new(());
        let mut running = pin!(token.run_until_cancelled(holding(Arc::clone(&held))));
        assert_eq!(poll(running.as_mut()), Poll::Pending);
        assert_eq!(Arc::strong_count(&held), 2);
        tell.send_replace(true);
        assert_eq!(running.await, None);
        assert_eq!(Arc::strong_count(&held), 1);
        let begun = async { panic!("the turn had come before") };
        assert_eq!(token.run_until_cancelled(begun).await, None::<()>);
    }

    #[tokio::test]
    async fn work_that_ends_as_the_turn_comes_has_ended() {
        let (tell, token) = ShutdownToken::new();
        let (made, work) = tokio::sync::oneshot::channel();
        let mut running = pin!(token.run_until_cancelled(work));
        assert!(poll(running.as_mut()).is_pending());
        made.send(7).unwrap();
        tell.send_replace(true);
        assert_eq!(running.await, Some(Ok(7)));
    }

    #[tokio::test]
    async fn an_application_that_is_gone_ends_the_work_too() {
        let (tell, token) = ShutdownToken::new();
        let mut running = pin!(token.run_until_cancelled(pending::<()>()));
        assert_eq!(poll(running.as_mut()), Poll::Pending);
        drop(tell);
        assert_eq!(running.await, None);
    }

    #[test]
    fn a_dropped_future_leaves_nothing_behind() {
        let (tell, token) = ShutdownToken::new();
        let held = Arc::new(());
        {
            let mut running = pin!(token.run_until_cancelled(holding(Arc::clone(&held))));
            assert_eq!(poll(running.as_mut()), Poll::Pending);
            assert_eq!((Arc::strong_count(&held), tell.receiver_count()), (2, 2));
        }
        assert_eq!((Arc::strong_count(&held), tell.receiver_count()), (1, 1));
    }
}
