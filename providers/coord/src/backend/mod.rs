//! What a backend gives: a small store with revisions, transactions, watches and sessions. All else is built on these, once
//! for every backend.

#[cfg(feature = "etcd")]
pub(crate) mod etcd;
pub(crate) mod memory;
mod rooted;
#[cfg(test)]
pub(crate) mod unreliable;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};
use gone_kit::{LeaseEnd, LeaseKeeper};
use tokio::sync::mpsc;

use crate::CoordError;

pub(crate) use rooted::Rooted;

/// A count of the changes of the whole store. It grows with each; 0 is before the first.
pub(crate) type Revision = i64;

/// One key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Arc<[u8]>,
    /// When this life of the key began: the fencing number of what is held by it.
    pub(crate) created: Revision,
    /// When it was last written.
    pub(crate) modified: Revision,
    /// The session on whose life it hangs; 0 for none.
    pub(crate) session: i64,
}

/// All keys of a range, at one revision, in the order of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) revision: Revision,
    pub(crate) entries: Vec<Entry>,
}

/// Which keys are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// This one.
    Key(String),
    /// All that begin so; a slash at the end is part of it. The empty prefix is the whole store.
    Prefix(String),
}

/// What must hold for a transaction to do what it says.
#[derive(Clone, Debug)]
pub(crate) enum Compare {
    /// The key's life began at this revision; 0: the key is not there.
    Created(String, Revision),
    /// The key was last written at this revision; 0: the key is not there.
    Modified(String, Revision),
    /// No key begins so.
    NoneUnder(String),
}

/// One step of a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes a key; one with a session goes with it.
    Put { key: String, value: Arc<[u8]>, session: i64 },
    /// Deletes a key, if it is there.
    Delete(String),
    /// Reads a range.
    Read(Range),
    /// Reads the oldest key (by the revision of its creation) of a range, or, with `before`, the youngest one created before
    /// that revision: who holds a lock, and whom the next one waits for.
    Neighbour { prefix: String, before: Option<Revision> },
}

/// All compares hold: the first steps are done, as one; otherwise the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Txn {
    pub(crate) compares: Vec<Compare>,
    pub(crate) then: Vec<Step>,
    pub(crate) otherwise: Vec<Step>,
}

/// What a transaction did.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// Whether all compares held.
    pub(crate) succeeded: bool,
    /// The revision of the store afterwards.
    pub(crate) revision: Revision,
    /// What each step found: the entries read, the entry deleted; nothing for a put.
    pub(crate) found: Vec<Vec<Entry>>,
}

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Put(Entry),
    Delete { key: String, revision: Revision },
}

/// Why a stream of changes ended.
#[derive(Clone, Debug)]
pub(crate) enum WatchEnd {
    /// The changes from the revision that was asked for are no longer kept: list again.
    Compacted,
    /// The connection broke, or the backend ended the stream: resume after the last revision seen.
    Broken(CoordError),
}

/// What a stream of changes gives.
#[derive(Clone, Debug)]
pub(crate) enum WatchItem {
    /// Changes in the order of their revisions; those of one revision are never parted.
    Changes(Vec<Change>),
    /// Nothing has changed in the range up to this revision.
    #[cfg_attr(not(any(feature = "etcd", test)), allow(dead_code, reason = "a store in memory tells only of changes"))]
    Progress(Revision),
    /// The last item.
    End(WatchEnd),
}

/// A raw stream of changes from a revision on, bounded: a reader that is slow holds the sender up. Dropping it ends it.
pub(crate) struct RawWatch {
    items: mpsc::Receiver<WatchItem>,
    /// What runs for it, aborted with it.
    task: Option<tokio::task::AbortHandle>,
    /// How many bytes stand before each key that nobody here knows of.
    root: usize,
}

impl RawWatch {
    /// What comes through the channel, which the task fills.
    pub(crate) fn new(items: mpsc::Receiver<WatchItem>, task: Option<tokio::task::AbortHandle>) -> Self {
        Self { items, task, root: 0 }
    }

    /// Waits for what comes next. `None`: the sender is gone without a last word, which is a break. A dropped future loses
    /// nothing.
    pub(crate) async fn next(&mut self) -> Option<WatchItem> {
        let mut item = self.items.recv().await?;
        if self.root > 0
            && let WatchItem::Changes(changes) = &mut item
        {
            for change in changes {
                let (Change::Put(Entry { key, .. }) | Change::Delete { key, .. }) = change;
                key.drain(..self.root);
            }
        }
        Some(item)
    }
}

impl Drop for RawWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A lease of the backend, under which many keys can be. The backend renews it; when the keeper has ended the session is
/// over for good, and its keys are gone, or soon will be.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: i64,
    pub(crate) ttl: Duration,
    pub(crate) keeper: Arc<LeaseKeeper>,
}

/// How much earlier than the backend a holder stops to believe in its session: for clocks that run unevenly, and for the step
/// that is under way.
pub(crate) fn margin(ttl: Duration) -> Duration {
    (ttl / 10).min(Duration::from_secs(1))
}

/// What a backend answers to a put under a session that it does not know, or no longer. Nothing was written.
pub(crate) fn lost_session(key: &str) -> CoordError {
    CoordError::Lost { key: key.to_owned(), end: LeaseEnd::Lost("its session has ended".into()) }
}

/// A store with revisions. Every call has the deadline of the config's `request_timeout` inside.
#[async_trait]
pub(crate) trait Backend: Send + Sync + 'static {
    /// The scheme.
    fn name(&self) -> &'static str;

    /// Reads one key.
    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError>;

    /// Reads a range.
    async fn list(&self, range: &Range) -> Result<Listing, CoordError>;

    /// Commits a transaction. A dropped future leaves it done, not done or still to be done.
    async fn commit(&self, operation: &'static str, txn: Txn) -> Result<Committed, CoordError>;

    /// The changes of a range from a revision on, that revision included.
    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError>;

    /// Opens a session and keeps it. A dropped future leaves at most a lease that runs out.
    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError>;

    /// Ends a session: its keys are gone when this is `Ok`. The keeper ends first, whatever becomes of the call.
    async fn close_session(&self, session: &Session) -> Result<(), CoordError>;

    /// Asks whether the backend answers.
    async fn ping(&self) -> Result<(), CoordError>;

    /// Ends as a process that is killed: nothing is given back, nothing is renewed any more, further calls are refused.
    /// The keepers end at once.
    fn abandon(&self);

    /// Ends all sessions and connections. From now on each call is [`CoordError::Closed`], and so ends each watch.
    async fn close(&self, deadline: Deadline) -> CloseReport;
}
