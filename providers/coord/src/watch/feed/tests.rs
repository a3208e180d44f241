//! The feed on a scripted backend, in paused time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};
use gone_kit::Outcome;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::backend::{Committed, Session, Txn};

const RELIST: Duration = Duration::from_secs(300);

/// A backend that says what the test tells it to.
struct Scripted {
    listing: Mutex<Result<Listing, CoordError>>,
    /// How often the range was listed, the questions for the revision not counted.
    listed: AtomicU64,
    /// How long each answer takes, in seconds.
    slow: AtomicU64,
    opened: mpsc::UnboundedSender<Opened>,
}

/// A stream that was opened.
struct Opened {
    from: Revision,
    sender: mpsc::Sender<WatchItem>,
}

impl Opened {
    async fn send(&self, item: WatchItem) {
        self.sender.send(item).await.expect("somebody reads");
    }
}

impl Scripted {
    fn new(revision: Revision, entries: Vec<Entry>) -> (Arc<Self>, mpsc::UnboundedReceiver<Opened>) {
        let (opened, streams) = mpsc::unbounded_channel();
        let listing = Mutex::new(Ok(Listing { revision, entries }));
        (Arc::new(Self { listing, listed: AtomicU64::new(0), slow: AtomicU64::new(0), opened }), streams)
    }

    fn says(&self, listing: Result<(Revision, Vec<Entry>), CoordError>) {
        *self.listing.lock().unwrap() = listing.map(|(revision, entries)| Listing { revision, entries });
    }

    fn listed(&self) -> u64 {
        self.listed.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Backend for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn get(&self, _: &str) -> Result<Option<Entry>, CoordError> {
        unreachable!("a feed reads ranges")
    }

    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        let asked_for_the_revision = *range == Range::Key("/".to_owned());
        self.listed.fetch_add(u64::from(!asked_for_the_revision), Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(self.slow.load(Ordering::SeqCst))).await;
        self.listing.lock().unwrap().clone()
    }

    async fn commit(&self, _: &'static str, _: Txn) -> Result<Committed, CoordError> {
        unreachable!("a feed writes nothing")
    }

    async fn watch(&self, _: Range, from: Revision) -> Result<RawWatch, CoordError> {
        if let Err(error) = &*self.listing.lock().unwrap() {
            return Err(error.clone());
        }
        let (sender, items) = mpsc::channel(16);
        self.opened.send(Opened { from, sender }).expect("the test listens");
        Ok(RawWatch::new(items, None))
    }

    async fn open_session(&self, _: Duration) -> Result<Session, CoordError> {
        unreachable!("a feed has no session")
    }

    async fn close_session(&self, _: &Session) -> Result<(), CoordError> {
        unreachable!("a feed has no session")
    }

    async fn ping(&self) -> Result<(), CoordError> {
        Ok(())
    }

    fn abandon(&self) {}

    async fn close(&self, _: Deadline) -> CloseReport {
        CloseReport::clean()
    }
}

fn entry(key: &str, modified: Revision) -> Entry {
    Entry { key: key.to_owned(), value: Arc::from(&b"0"[..]), created: 1, modified, session: 0 }
}

fn put(key: &str, modified: Revision) -> Change {
    Change::Put(entry(key, modified))
}

fn delete(key: &str, revision: Revision) -> Change {
    Change::Delete { key: key.to_owned(), revision }
}

fn broken() -> CoordError {
    CoordError::Unavailable { operation: "watch", reason: "cut".to_owned(), outcome: Outcome::NotApplied, source: None }
}

/// Updates as text: `+a@3` a new key, `a@3` a known one, `-a@4` one that is gone.
fn said(updates: &[Update]) -> String {
    let texts = updates.iter().map(|update| match update {
        Update::Put { entry, new: true } => format!("+{}@{}", entry.key, entry.modified),
        Update::Put { entry, new: false } => format!("{}@{}", entry.key, entry.modified),
        Update::Delete { last, revision } => format!("-{}@{revision}", last.key),
    });
    texts.collect::<Vec<_>>().join(" ")
}

async fn next(feed: &mut Feed) -> String {
    said(&feed.next().await.expect("it goes on"))
}

/// Nothing is due, for as long as nothing else happens.
async fn silent(feed: &mut Feed) {
    if let Ok(updates) = timeout(Duration::from_secs(30), feed.next()).await {
        panic!("{}", said(&updates.expect("it goes on")));
    }
}

/// The stream that was opened last.
fn opened(streams: &mut mpsc::UnboundedReceiver<Opened>) -> Opened {
    streams.try_recv().expect("a stream was opened")
}

