//! Watches that converge: whatever happens to the connection, their reader ends up with what is stored.

pub(crate) mod feed;
mod queue;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gone_kit::Clock;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::feed::{Feed, Update};
use self::queue::Queue;
use crate::CoordError;
use crate::backend::{Entry, Revision};
use crate::value::decode;

/// How a [`Feed`] stands.
#[derive(Clone, Debug)]
pub(crate) struct FeedState {
    /// Whether a stream is open.
    pub(crate) connected: bool,
    /// When the backend last told something, or, after a break, when the break was noticed.
    pub(crate) heard: Instant,
    /// All changes up to this one are known.
    pub(crate) revision: Revision,
    /// How often the whole range was listed.
    pub(crate) listings: u64,
    /// How often the stream broke, or could not be opened.
    pub(crate) breaks: u64,
    /// What was met last, until something is heard again.
    pub(crate) error: Option<CoordError>,
}

impl FeedState {
    fn new(now: Instant) -> Self {
        Self { connected: false, heard: now, revision: 0, listings: 0, breaks: 0, error: None }
    }

    /// The state as its reader sees it.
    pub(crate) fn status(&self, clock: &Clock) -> WatchStatus {
        WatchStatus {
            connected: self.connected,
            age: match self.connected {
                true => Duration::ZERO,
                false => clock.now().saturating_duration_since(self.heard),
            },
            version: self.revision,
            listings: self.listings,
            breaks: self.breaks,
            error: self.error.clone(),
        }
    }
}

/// How a watch stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WatchStatus {
    /// Whether changes are being streamed. A connection that has died without a word counts as sound until that is noticed:
    /// [`probe_interval`](crate::CoordConfig::probe_interval) and [`probe_timeout`](crate::CoordConfig::probe_timeout).
    pub connected: bool,
    /// How old what is known may be: zero while connected, else the time since the connection broke.
    pub age: Duration,
    /// The version of the store up to which all changes are known.
    pub version: i64,
    /// How often the whole range was read: once at the beginning, then after gaps and from time to time.
    pub listings: u64,
    /// How often the connection broke, or could not be made.
    pub breaks: u64,
    /// What was met last, if nothing was heard since.
    pub error: Option<CoordError>,
}

/// A change of one key under watch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WatchEvent<T> {
    /// The key was written.
    Put {
        /// The key.
        key: String,
        /// Its new value.
        value: T,
        /// The version of the value.
        version: i64,
    },
    /// The key was written, and its value is none of the type that is wanted.
    Undecodable {
        /// The key.
        key: String,
        /// What is stored.
        raw: Arc<[u8]>,
        /// Why it cannot be read: [`CoordError::Decode`].
        error: CoordError,
        /// The version of the value.
        version: i64,
    },
    /// The key is gone.
    Delete {
        /// The key.
        key: String,
        /// The version of the store without it.
        version: i64,
    },
}

impl<T> WatchEvent<T> {
    /// The key that changed.
    pub fn key(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Undecodable { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    /// The version of the store with this change. For one key it only grows, save where a backup of the store was restored.
    pub fn version(&self) -> i64 {
        match self {
            Self::Put { version, .. } | Self::Undecodable { version, .. } | Self::Delete { version, .. } => *version,
        }
    }
}

impl<T: DeserializeOwned> WatchEvent<T> {
    fn written(entry: Entry) -> Self {
        let Entry { key, value: raw, modified: version, .. } = entry;
        match decode(&key, &raw) {
            Ok(value) => Self::Put { key, value, version },
            Err(error) => Self::Undecodable { key, raw, error, version },
        }
    }

    fn of(update: Update) -> Self {
        match update {
            Update::Put { entry, .. } => Self::written(entry),
            Update::Delete { last, revision } => Self::Delete { key: last.key, version: revision },
        }
    }
}

impl Update {
    pub(crate) fn key(&self) -> &str {
        let (Self::Put { entry, .. } | Self::Delete { last: entry, .. }) = self;
        &entry.key
    }
}

/// The changes of a key, or of all keys under a prefix, since the watch began; its reader ends up with what is stored,
/// whatever happens to the connection.
///
/// A reader that keeps up is told of each change. For one that is slow, of a key that changes several times only the last
/// state is kept; so at most as many changes wait as there are keys that it knows of and keys that are stored, and 1,024. The
/// same holds for what happened while the connection was broken for so long that the store no longer has each change. What is
/// told of one key never goes back.
///
/// It holds a copy of what is stored under its key or prefix. Dropping it ends it, and all that runs for it.
#[must_use = "dropping it ends it"]
pub struct Watch<T> {
    initial: Vec<Entry>,
    queue: Arc<Queue>,
    state: watch::Receiver<FeedState>,
    clock: Clock,
    _task: Task,
    value: PhantomData<fn() -> T>,
}

impl<T> Watch<T> {
    /// Begins to watch; what is there already is not a change.
    pub(crate) fn start(feed: Feed, clock: Clock) -> Self {
        let (initial, state) = (feed.known().values().cloned().collect(), feed.state());
        let queue = Arc::new(Queue::default());
        let filling = fill(feed, Filled(Arc::clone(&queue)));
        Self { initial, queue, state, clock, _task: Task(tokio::spawn(filling)), value: PhantomData }
    }

    /// How the watch stands.
    pub fn status(&self) -> WatchStatus {
        self.state.borrow().status(&self.clock)
    }

    /// How many changes wait to be read.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many changes were not told because a later one of the same key took their place while they waited.
    pub fn coalesced(&self) -> u64 {
        self.queue.coalesced()
    }
}

impl<T> Watch<T> {
    /// What was there when the watch began, as it is stored. A second call gives nothing.
    pub(crate) fn initial_entries(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.initial)
    }

    /// As [`next`](Self::next), as it is stored.
    pub(crate) async fn next_update(&mut self) -> Option<Update> {
        self.queue.next().await
    }
}

impl<T: DeserializeOwned> Watch<T> {
    /// What was there when the watch began, in the order of the keys; the changes after it are what [`next`](Self::next)
    /// tells, none is between. A second call gives nothing.
    pub fn initial(&mut self) -> Vec<WatchEvent<T>> {
        self.initial_entries().into_iter().map(WatchEvent::written).collect()
    }

    /// Waits for the next change; `None` once the [`Coord`](crate::Coord) is closed, or gone with its last clone, and all was
    /// told. A dropped future loses nothing.
    pub async fn next(&mut self) -> Option<WatchEvent<T>> {
        self.next_update().await.map(WatchEvent::of)
    }
}

impl<T> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("status", &self.status())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

async fn fill(mut feed: Feed, queue: Filled) {
    while let Some(updates) = feed.next().await {
        queue.0.push(updates);
    }
}

/// The filling side of a queue: when it is gone, for whatever reason, the reader is told.
struct Filled(Arc<Queue>);

impl Drop for Filled {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
