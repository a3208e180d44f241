//! A watch on etcd behind a network that is cut over and over, while the history is compacted.
#![cfg(feature = "etcd")]

#[path = "conformance/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordConfig, Watch, WatchEvent, WatchStatus};
use gone_core::Deadline;
use gone_test_bench::{Etcd, Proxy, Server};
use random::Random;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const PREFIX: &str = "/soak/";
const KEYS: u64 = 500;
const WRITERS: u64 = 4;
const CUT_EVERY: Duration = Duration::from_millis(500);
const COMPACT_EVERY: Duration = Duration::from_secs(1);

async fn connect(address: &str) -> Coord {
    let config = CoordConfig { url: format!("etcd://{address}").into(), ..CoordConfig::default() };
    Coord::connect(&config).await.expect("etcd is there")
}

/// Puts and deletes; each value of a key is higher than the one before. The highest version is kept in `version`.
async fn write(coord: Coord, own: Vec<u64>, operations: u64, random: Random, version: Arc<AtomicI64>) {
    let centre = coord.config();
    let mut there = BTreeMap::new();
    for value in 0..operations {
        let key = own[random.below(own.len() as u64) as usize];
        let path = format!("{PREFIX}{key:03}");
        if there.remove(&key).is_some() && random.below(4) == 0 {
            centre.delete(&path).await.expect("it is there");
        } else {
            let written = centre.set(&path, &value).await.expect("nothing is wrong with this connection");
            version.fetch_max(written, Ordering::Relaxed);
            there.insert(key, value);
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// What a reader knows: the value and its version; `None`: deleted.
type Known = BTreeMap<String, (Option<u64>, i64)>;

struct Reader {
    watch: Watch<u64>,
    known: Known,
    pause: Duration,
}

impl Reader {
    async fn start(coord: &Coord, pause: Duration) -> Self {
        let mut watch = coord.config().watch_prefix(PREFIX).await.expect("it is connected");
        assert!(watch.initial().is_empty());
        Self { watch, known: Known::new(), pause }
    }

    /// Takes events in until it knows what is wanted, which is said when all is written.
    async fn read(mut self, mut wanted: tokio::sync::watch::Receiver<Option<Arc<Known>>>) -> WatchStatus {
        loop {
            let all = wanted.borrow_and_update().clone();
            if all.as_ref().is_some_and(|all| self.knows(all)) {
                return self.watch.status();
            }
            tokio::select! {
                event = self.watch.next() => self.take(event.expect("the connection is open")),
                _ = wanted.changed() => {}
                () = sleep(10 * SECOND), if all.is_some() => panic!("not all is known: {:?}", self.watch.status()),
            }
            sleep(self.pause).await;
        }
    }

    fn take(&mut self, event: WatchEvent<u64>) {
        let (key, version) = (event.key().to_owned(), event.version());
        let value = match event {
            WatchEvent::Put { value, .. } => Some(value),
            WatchEvent::Delete { .. } => None,
            other => panic!("all values are numbers: {other:?}"),
        };
        if let Some((before, last)) = self.known.insert(key.clone(), (value, version)) {
            assert!(version > last, "{key} went back from {last} to {version}");
            assert!(value.is_none() || value >= before, "{key} went back from {before:?} to {value:?}");
        }
    }

    /// What is stored, and nothing else. The version of a deletion is not stored.
    fn knows(&self, all: &Known) -> bool {
        let there = self.known.iter().filter(|(_, (value, _))| value.is_some());
        there.eq(all.iter())
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Cuts the network every half second for a moment, and compacts the history every second, while the network is cut, until told
/// to stop; says how often.
fn break_things(
    server: Server<Etcd>,
    proxy: Proxy,
    version: Arc<AtomicI64>,
    random: Random,
    stop: Arc<AtomicBool>,
) -> JoinHandle<(u64, Proxy)> {
    tokio::spawn(async move {
        let (mut compactions, mut compacted, mut last) = (0, 0, Instant::now());
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            proxy.cut();
            sleep(Duration::from_millis(random.below(150))).await;
            let newest = version.load(Ordering::Relaxed);
            if last.elapsed() >= COMPACT_EVERY && newest > compacted {
                server.etcdctl(&["compaction", &newest.to_string()]).await.expect("etcd is there");
                (compacted, last) = (newest, Instant::now());
                compactions += 1;
            }
            proxy.heal();
            sleep(CUT_EVERY.saturating_sub(begun.elapsed())).await;
        }
        (compactions, proxy)
    })
}

/// So many writes; a fast reader and one that lags behind end up with what is stored.
async fn soak(writes: u64) {
    let random = Random::printed();
    let server = Etcd::new().start().await.expect("etcd starts");
    let proxy = Proxy::start(&server.address()).expect("a proxy");
    let (writer, watched) = (connect(&server.address()).await, connect(&proxy.address()).await);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // What is renewed by the connections themselves is there before and after.
    let before = tasks();

    let (tell, wanted) = tokio::sync::watch::channel(None);
    let mut readers = Vec::new();
    for pause in [Duration::ZERO, Duration::from_millis(3)] {
        let reader = Reader::start(&watched, pause).await;
        readers.push(tokio::spawn(reader.read(wanted.clone())));
    }
    let (version, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let breaking = break_things(server.clone(), proxy, version.clone(), random.split(), stop.clone());
    let mut writing = Vec::new();
    for number in 0..WRITERS {
        let own = (0..KEYS).filter(|key| key % WRITERS == number).collect();
        let work = write(writer.clone(), own, writes / WRITERS, random.split(), version.clone());
        writing.push(tokio::spawn(work));
    }
    for writing in writing {
        writing.await.expect("all is written");
    }
    // The readers see the end through the same faults.
    let mut stored = writer.config().watch_prefix::<u64>(PREFIX).await.expect("nothing is wrong with this connection");
    let all: Known = stored
        .initial()
        .into_iter()
        .map(|event| match event {
            WatchEvent::Put { key, value, version } => (key, (Some(value), version)),
            other => panic!("all values are numbers: {other:?}"),
        })
        .collect();
    drop(stored);
    println!("{} keys are stored", all.len());
    tell.send_replace(Some(Arc::new(all)));
    let (mut breaks, mut listings) = (0, 0);
    for reader in readers {
        let status = reader.await.expect("it knows all in the end");
        breaks += status.breaks;
        listings += status.listings;
    }
    stop.store(true, Ordering::Relaxed);
    let (compactions, proxy) = breaking.await.expect("no panic");
    let cut = proxy.struck().cut;
    println!("{cut} connections cut, {compactions} compactions; {breaks} breaks of watches, {listings} listings");
    assert!(cut > 0 && compactions > 0 && breaks > 0);
    assert!(listings > 2, "no compaction came between what was seen and what came next");

    let begun = Instant::now();
    while tasks() > before {
        assert!(begun.elapsed() < 5 * SECOND, "{} tasks are left over", tasks() - before);
        sleep(Duration::from_millis(20)).await;
    }
    assert!(watched.close(Deadline::after(SECOND)).await.is_clean());
    assert!(writer.close(Deadline::after(SECOND)).await.is_clean());
}

// CRD-R3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_watch_ends_up_with_what_is_stored_however_often_it_is_cut() {
    soak(10_000).await;
}

// CRD-R3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_a_watch_ends_up_with_what_is_stored_however_often_it_is_cut() {
    soak(100_000).await;
}
