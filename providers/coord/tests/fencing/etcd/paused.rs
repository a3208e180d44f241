//! One holder, stopped for longer than its ttl while another takes its lock.

use std::time::{Duration, Instant};

use gone_coord::CoordError;
use gone_test_bench::Role;

use super::{Place, TTL};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes the lock and counts upwards under it, until it may not.
async fn hold() {
    let coord = Place::told().connect().await;
    let lock = coord.lock().acquire("a", TTL).await.unwrap();
    let lease = lock.lease().clone();
    tokio::spawn(async move {
        let end = lease.lost().await;
        Role::say(&format!("told: {end}"));
    });
    for step in 1.. {
        let written = async { lock.guarded().set("/step", &step)?.commit().await };
        match written.await {
            Ok(_) if step == 2 => Role::say("holds"),
            Ok(_) => {}
            Err(error @ CoordError::Lost { .. }) => {
                Role::say(&format!("refused: {error}"));
                break;
            }
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    std::future::pending::<()>().await;
}

/// In each round a holder is stopped for three times its ttl, meanwhile another takes the lock, and the first wakes.
async fn stop_and_wake(test: &str, rounds: usize) {
    if Role::is("holder") {
        return hold().await;
    }
    let place = Place::new(test).await;
    let coord = place.connect().await;
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        let mut holder = Role::start(&format!("etcd::paused::{test}"), "holder", &place.environment()).unwrap();
        assert_eq!(holder.line(PATIENCE).await.unwrap(), "holds");
        tokio::time::sleep(Duration::from_millis(20)).await;
        holder.pause();
        let stopped = Instant::now();
        let next = tokio::time::timeout(PATIENCE, coord.lock().acquire("a", TTL)).await.unwrap().unwrap();
        tokio::time::sleep((3 * TTL).saturating_sub(stopped.elapsed())).await;
        let (last, version) = coord.config().get_with_version::<u64>("/step").await.unwrap();

        holder.resume();
        let woken = Instant::now();
        let mut said = [holder.line(PATIENCE).await.unwrap(), holder.line(PATIENCE).await.unwrap()];
        slowest = slowest.max(woken.elapsed());
        said.sort();
        // Its own clock has told it, before its next step, and not the store.
        assert_eq!(said[0], "refused: `a` is no longer held: it was not renewed in time");
        assert_eq!(said[1], "told: it was not renewed in time");
        assert_eq!(coord.config().get_with_version::<u64>("/step").await.unwrap(), (last, version));
        next.unlock().await.unwrap();
        holder.kill9();
    }
    println!("{rounds} holders were stopped and woke; the slowest knew {slowest:?} after it had woken");
    assert!(slowest < Duration::from_secs(2));
}

// CRD-R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_holder_that_was_stopped_knows_before_its_next_step() {
    stop_and_wake("a_holder_that_was_stopped_knows_before_its_next_step", 3).await;
}

// CRD-R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_a_holder_that_was_stopped_knows_before_its_next_step() {
    stop_and_wake("full_size_a_holder_that_was_stopped_knows_before_its_next_step", 100).await;
}
