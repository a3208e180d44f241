//! What coordination costs, beside the plain client of etcd on the same server. See the README of `benches`.

#[allow(dead_code, reason = "nothing here counts allocations")]
#[path = "../../container/src/line.rs"]
mod line;
#[allow(dead_code, reason = "nothing here counts allocations")]
#[path = "../../container/src/series.rs"]
mod series;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etcd_client::{Client, LockOptions};
use gone_config::{ConfigSource, Live};
use gone_coord::{Coord, CoordConfig, Locks, ServiceInfo};
use gone_test_bench::{Etcd, Server};
use tokio::runtime::Runtime;
use work::{nanos, repeated};

use crate::line::{Bar, ROUNDS, compare, head};

/// Calls of one sample, each timed by itself; the sample is their median.
const CALLS: usize = 100;
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
        let config = CoordConfig { url: format!("etcd://{}", server.address()), ..CoordConfig::default() };
        let coord = or_die(runtime.block_on(Coord::connect(&config)));
        let client = or_die(runtime.block_on(Client::connect([server.url()], None)));
        Self { runtime, coord, client }
    }

    fn reads_and_writes(&self) {
        let centre = self.coord.config();
        or_die(self.runtime.block_on(centre.set(KEY, "a value of some thirty letters")));
        let ours = || median(self.runtime, async || or_die(centre.get::<String>(KEY).await));
        let theirs = || {
            let mut client = self.client.clone();
            median(self.runtime, async || or_die(client.get(KEY, None).await))
        };
        compare("get", ROUNDS, ours, theirs).bar(Bar::Times(1.03)).print();
        let ours = || median(self.runtime, async || or_die(centre.set(KEY, "a value of some thirty letters").await));
        let theirs = || {
            let mut client = self.client.clone();
            median(self.runtime, async || or_die(client.put(KEY, VALUE, None).await))
        };
        compare("put", ROUNDS, ours, theirs).bar(Bar::Times(1.03)).print();
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
        "## Coordination on etcd\n\n`floor` is etcd-client on the same server, of lookups the clone of an `Arc`. The time of a call is \
         the median of {CALLS}, one after the other.\n"
    );
    head();
    bench.reads_and_writes();
    bench.locks();
    bench.lookups();
    drop(bench);
    or_die(runtime.block_on(server.stop()));
    or_die(std::fs::remove_dir_all(folder));
}