async fn open(backend: &Arc<Scripted>) -> Feed {
    let backend = Arc::clone(backend) as Arc<dyn Backend>;
    Feed::open(backend, Range::Prefix("/".to_owned()), Clock::system(), RELIST).await.expect("it is there")
}

#[tokio::test(start_paused = true)]
async fn the_stream_begins_after_the_listing_and_goes_on_after_the_last_change_that_was_seen() {
    let (backend, mut streams) = Scripted::new(7, vec![entry("/a", 3)]);
    let mut feed = open(&backend).await;
    assert_eq!(feed.known().keys().collect::<Vec<_>>(), ["/a"]);
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    assert_eq!(stream.from, 8);
    stream.send(WatchItem::Changes(vec![put("/a", 8), put("/b", 9)])).await;
    assert_eq!(next(&mut feed).await, "/a@8 +/b@9");
    // A deletion of what is not there is no change.
    stream.send(WatchItem::Changes(vec![delete("/a", 10), delete("/z", 11)])).await;
    assert_eq!(next(&mut feed).await, "-/a@10");
    backend.says(Ok((11, vec![entry("/b", 9)])));
    stream.send(WatchItem::End(WatchEnd::Broken(broken()))).await;
    silent(&mut feed).await;
    assert_eq!(opened(&mut streams).from, 12);
    assert_eq!(backend.listed(), 1, "a break alone needs no listing");
    let state = feed.state().borrow().clone();
    assert_eq!((state.connected, state.breaks, state.revision), (true, 1, 11));
}

