//! A value that follows what is stored, read without a request.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use gone_kit::{Changes, Clock, Reload, ReloadStatus, Stat};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::CoordError;
use crate::backend::Entry;
use crate::value::decode;
use crate::watch::feed::Feed;
use crate::watch::{FeedState, Task, WatchStatus};

/// How long changes are collected before the value is made of them: many in a row are one.
pub(crate) const SETTLE: Duration = Duration::from_millis(20);

/// What is stored under a prefix, for [`ConfigCentre::follow_prefix`](crate::ConfigCentre::follow_prefix).
#[derive(Clone, Copy)]
pub struct Entries<'a>(pub(crate) &'a BTreeMap<String, Entry>);

impl<'a> Entries<'a> {
    /// The keys, in their order.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`CoordError::NotFound`]; [`CoordError::Decode`] when what is stored is no `T`.
    pub fn get<T: DeserializeOwned>(self, key: &str) -> Result<T, CoordError> {
        match self.0.get(key) {
            Some(entry) => decode(key, &entry.value),
            None => Err(CoordError::NotFound { key: key.to_owned() }),
        }
    }
}

impl fmt::Debug for Entries<'_> {
    /// Shows no value: any may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value that follows what is stored: [`get`](Self::get) gives what is current, without a request and without waiting.
///
/// A stored value that cannot be read, or is refused by who makes the value of it, changes nothing: the last good one stays,
/// the refusal is logged at `warn` for the target `gone_coord`, counted, and stands in [`status`](Self::status). While the
/// store cannot be reached the value stays, too; [`watch_status`](Self::watch_status) tells how old it is. Changes in quick
/// succession are one: what is stored is followed 20 ms later.
///
/// A clone is the same value; it is followed for as long as one of them is there, or until the
/// [`Coord`](crate::Coord) is closed.
#[must_use = "it is followed for as long as it is kept"]
pub struct Followed<T> {
    value: Reload<T>,
    state: watch::Receiver<FeedState>,
    clock: Clock,
    task: Arc<Task>,
}

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        let Self { value, state, clock, task } = self;
        Self { value: value.clone(), state: state.clone(), clock: clock.clone(), task: Arc::clone(task) }
    }
}

impl<T> Followed<T> {
    /// The current value. Takes no lock and never waits.
    #[inline]
    pub fn get(&self) -> Arc<T> {
        self.value.get()
    }

    /// The version of the current value: 1 at first, one more with each change.
    pub fn version(&self) -> u64 {
        self.value.version()
    }

    /// The changes from now on; the latest for a slow subscriber. Whoever acts on the value subscribes first and reads it after that.
    pub fn changes(&self) -> Changes<T> {
        self.value.changes()
    }

    /// What became of the changes so far.
    pub fn status(&self) -> ReloadStatus {
        self.value.status()
    }

    /// How the watch behind it stands.
    pub fn watch_status(&self) -> WatchStatus {
        self.state.borrow().status(&self.clock)
    }

    /// The figures: `reload_version`, `reloads_accepted` and `reloads_refused`.
    pub fn stats(&self) -> [Stat; 3] {
        self.value.stats()
    }
}

impl<T: Send + Sync + 'static> Followed<T> {
    /// Follows what the feed tells. `refused` is what there is to say of the value that was there at first.
    pub(crate) fn start<E: fmt::Display + 'static>(
        feed: Feed,
        clock: Clock,
        name: String,
        first: T,
        refused: Option<E>,
        make: impl Fn(Entries<'_>) -> Result<T, E> + Send + 'static,
    ) -> Self {
        let value = Reload::with_clock(first, clock.clone());
        let state = feed.state();
        if let Some(error) = refused {
            value.refuse(&error);
            tracing::warn!(target: "gone_coord", key = name, %error, "what is stored was refused; the default holds");
        }
        let task = Arc::new(Task(tokio::spawn(keep(feed, value.clone(), name, make))));
        Self { value, state, clock, task }
    }
}

impl<T: fmt::Debug> fmt::Debug for Followed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Followed").field(&self.get()).finish()
    }
}

async fn keep<T, E: fmt::Display>(
    mut feed: Feed,
    value: Reload<T>,
    name: String,
    make: impl Fn(Entries<'_>) -> Result<T, E>,
) {
    while feed.next().await.is_some() {
        let settled = Instant::now() + SETTLE;
        while let Ok(Some(_)) = timeout_at(settled, feed.next()).await {}
        let entries = Entries(feed.known());
        let made = catch_unwind(AssertUnwindSafe(|| make(entries)));
        let refused = match made {
            Ok(Ok(fresh)) => {
                let version = value.accept(fresh);
                tracing::debug!(target: "gone_coord", key = name, version, "what is stored was taken up");
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the function that makes it panicked".to_owned(),
        };
        value.refuse(&refused);
        tracing::warn!(
            target: "gone_coord",
            key = name,
            version = value.version(),
            error = refused,
            "what is stored was refused; the last good value stays"
        );
    }
}
