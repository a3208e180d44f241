//! What coordination costs, beside the plain client of etcd on the same server. See the README of `benches`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etcd_client::{Client, LockOptions};
use gone_config::{ConfigSource, Live};
use gone_coord::{Coord, CoordConfig, Locks, ServiceInfo};
use gone_test_bench::{Etcd, Server};
use measure::{Bar, ROUNDS, compare, head, nanos, repeated};
use tokio::runtime::Runtime;

/// Calls of one sample, each timed by itself; the sample is their median.
const CALLS: usize = 100;
/// Calls of each side, in turn; their median counts.
const TURNS: usize = 20_000;
const CALL_BAR: f64 = 1.03;
/// Lookups of one sample.
const LOOKUPS: u32 = 100_000;
/// Instances of the service that is looked up.
const INSTANCES: u16 = 10;
const KEY: &str = "/bench/key";
const VALUE: &str = "\"a value of some thirty letters\"";
const TTL: Duration = Duration::from_secs(30);

fn or_die<T, E: std::fmt::Display>(done: Result<T, E>) -> T {
    done.unwrap_or_else(|error| panic!("{error}"))
}

/// The median time of a call.
fn median<T>(runtime: &Runtime, mut call: impl AsyncFnMut() -> T) -> f64 {
    let mut times: Vec<f64> = runtime.block_on(async {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let begun = Instant::now();
            call().await;
            times.push(nanos(begun.elapsed()));
        }
        times
    });
    times.sort_unstable_by(f64::total_cmp);
    times[CALLS / 2]
}

/// One etcd, and both clients of it on the same runtime.
struct Bench<'a> {
    runtime: &'a Runtime,
    coord: Coord,
    client: Client,
}

impl<'a> Bench<'a> {
    fn open(runtime: &'a Runtime, server: &Server<Etcd>) -> Self {
        let config = CoordConfig { url: format!("etcd://{}", server.address()).into(), ..CoordConfig::default() };
        let coord = or_die(runtime.block_on(Coord::connect(&config)));
        let client = or_die(runtime.block_on(Client::connect([server.url()], None)));
        Self { runtime, coord, client }
    }

    fn reads_and_writes(&self) {
        let centre = self.coord.config();
        or_die(self.runtime.block_on(centre.set(KEY, "a value of some thirty letters")));
        let (client, control) = (self.client.clone(), self.client.clone());
        self.call(
            "get",
            async || drop(or_die(centre.get::<String>(KEY).await)),
            async || drop(or_die(client.clone().get(KEY, None).await)),
            async || drop(or_die(control.clone().get(KEY, None).await)),
        );
        self.call(
            "put",
            async || _ = or_die(centre.set(KEY, "a value of some thirty letters").await),
            async || drop(or_die(client.clone().put(KEY, VALUE, None).await)),
            async || drop(or_die(control.clone().put(KEY, VALUE, None).await)),
        );
    }

    /// One call of each after the other, each time begun with another, so that whatever the machine does strikes all alike.
    fn call(&self, what: &str, ours: impl AsyncFn(), theirs: impl AsyncFn(), control: impl AsyncFn()) {
        let mut times = [(); 3].map(|()| Vec::with_capacity(TURNS));
        self.runtime.block_on(async {
            for turn in 0..TURNS {
                for side in (0..3).map(|side| (side + turn) % 3) {
                    let begun = Instant::now();
                    match side {
                        0 => ours().await,
                        1 => theirs().await,
                        _ => control().await,
                    }
                    times[side].push(nanos(begun.elapsed()));
                }
            }
        });
        let [ours, theirs, control] = times.map(|mut times| {
            times.sort_unstable_by(f64::total_cmp);
            times[TURNS / 2] / 1_000.0
        });
        let (ratio, itself) = (ours / theirs, control / theirs);
        let verdict = match ratio {
            _ if (itself - 1.0).abs() > CALL_BAR - 1.0 => "undecided",
            _ if ratio <= CALL_BAR => "kept",
            _ => "MISSED",
        };
        println!("| {what} | {ours:.1} µs | {theirs:.1} µs | {ratio:.3} | {itself:.3} | {CALL_BAR} x | {verdict} |");
    }