#[tokio::test(start_paused = true)]
async fn progress_without_changes_moves_the_place_at_which_it_goes_on() {
    let (backend, mut streams) = Scripted::new(7, vec![]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    stream.send(WatchItem::Progress(40)).await;
    backend.says(Ok((41, vec![])));
    drop(stream);
    silent(&mut feed).await;
    assert_eq!(opened(&mut streams).from, 41);
}

#[tokio::test(start_paused = true)]
async fn after_a_compaction_what_differs_from_what_is_known_is_told() {
    let (backend, mut streams) = Scripted::new(7, vec![entry("/a", 1), entry("/b", 2), entry("/c", 3)]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    backend.says(Ok((90, vec![entry("/a", 1), entry("/c", 80), entry("/d", 85)])));
    opened(&mut streams).send(WatchItem::End(WatchEnd::Compacted)).await;
    assert_eq!(next(&mut feed).await, "-/b@90 /c@80 +/d@85");
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    assert_eq!((stream.from, backend.listed()), (91, 2));
    // Where nothing differs there is nothing to tell.
    backend.says(Ok((95, vec![entry("/a", 1), entry("/c", 80), entry("/d", 85)])));
    stream.send(WatchItem::End(WatchEnd::Compacted)).await;
    silent(&mut feed).await;
    assert_eq!((opened(&mut streams).from, backend.listed()), (96, 3));
}

#[tokio::test(start_paused = true)]
async fn what_the_stream_has_lost_is_found_at_the_next_comparison() {
    let (backend, mut streams) = Scripted::new(7, vec![entry("/a", 1), entry("/b", 2)]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    let begun = Instant::now();
    // The deletion of `/b` never comes.
    backend.says(Ok((9, vec![entry("/a", 1)])));
    assert_eq!(next(&mut feed).await, "-/b@9");
    let took = begun.elapsed();
    assert!(took > RELIST / 4 && took <= RELIST, "{took:?}");
    // What is still on its way was told by the comparison already.
    stream.send(WatchItem::Changes(vec![put("/b", 8)])).await;
    stream.send(WatchItem::Changes(vec![delete("/b", 9), put("/c", 10)])).await;
    assert_eq!(next(&mut feed).await, "+/c@10");
    assert!(streams.try_recv().is_err(), "the stream stays open");
}

#[tokio::test(start_paused = true)]
async fn a_comparison_that_fails_is_made_again_and_the_stream_goes_on() {
    let (backend, mut streams) = Scripted::new(7, vec![entry("/a", 1)]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    backend.says(Err(broken()));
    assert!(timeout(RELIST, feed.next()).await.is_err());
    assert!(feed.state().borrow().error.is_some() && feed.state().borrow().connected);
    stream.send(WatchItem::Changes(vec![put("/a", 8)])).await;
    assert_eq!(next(&mut feed).await, "/a@8");
    let begun = Instant::now();
    backend.says(Ok((9, vec![])));
    assert_eq!(next(&mut feed).await, "-/a@9");
    assert!(begun.elapsed() <= RELIST_AGAIN);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_has_gone_back_is_taken_as_it_is() {
    // Found when the stream is opened again, where it would be silent until revision 51 …
    let (backend, mut streams) = Scripted::new(50, vec![entry("/a", 20), entry("/b", 40)]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    backend.says(Ok((21, vec![entry("/a", 20), entry("/c", 21)])));
    opened(&mut streams).send(WatchItem::End(WatchEnd::Broken(broken()))).await;
    assert_eq!(next(&mut feed).await, "-/b@21 +/c@21");
    silent(&mut feed).await;
    let stream = opened(&mut streams);
    assert_eq!(stream.from, 22);
    stream.send(WatchItem::Changes(vec![put("/a", 22)])).await;
    assert_eq!(next(&mut feed).await, "/a@22");
    // … or at a comparison.
    backend.says(Ok((5, vec![entry("/a", 5)])));
    assert_eq!(next(&mut feed).await, "-/c@5 /a@5");
    silent(&mut feed).await;
    assert_eq!(opened(&mut streams).from, 6);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_answers_it_asks_again_and_its_age_is_seen() {
    let (backend, mut streams) = Scripted::new(7, vec![]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    let (state, clock) = (feed.state(), Clock::system());
    assert_eq!(state.borrow().status(&clock).age, Duration::ZERO);
    backend.says(Err(broken()));
    drop(opened(&mut streams));
    assert!(timeout(Duration::from_secs(60), feed.next()).await.is_err());
    let status = state.borrow().status(&clock);
    assert!(!status.connected && status.error.is_some(), "{status:?}");
    assert_eq!(status.age, Duration::from_secs(60));
    // Waits of 1 to 2 s once they have doubled up to there.
    assert!((30..=66).contains(&status.breaks), "{status:?}");
    let begun = Instant::now();
    backend.says(Ok((8, vec![entry("/a", 8)])));
    assert!(timeout(Duration::from_secs(5), feed.next()).await.is_err());
    let stream = opened(&mut streams);
    assert_eq!(stream.from, 8);
    stream.send(WatchItem::Changes(vec![put("/a", 8)])).await;
    assert_eq!(next(&mut feed).await, "+/a@8");
    assert!(begun.elapsed() <= RETRY.1 + Duration::from_secs(5));
    assert!(state.borrow().connected && state.borrow().error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_at_once_is_not_opened_without_pause() {
    let (backend, mut streams) = Scripted::new(7, vec![]);
    let mut feed = open(&backend).await;
    let count = tokio::spawn(async move {
        let mut count = 0;
        while streams.recv().await.is_some() {
            count += 1;
        }
        count
    });
    assert!(timeout(Duration::from_secs(60), feed.next()).await.is_err());
    drop((feed, backend));
    let count = count.await.unwrap();
    assert!((30..=66).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_began_while_nobody_answered_tells_what_is_there_first() {
    let (backend, _streams) = Scripted::new(7, vec![]);
    backend.says(Err(broken()));
    let range = Range::Prefix("/".to_owned());
    let mut feed = Feed::new(Arc::clone(&backend) as _, range, Clock::system(), RELIST);
    assert!(timeout(Duration::from_secs(10), feed.next()).await.is_err());
    backend.says(Ok((7, vec![entry("/a", 3)])));
    assert_eq!(next(&mut feed).await, "+/a@3");
}

#[tokio::test(start_paused = true)]
async fn who_waits_a_little_over_and_over_gets_an_answer_that_takes_longer() {
    let (backend, mut streams) = Scripted::new(7, vec![entry("/a", 3)]);
    backend.slow.store(1, Ordering::SeqCst);
    let range = Range::Prefix("/".to_owned());
    let mut feed = Feed::new(Arc::clone(&backend) as _, range, Clock::system(), RELIST);
    let mut waits = 0;
    let updates = loop {
        waits += 1;
        if let Ok(updates) = timeout(Duration::from_millis(30), feed.next()).await {
            break said(&updates.expect("it goes on"));
        }
    };
    assert_eq!((updates.as_str(), backend.listed(), waits), ("+/a@3", 1, 34));
    silent(&mut feed).await;
    assert_eq!(opened(&mut streams).from, 8);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_the_backend_is_closed() {
    let (backend, mut streams) = Scripted::new(7, vec![]);
    let mut feed = open(&backend).await;
    silent(&mut feed).await;
    opened(&mut streams).send(WatchItem::End(WatchEnd::Broken(CoordError::Closed))).await;
    assert_eq!(feed.next().await, None);
}
