//! Watches over a store in memory whose connection is cut and whose history is forgotten, at random.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};
use gone_kit::{Clock, Outcome};
use tokio::sync::mpsc;

use super::super::*;
use crate::backend::memory::Memory;
use crate::backend::{Backend, Change, Committed, Listing, Range, RawWatch, Session, Step, Txn, WatchEnd, WatchItem};

/// Random numbers from a seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

/// How often each fault struck.
#[derive(Debug, Default)]
struct Struck {
    cuts: AtomicU64,
    lost_deletions: AtomicU64,
    compactions: AtomicU64,
}

/// A store in memory behind a bad connection.
struct Bad {
    memory: Memory,
    dice: std::sync::Mutex<Dice>,
    struck: Arc<Struck>,
}

impl Bad {
    fn compact(&self) {
        self.memory.compact();
        self.struck.compactions.fetch_add(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl Backend for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError> {
        self.memory.get(key).await
    }

    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        self.memory.list(range).await
    }

    async fn commit(&self, operation: &'static str, txn: Txn) -> Result<Committed, CoordError> {
        self.memory.commit(operation, txn).await
    }

    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError> {
        let mut whole = self.memory.watch(range, from).await?;
        let (sender, items) = mpsc::channel(4);
        let mut dice = Dice(self.dice.lock().unwrap().roll(u64::MAX) | 1);
        let struck = Arc::clone(&self.struck);
        let task = tokio::spawn(async move {
            while let Some(mut item) = whole.next().await {
                if let WatchItem::Changes(changes) = &mut item {
                    changes.retain(|change| {
                        let lost = matches!(change, Change::Delete { .. }) && dice.roll(50) == 0;
                        struck.lost_deletions.fetch_add(u64::from(lost), Ordering::Relaxed);
                        !lost
                    });
                }
                if dice.roll(20) == 0 {
                    struck.cuts.fetch_add(1, Ordering::Relaxed);
                    let error = CoordError::Unavailable {
                        operation: "watch",
                        reason: "cut".to_owned(),
                        outcome: Outcome::NotApplied,
                        source: None,
                    };
                    item = WatchItem::End(WatchEnd::Broken(error));
                }
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        Ok(RawWatch::new(items, Some(task.abort_handle())))
    }

    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError> {
        self.memory.open_session(ttl).await
    }

    async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        self.memory.close_session(session).await
    }

    async fn ping(&self) -> Result<(), CoordError> {
        self.memory.ping().await
    }

    fn abandon(&self) {
        self.memory.abandon();
    }

    async fn close(&self, deadline: Deadline) -> CloseReport {
        self.memory.close(deadline).await
    }
}

/// What a reader of a watch believes to be stored.
async fn read(mut watch: Watch<u64>, mut dice: Dice) -> (BTreeMap<String, u64>, u64) {
    let (mut believed, mut versions, mut told) = (BTreeMap::new(), BTreeMap::new(), 0);
    while let Some(event) = watch.next().await {
        told += 1;
        let last = versions.insert(event.key().to_owned(), event.version());
        assert!(last.is_none_or(|last| last < event.version()), "{event:?} after version {last:?}");
        match event {
            WatchEvent::Put { key, value, .. } => drop(believed.insert(key, value)),
            WatchEvent::Delete { key, .. } => drop(believed.remove(&key)),
            WatchEvent::Undecodable { .. } => panic!("{event:?}"),
        }
        if dice.roll(30) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.roll(40))).await;
        }
    }
    (believed, told)
}

// CRD-R3
#[tokio::test(start_paused = true)]
async fn whatever_happens_to_the_connection_every_reader_ends_up_with_what_is_stored() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let struck = Arc::new(Struck::default());
    let clock = Clock::system();
    let memory = Memory::open("", &clock);
    let dice_of_bad = std::sync::Mutex::new(Dice(dice.roll(u64::MAX) | 1));
    let bad = Arc::new(Bad { memory, dice: dice_of_bad, struck: Arc::clone(&struck) });
    let mut readers = Vec::new();
    for _ in 0..3 {
        let range = Range::Prefix("/k/".to_owned());
        let backend = Arc::clone(&bad) as Arc<dyn Backend>;
        let feed = feed::Feed::open(backend, range, clock.clone(), Duration::from_secs(30)).await.unwrap();
        readers.push(tokio::spawn(read(Watch::start(feed, clock.clone()), Dice(dice.roll(u64::MAX) | 1))));
    }
    for step in 0..20_000_u64 {
        let key = format!("/k/{}", dice.roll(50));
        let then = match dice.roll(3) {
            0 => Step::Delete(key),
            _ => Step::Put { key, value: serde_json::to_vec(&step).unwrap().into(), session: 0 },
        };
        bad.commit("test", Txn { then: vec![then], ..Txn::default() }).await.unwrap();
        if dice.roll(500) == 0 {
            bad.compact();
        }
        if dice.roll(10) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.roll(20))).await;
        }
    }
    // Long enough for one more comparison of each.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let stored: BTreeMap<String, u64> = bad
        .list(&Range::Prefix("/k/".to_owned()))
        .await
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| (entry.key, serde_json::from_slice(&entry.value).unwrap()))
        .collect();
    let _ = bad.close(Deadline::after(Duration::from_secs(1))).await;
    for reader in readers {
        let (believed, told) = reader.await.unwrap();
        println!("a reader was told of {told} changes");
        assert_eq!(believed, stored, "seed {seed}");
    }
    println!("{struck:?}");
    for (fault, count) in
        [("cut", &struck.cuts), ("lost deletion", &struck.lost_deletions), ("compaction", &struck.compactions)]
    {
        assert!(count.load(Ordering::Relaxed) > 0, "no {fault} struck, seed {seed}");
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0, "tasks are left");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_dropped_leaves_no_task() {
    let clock = Clock::system();
    let memory: Arc<dyn Backend> = Arc::new(Memory::open("", &clock));
    let feed =
        feed::Feed::open(Arc::clone(&memory), Range::Key("/a".to_owned()), clock.clone(), Duration::from_secs(30));
    let watch: Watch<u64> = Watch::start(feed.await.unwrap(), clock);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    assert!(metrics.num_alive_tasks() > 0);
    drop(watch);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(metrics.num_alive_tasks(), 0);
}
