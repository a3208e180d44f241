//! A stream of changes that converges on what is stored, whatever happens to the connection.

use std::collections::BTreeMap;
use std::pin::Pin;
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
    /// What the backend is asked at this moment. It is kept when whoever waits for it changes its mind, so that one who does so
    /// over and over gets an answer all the same.
    asking: Option<Asking>,
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

/// What the backend is asked.
#[derive(Clone, Copy)]
enum Question {
    /// What is stored in the range?
    Listing,
    /// Up to where does the store go?
    Revision,
    /// What changes after what is known?
    Stream,
}

enum Answer {
    Listing(Listing),
    Revision(Revision),
    Stream(RawWatch),
}

type Asking = Pin<Box<dyn Future<Output = Result<Answer, CoordError>> + Send>>;

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
            asking: None,
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
                    self.failed(CoordError::Closed);
                    return None;
                }
                Err(error) => self.failed(error),
            }
        }
    }

    /// One answer, or one item of the stream; and what it brings, if it brings something.
    async fn step(&mut self) -> Result<Option<Vec<Update>>, CoordError> {
        if let Some(retry_at) = self.retry_at {
            sleep_until(retry_at).await;
            self.retry_at = None;
        }
        if self.asking.is_none() {
            let question = match &mut self.stream {
                _ if !self.listed => Question::Listing,
                // A stream from a revision that is still to come would be silent until then.
                None if self.doubtful => Question::Revision,
                None => Question::Stream,
                Some(stream) => tokio::select! {
                    item = stream.next() => return self.take(item),
                    () = sleep_until(self.relist_at) => Question::Listing,
                },
            };
            self.asking = Some(self.ask(question));
        }
        let Some(asking) = &mut self.asking else { return Ok(None) };
        let answer = asking.await;
        self.asking = None;
        match answer {
            Ok(Answer::Listing(listing)) => {
                let first = !self.is_listed();
                let updates = self.converge(listing);
                return Ok((first || !updates.is_empty()).then_some(updates));
            }
            Ok(Answer::Revision(revision)) => {
                self.doubtful = false;
                self.listed = revision >= self.revision;
            }
            Ok(Answer::Stream(stream)) => {
                self.stream = Some(stream);
                self.opened_at = Instant::now();
                self.state.send_modify(|state| state.connected = true);
            }
            // The stream may be sound all the same; it will say so itself if it is not.
            Err(error) if self.stream.is_some() && !matches!(error, CoordError::Closed) => {
                self.relist_at = Instant::now() + jittered(self.relist_every.min(RELIST_AGAIN));
                self.state.send_modify(|state| state.error = Some(error));
            }
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    fn ask(&self, question: Question) -> Asking {
        let (backend, range, from) = (Arc::clone(&self.backend), self.range.clone(), self.revision + 1);
        Box::pin(async move {
            match question {
                Question::Listing => backend.list(&range).await.map(Answer::Listing),
                Question::Revision => {
                    // Any key tells it, and this one may be read by whoever may read the range.
                    let (Range::Key(key) | Range::Prefix(key)) = range;
                    backend.list(&Range::Key(key)).await.map(|listing| Answer::Revision(listing.revision))
                }
                Question::Stream => backend.watch(range, from).await.map(Answer::Stream),
            }
        })
    }

    /// Takes in an item of the stream.
    fn take(&mut self, item: Option<WatchItem>) -> Result<Option<Vec<Update>>, CoordError> {
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
                self.drop_stream();
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

    /// Takes a listing for what is stored; gives what is different.
    fn converge(&mut self, listing: Listing) -> Vec<Update> {
        if listing.revision < self.revision {
            // Another store than before: what its stream would tell of the old one is of no use.
            self.drop_stream();
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

    /// Whether there was one.
    fn drop_stream(&mut self) -> bool {
        self.state.send_modify(|state| state.connected = false);
        self.stream.take().is_some()
    }

    fn failed(&mut self, error: CoordError) {
        let was_open = self.drop_stream();
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
            state.breaks += 1;
            state.error = Some(error);
        });
    }
}

#[cfg(test)]
mod tests;