    /// Nobody else wants the lock.
    fn locks(&self) {
        let locks = self.coord.lock();
        let ours = || median(self.runtime, async || lock_and_unlock(&locks).await);
        let theirs = || {
            let client = self.client.clone();
            median(self.runtime, async || recipe(client.clone()).await)
        };
        compare("lock + unlock", ROUNDS, ours, theirs).bar(Bar::Times(0.55)).print();
    }

    /// What needs no call; the floor is the clone of an `Arc`.
    fn lookups(&self) {
        let registry = self.coord.registry();
        let (_held, discovery) = self.runtime.block_on(async {
            let mut held = Vec::new();
            for number in 0..INSTANCES {
                let instance = ServiceInfo::new("bench", number.to_string(), "127.0.0.1", 8_000 + number);
                held.push(or_die(registry.register(instance, TTL).await));
            }
            let discovery = or_die(registry.discovery("bench").await);
            (held, discovery)
        });
        assert_eq!(discovery.instances().list().len(), usize::from(INSTANCES));
        let settings = or_die(ConfigSource::hermetic().set("limits.per_minute", 60).read());
        let live = or_die(settings.section::<Limits>("limits")).per_minute;
        let shared = Arc::new(60);
        let sides: [(&str, &dyn Fn()); 3] = [
            ("instances of a service", &|| drop(black_box(discovery.instances()))),
            ("one instance of a service, in turn", &|| drop(black_box(discovery.pick()))),
            ("a live value of the config", &|| drop(black_box(live.get()))),
        ];
        for (what, side) in sides {
            let floor = || repeated(LOOKUPS, || black_box(&shared).clone());
            compare(what, ROUNDS, || repeated(LOOKUPS, side), floor).bar(Bar::Nanos(50.0)).print();
        }
    }
}

#[derive(serde::Deserialize)]
struct Limits {
    per_minute: Live<u32>,
}

async fn lock_and_unlock(locks: &Locks) {
    let lock = or_die(locks.acquire("bench", TTL).await);
    or_die(lock.unlock().await);
}

/// The lock of etcd's own, as its clients use it: on a lease that is theirs.
async fn recipe(mut client: Client) {
    let lease = or_die(client.lease_grant(TTL.as_secs().cast_signed(), None).await).id();
    let lock = or_die(client.lock("bench", Some(LockOptions::new().with_lease(lease))).await);
    or_die(client.unlock(lock.key()).await);
    or_die(client.lease_revoke(lease).await);
}

fn main() {
    let runtime = or_die(tokio::runtime::Builder::new_current_thread().enable_all().build());
    // In memory, so that no disk is measured.
    let folder = format!("/dev/shm/gone-bench-{}", std::process::id());
    let server = or_die(runtime.block_on(Etcd::new().flag(&format!("--data-dir={folder}")).start()));
    let bench = Bench::open(&runtime, &server);
    println!(
        "## Coordination on etcd\n\nMedians of {TURNS} calls of each side in turn; the peer is etcd-client on the same server.\n"
    );
    println!(
        "| what | gone | etcd-client | ratio | etcd-client beside itself | bar | verdict |\n|---|---|---|---|---|---|---|"
    );
    bench.reads_and_writes();
    println!(
        "\n`floor` is etcd's own recipe for a lock, of lookups the clone of an `Arc`. The time of a lock is the median of {CALLS}, one \
         after the other.\n"
    );
    head();
    bench.locks();
    bench.lookups();
    drop(bench);
    or_die(runtime.block_on(server.stop()));
    or_die(std::fs::remove_dir_all(folder));
}
