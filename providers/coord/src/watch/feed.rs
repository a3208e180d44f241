//! A stream of changes that converges on what is stored, whatever happens to the connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gone_kit::Clock;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::CoordError;
use crate::backend::{Backend, Change, Entry, Listing, Range, RawWatch, Revision, WatchEnd, WatchItem};
use crate::backoff::{Backoff, jittered};
use crate::watch::FeedState;

/// The first and the longest wait before a broken stream is opened again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How soon a comparison with the store that failed is made again, at the latest.
const RELIST_AGAIN: Duration = Duration::from_secs(10);
/// A key that every store can be asked for, to learn its revision.
const ANY_KEY: &str = "/";

/// A change of one key, as far as the reader of the feed is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// The key was written; `new`: it was not there before.
    Put { entry: Entry, new: bool },
    /// The key is gone; `last` is what was there.
    Delete { last: Entry, revision: Revision },
}

/// The keys of a range, and how they change: all changes since the first listing, each once, those of a key in their order.
/// Where the stream of the backend has a gap, the listing that closes it stands for what was missed: of a key that changed
/// several times, the last state alone.
///
/// - It resumes after the last revision that it has seen, and lists again where the backend no longer has what came after.
/// - It lists again from time to time, for a stream that has lost something and does not know.
/// - A store that has gone back (a backup was restored) is listed as a whole, and what is different is a change.
///
/// It runs as its reader asks, and holds nothing but what is stored in the range.
pub(crate) struct Feed {
    backend: Arc<dyn Backend>,
    range: Range,
    relist_every: Duration,
    known: BTreeMap<String, Entry>,
    /// All changes up to this one are in `known`.
    revision: Revision,
    listed: bool,
    stream: Option<RawWatch>,
    /// Since when the stream is open.
    opened_at: Instant,
    /// Whether it may be another store than before.
    doubtful: bool,
    relist_at: Instant,
    /// Not before this is the backend asked again.
    retry_at: Option<Instant>,
    backoff: Backoff,
    clock: Clock,
    state: watch::Sender<FeedState>,
}

impl Feed {
    /// A feed that has listed nothing yet: the first updates are what is there.
    pub(crate) fn new(backend: Arc<dyn Backend>, range: Range, clock: Clock, relist_every: Duration) -> Self {
        Self {
            backend,
            range,
            relist_every,
            known: BTreeMap::new(),
            revision: 0,
            listed: false,
            stream: None,
            opened_at: Instant::now(),
            doubtful: false,
            relist_at: Instant::now(),
            retry_at: None,
            backoff: Backoff::new(RETRY.0, RETRY.1),
            state: watch::Sender::new(FeedState::new(clock.now())),
            clock,
        }
    }

    /// A feed that has listed its range: what is there is [`known`](Self::known), and the first update is the first change
    /// after it.
    ///
    /// # Errors
    /// That of the listing.
    pub(crate) async fn open(
        backend: Arc<dyn Backend>,
        range: Range,
        clock: Clock,
        relist_every: Duration,
    ) -> Result<Self, CoordError> {
        let mut feed = Self::new(backend, range, clock, relist_every);
        let listing = feed.backend.list(&feed.range).await?;
        feed.converge(listing);
        Ok(feed)
    }

    /// What is stored in the range, as far as it was told of.
    pub(crate) fn known(&self) -> &BTreeMap<String, Entry> {
        &self.known
    }

    /// Up to where it was told.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether the range was listed at all: before, what is known is nothing.
    pub(crate) fn is_listed(&self) -> bool {
        self.state.borrow().listings > 0
    }

    /// How it stands, now and later.
    pub(crate) fn state(&self) -> watch::Receiver<FeedState> {
        self.state.subscribe()
    }

