//! What an identifier costs, beside `snowflaked` and `uuid`. See the README of `benches`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordConfig};
use gone_uid::{Uid, UidConfig};
use measure::{Bar, ROUNDS, compare, head, nanos, repeated};
use tokio::runtime::{Handle, Runtime};
use uuid::Uuid;

/// A millisecond has 4096 ids: 99 in a hundred of the most that there can be.
const SATURATED: f64 = 1e6 / 4096.0 / 0.99;
const SATURATED_ROUNDS: usize = 15;
/// Milliseconds of one saturated sample.
const FULL: u32 = 128;

/// Ids of one burst, which one millisecond has room for.
const BURST: u32 = 2_000;
/// Bursts of one sample.
const BURSTS: u32 = 5;
const UUIDS: u32 = 20_000;

async fn open() -> Uid {
    let coord = Coord::connect(&CoordConfig::default()).await.unwrap_or_else(|error| panic!("{error}"));
    let config = UidConfig { service_name: "bench".to_owned(), ..UidConfig::default() };
    Uid::open(&config, Some(&coord)).await.unwrap_or_else(|error| panic!("{error}"))
}

fn one(uid: &Uid) -> i64 {
    uid.try_snowflake().unwrap_or_else(|error| panic!("{error}"))
}

async fn next(uid: &Uid) -> i64 {
    uid.snowflake().await.unwrap_or_else(|error| panic!("{error}"))
}

/// Waits for a millisecond, and takes its first id.
async fn fresh(uid: &Uid) {
    while uid.try_snowflake().is_ok() {}
    next(uid).await;
}

/// From the first id of a millisecond to that of the one which is so many milliseconds of ids later.
fn saturated(runtime: &Handle, uid: &Uid) -> f64 {
    runtime.block_on(async {
        fresh(uid).await;
        let begun = Instant::now();
        for _ in 0..FULL * 4096 {
            black_box(next(uid).await);
        }
        nanos(begun.elapsed()) / f64::from(FULL * 4096)
    })
}

fn saturated_peer(peer: &snowflaked::sync::Generator) -> f64 {
    repeated(FULL * 4096, || peer.generate::<i64>())
}

/// Eight threads that share the work. The time is that of all.
fn eight(work: impl Fn(u32) + Sync) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| work(FULL * 4096 / 8));
        }
    });
    nanos(begun.elapsed()) / f64::from(FULL * 4096)
}

/// Bursts that no millisecond is too short for, each after a pause.
fn bursts(mut burst: impl FnMut() -> f64) -> f64 {
    let mut sum = 0.0;
    for _ in 0..BURSTS {
        std::thread::sleep(Duration::from_micros(2_500));
        sum += burst();
    }
    sum / f64::from(BURSTS)
}

fn snowflakes(runtime: &Runtime) {
    let (uid, peer) = (runtime.block_on(open()), snowflaked::sync::Generator::new(1));
    let handle = runtime.handle();
    compare("saturated, 1 thread", SATURATED_ROUNDS, || saturated(handle, &uid), || saturated_peer(&peer))
        .bar(Bar::Nanos(SATURATED))
        .print();
    let ours = || {
        handle.block_on(fresh(&uid));
        eight(|ids| {
            handle.block_on(async {
                for _ in 0..ids {
                    black_box(next(&uid).await);
                }
            });
        })
    };
    let theirs = || {
        eight(|ids| {
            for _ in 0..ids {
                black_box(peer.generate::<i64>());
            }
        })
    };
    compare("saturated, 8 threads", SATURATED_ROUNDS, ours, theirs).bar(Bar::Nanos(SATURATED)).print();

    let theirs = || bursts(|| repeated(BURST, || peer.generate::<i64>()));
    let ours = || bursts(|| repeated(BURST, || one(&uid)));
    let line = compare("unsaturated, try_snowflake", ROUNDS, ours, theirs).bar(Bar::Nanos(60.0));
    line.allocations(|| one(&uid), || peer.generate::<i64>()).print();
    let ours = || {
        bursts(|| {
            handle.block_on(async {
                let begun = Instant::now();
                for _ in 0..BURST {
                    black_box(next(&uid).await);
                }
                nanos(begun.elapsed()) / f64::from(BURST)
            })
        })
    };
    compare("unsaturated, snowflake().await", ROUNDS, ours, theirs).bar(Bar::Nanos(60.0)).print();
    let clock = || bursts(|| repeated(BURST, Instant::now));
    let ours = || bursts(|| repeated(BURST, || one(&uid)));
    compare("try_snowflake, over one reading of a clock", ROUNDS, ours, clock).print();
    let ours = || {
        bursts(|| {
            let begun = Instant::now();
            let ids = runtime.block_on(uid.reserve(BURST)).unwrap_or_else(|error| panic!("{error}"));
            black_box(ids.map(black_box).count());
            nanos(begun.elapsed()) / f64::from(BURST)
        })
    };
    compare("reserve(2000), for one", ROUNDS, ours, theirs).print();
}

fn uuids(runtime: &Runtime) {
    let uid = runtime.block_on(open());
    compare("uuid_v7", ROUNDS, || repeated(UUIDS, || uid.uuid_v7()), || repeated(UUIDS, Uuid::now_v7))
        .bar(Bar::Times(1.1))
        .allocations(|| uid.uuid_v7(), Uuid::now_v7)
        .print();
    let both = |work: &(dyn Fn() + Sync)| {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..UUIDS).for_each(|_| work()));
            }
        });
        nanos(begun.elapsed()) / f64::from(UUIDS * 2)
    };
    let ours = || both(&|| _ = black_box(uid.uuid_v7()));
    let theirs = || both(&|| _ = black_box(Uuid::now_v7()));
    compare("uuid_v7, 2 threads", ROUNDS, ours, theirs).bar(Bar::Times(1.1)).print();
    let text = || Uuid::now_v7().to_string();
    compare("uuid_v7_text", ROUNDS, || repeated(UUIDS, || uid.uuid_v7_text()), || repeated(UUIDS, text))
        .bar(Bar::Times(1.1))
        .allocations(|| uid.uuid_v7_text(), text)
        .print();
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
    println!(
        "## What an identifier costs\n\n`floor` is snowflaked for snowflakes, uuid for UUIDs, or as the line says. The least \
         that a saturated millisecond allows is {:.1} ns.\n",
        1e6 / 4096.0
    );
    head();
    snowflakes(&runtime);
    uuids(&runtime);
}
