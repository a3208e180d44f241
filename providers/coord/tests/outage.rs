//! What a connection to etcd does while etcd is away, with the durations that the config has by default.
#![cfg(feature = "etcd")]

use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordConfig, CoordError, Lock, Watch, WatchEvent};
use gone_core::Deadline;
use gone_kit::Outcome;
use gone_test_bench::{Cell, Client, Etcd, Fault, Phase, Times, outage_matrix};

const KEY: &str = "/outage/value";
const SECOND: Duration = Duration::from_secs(1);

/// A connection that holds a lock and watches a value.
struct Connected {
    coord: Coord,
    watch: Watch<u64>,
    /// The last value that the watch told of.
    known: u64,
    /// Taken while all is well: what is to be given back at the end.
    lock: Option<Lock>,
}

fn config(address: &str) -> CoordConfig {
    CoordConfig { url: format!("etcd://{address}").into(), ..CoordConfig::default() }
}

/// The kind of an error, and what became of the write.
fn word(error: &CoordError) -> String {
    let kind = match error {
        CoordError::Timeout { .. } => "timeout",
        CoordError::Unavailable { .. } => "unavailable",
        CoordError::Refused { .. } => "refused",
        _ => return format!("{error:?}"),
    };
    let outcome = match error.outcome() {
        Outcome::Unknown => "unknown",
        Outcome::NotApplied => "not applied",
        other => return format!("{kind}, {other:?}"),
    };
    format!("{kind}, {outcome}")
}

/// A number that nobody has written.
fn fresh() -> u64 {
    static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    LAST.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
}

async fn write(address: &str) -> u64 {
    let (other, value) = (Coord::connect(&config(address)).await.unwrap(), fresh());
    other.config().set(KEY, &value).await.unwrap();
    let _ = other.close(Deadline::after(SECOND)).await;
    value
}

impl Connected {
    /// Reads the watch until the value is known, or the time is over.
    async fn knows(&mut self, value: u64, within: Duration) -> bool {
        let seen = async {
            while self.known != value {
                match self.watch.next().await {
                    Some(WatchEvent::Put { value, .. }) => self.known = value,
                    Some(other) => panic!("nobody wrote that: {other:?}"),
                    None => panic!("the watch has ended"),
                }
            }
        };
        tokio::time::timeout(within, seen).await.is_ok()
    }
}

impl Client for Connected {
    async fn start(address: &str) -> Result<Self, String> {
        let coord = Coord::connect(&config(address)).await.map_err(|error| word(&error))?;
        let watch = coord.config().watch(KEY).await.map_err(|error| word(&error))?;
        Ok(Self { coord, watch, known: 0, lock: None })
    }

    async fn call(&mut self) -> String {
        match self.coord.config().set("/outage/call", &1).await {
            Ok(_) => "done".into(),
            Err(error) => word(&error),
        }
    }

    async fn reload(&mut self, direct: Option<&str>, within: Duration) -> String {
        let begun = Instant::now();
        let value = match direct {
            Some(address) => write(address).await,
            None => fresh(),
        };
        let known = self.known;
        match self.knows(value, within.saturating_sub(begun.elapsed())).await {
            true => "sees the change".into(),
            false if self.known == known => "keeps the last".into(),
            false => format!("knows {} where {known} was the last", self.known),
        }
    }

    async fn stop(self) -> String {
        let report = self.coord.close(Deadline::after(3 * SECOND)).await;
        format!("{} given back, {} lost", report.flushed, report.lost)
    }

    async fn recover(&mut self, direct: &str) {
        let value = write(direct).await;
        while self.coord.config().set("/outage/call", &1).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if self.lock.is_none() {
            self.lock = Some(self.coord.lock().acquire(&format!("/outage/lock/{value}"), 10 * SECOND).await.unwrap());
        }
        assert!(self.knows(value, 60 * SECOND).await);
    }
}

/// A request that was on its way when the connection broke may have been done; any other is tried until its time is over.
const BROKEN: &[&str] = &["unavailable, not applied", "unavailable, unknown"];

const CELLS: [Cell; 24] = [
    cell(Fault::Refused, Phase::Start, &["unavailable, not applied"], 100),
    cell(Fault::Refused, Phase::Call, BROKEN, 5_000),
    cell(Fault::Refused, Phase::Reload, &["keeps the last"], 3_000),
    cell(Fault::Refused, Phase::Stop, &["0 given back, 1 lost"], 3_000),
    cell(Fault::Blackhole, Phase::Start, &["unavailable, not applied"], 5_000),
    // Not five seconds: who watches, or holds something, learns from its probes that nobody answers.
    cell(Fault::Blackhole, Phase::Call, &["unavailable, unknown"], 3_000),
    cell(Fault::Blackhole, Phase::Reload, &["keeps the last"], 3_000),
    cell(Fault::Blackhole, Phase::Stop, &["0 given back, 1 lost"], 3_000),
    cell(Fault::Paused, Phase::Start, &["unavailable, not applied"], 5_000),
    cell(Fault::Paused, Phase::Call, &["unavailable, unknown"], 3_000),
    cell(Fault::Paused, Phase::Reload, &["keeps the last"], 3_000),
    cell(Fault::Paused, Phase::Stop, &["0 given back, 1 lost"], 3_000),
    cell(Fault::Killed, Phase::Start, &["unavailable, not applied"], 100),
    cell(Fault::Killed, Phase::Call, BROKEN, 5_000),
    cell(Fault::Killed, Phase::Reload, &["keeps the last"], 3_000),
    cell(Fault::Killed, Phase::Stop, &["0 given back, 1 lost"], 3_000),
    // To connect and to begin to watch.
    cell(Fault::Slow, Phase::Start, &["done"], 10_000),
    cell(Fault::Slow, Phase::Call, &["done"], 5_000),
    cell(Fault::Slow, Phase::Reload, &["sees the change"], 5_000),
    cell(Fault::Slow, Phase::Stop, &["1 given back, 0 lost"], 3_000),
    cell(Fault::WrongData, Phase::Start, &["unavailable, not applied"], 5_000),
    cell(Fault::WrongData, Phase::Call, &["unavailable, unknown"], 5_000),
    cell(Fault::WrongData, Phase::Reload, &["keeps the last"], 3_000),
    cell(Fault::WrongData, Phase::Stop, &["0 given back, 1 lost"], 3_000),
];

const fn cell(fault: Fault, phase: Phase, ends: &'static [&'static str], milliseconds: u64) -> Cell {
    Cell { fault, phase, ends, within: Duration::from_millis(milliseconds) }
}

async fn every_cell(times: Times) {
    let server = async || Etcd::new().start().await.unwrap();
    outage_matrix::<Etcd, Connected>(server, &CELLS, 3 * SECOND, times).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn every_outage_at_every_phase_ends_as_it_should() {
    every_cell(Times::Loose).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_every_outage_ends_in_the_time_that_is_promised() {
    for _ in 0..5 {
        every_cell(Times::Exact).await;
    }
}