    /// Waits for the next updates, at least one; the first listing of a [`new`](Self::new) one is told even if it is empty.
    /// `None`: the backend is closed. A dropped future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Vec<Update>> {
        loop {
            match self.step().await {
                Ok(Some(updates)) => return Some(updates),
                Ok(None) => {}
                Err(CoordError::Closed) => {
                    self.stream = None;
                    self.failed(CoordError::Closed);
                    return None;
                }
                Err(error) => self.failed(error),
            }
        }
    }

    /// One request, or one item of the stream; and what it brings, if it brings something.
    async fn step(&mut self) -> Result<Option<Vec<Update>>, CoordError> {
        if let Some(retry_at) = self.retry_at {
            sleep_until(retry_at).await;
            self.retry_at = None;
        }
        if !self.listed {
            let listing = self.backend.list(&self.range).await?;
            let first = !self.is_listed();
            let updates = self.converge(listing);
            return Ok((first || !updates.is_empty()).then_some(updates));
        }
        let Some(stream) = &mut self.stream else {
            return self.resume().await;
        };
        let item = tokio::select! {
            item = stream.next() => item,
            () = sleep_until(self.relist_at) => return self.relist().await,
        };
        match item {
            Some(WatchItem::Changes(changes)) => {
                let updates = self.apply(changes);
                self.backoff.reset();
                self.heard();
                Ok((!updates.is_empty()).then_some(updates))
            }
            Some(WatchItem::Progress(revision)) => {
                self.revision = self.revision.max(revision);
                self.heard();
                Ok(None)
            }
            Some(WatchItem::End(WatchEnd::Compacted)) => {
                self.stream = None;
                self.listed = false;
                self.retry_at = Some(Instant::now() + self.backoff.wait());
                Ok(None)
            }
            Some(WatchItem::End(WatchEnd::Broken(error))) => Err(error),
            None => Err(CoordError::Unavailable {
                operation: "watch",
                reason: "the stream of changes ended".to_owned(),
                outcome: gone_kit::Outcome::NotApplied,
                source: None,
            }),
        }
    }

    /// Opens the stream after the last revision that was seen; if the store is not that far, it is another store.
    async fn resume(&mut self) -> Result<Option<Vec<Update>>, CoordError> {
        if self.doubtful {
            // A stream from a revision that is still to come would be silent until then.
            let now = self.backend.list(&Range::Key(ANY_KEY.to_owned())).await?.revision;
            self.doubtful = false;
            if now < self.revision {
                self.listed = false;
                return Ok(None);
            }
        }
        self.stream = Some(self.backend.watch(self.range.clone(), self.revision + 1).await?);
        self.opened_at = Instant::now();
        self.state.send_modify(|state| state.connected = true);
        Ok(None)
    }

    /// Compares what is known with what is stored, while the stream stays open.
    async fn relist(&mut self) -> Result<Option<Vec<Update>>, CoordError> {
        match self.backend.list(&self.range).await {
            Ok(listing) => {
                let updates = self.converge(listing);
                Ok((!updates.is_empty()).then_some(updates))
            }
            Err(CoordError::Closed) => Err(CoordError::Closed),
            // The stream may be sound all the same; it will say so itself if it is not.
            Err(error) => {
                self.relist_at = Instant::now() + jittered(self.relist_every.min(RELIST_AGAIN));
                self.state.send_modify(|state| state.error = Some(error));
                Ok(None)
            }
        }
    }

    /// Takes a listing for what is stored; gives what is different.
    fn converge(&mut self, listing: Listing) -> Vec<Update> {
        if listing.revision < self.revision {
            // Another store than before: what its stream would tell of the old one is of no use.
            self.stream = None;
        }
        let revision = listing.revision;
        let fresh: BTreeMap<String, Entry> =
            listing.entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let mut updates = Vec::new();
        for (key, last) in std::mem::take(&mut self.known) {
            if !fresh.contains_key(&key) {
                updates.push(Update::Delete { last, revision });
            } else {
                self.known.insert(key, last);
            }
        }
        for (key, entry) in &fresh {
            match self.known.get(key) {
                Some(known) if known == entry => {}
                known => updates.push(Update::Put { entry: entry.clone(), new: known.is_none() }),
            }
        }
        self.known = fresh;
        self.revision = revision;
        self.relist_at = Instant::now() + jittered(self.relist_every);
        (self.listed, self.doubtful) = (true, false);
        self.heard();
        self.state.send_modify(|state| state.listings += 1);
        updates
    }

    /// Takes in the changes of the stream; those that a listing has told already are passed over.
    fn apply(&mut self, changes: Vec<Change>) -> Vec<Update> {
        let seen = self.revision;
        let mut updates = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Put(entry) if entry.modified > seen => {
                    self.revision = self.revision.max(entry.modified);
                    let new = self.known.insert(entry.key.clone(), entry.clone()).is_none();
                    updates.push(Update::Put { entry, new });
                }
                Change::Delete { key, revision } if revision > seen => {
                    self.revision = self.revision.max(revision);
                    if let Some(last) = self.known.remove(&key) {
                        updates.push(Update::Delete { last, revision });
                    }
                }
                Change::Put(_) | Change::Delete { .. } => {}
            }
        }
        updates
    }

    fn heard(&self) {
        let (now, revision) = (self.clock.now(), self.revision);
        self.state.send_modify(|state| {
            (state.heard, state.revision, state.error) = (now, revision, None);
        });
    }

    fn failed(&mut self, error: CoordError) {
        let was_open = self.stream.take().is_some();
        let now = Instant::now();
        if was_open && now - self.opened_at > RETRY.1 {
            self.backoff.reset();
        }
        self.retry_at = Some(now + self.backoff.wait());
        self.doubtful = true;
        let now = self.clock.now();
        self.state.send_modify(|state| {
            if was_open {
                // Up to now the connection was thought to be sound.
                state.heard = now;
            }
            state.connected = false;
            state.breaks += 1;
            state.error = Some(error);
        });
    }
}

#[cfg(test)]
mod tests;
