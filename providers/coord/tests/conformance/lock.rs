//! Locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gone_coord::{Coord, CoordError, Lock};
use gone_core::Deadline;
use gone_kit::LeaseEnd;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::At;
use crate::at::soon;
use crate::random::Random;

const TTL: Duration = Duration::from_secs(2);

/// Those who hold the lock and wait for it.
async fn queue(coord: &Coord, key: &str) -> Vec<String> {
    coord.config().list(&format!("/locks/{key}/")).await.unwrap()
}

async fn queue_of(coord: &Coord, key: &str, length: usize) {
    let reached = async {
        while queue(coord, key).await.len() != length {
            sleep(Duration::from_millis(10)).await;
        }
    };
    soon("the queue", reached).await;
}

/// Begins to wait for a lock, and comes back when its place in the queue is taken.
async fn waiting(coord: &Coord, key: &'static str, place: usize) -> JoinHandle<Result<Lock, CoordError>> {
    let locks = coord.lock();
    let waiting = tokio::spawn(async move { locks.acquire(key, TTL).await });
    queue_of(coord, key, place).await;
    waiting
}

// CRD-9
pub(crate) async fn a_lock_is_taken_and_given_back(At { coord, .. }: At) {
    let lock = coord.lock().acquire("orders/7", TTL).await.unwrap();
    assert!(lock.key().contains("orders/7"), "{}", lock.key());
    assert_eq!(queue(&coord, "orders/7").await, [lock.key()]);
    let ttl = lock.ttl().await.unwrap();
    assert!(ttl > Duration::ZERO && ttl < TTL, "{ttl:?}");
    assert!(lock.is_held() && lock.deadline().is_some() && lock.fencing() > 0);
    // It is renewed.
    sleep(2 * TTL).await;
    lock.check().unwrap();
    let lease = lock.lease().clone();
    lock.unlock().await.unwrap();
    assert_eq!(lease.end(), Some(LeaseEnd::Released));
    assert!(queue(&coord, "orders/7").await.is_empty());
}

/// etcd remembers all keys that ever were until its history is compacted, and reading a queue would take longer and longer.
pub(crate) async fn a_lock_that_is_taken_again_and_again_leaves_no_keys_behind(At { coord, .. }: At) {
    let (mut keys, mut highest) = (Vec::new(), 0);
    for round in 0..20 {
        let lock = coord.lock().acquire("a", TTL).await.unwrap();
        assert!(lock.fencing() > highest);
        highest = lock.fencing();
        keys.push(lock.key().to_owned());
        match round % 2 {
            0 => lock.unlock().await.unwrap(),
            _ => {
                drop(lock);
                queue_of(&coord, "a", 0).await;
                // The background hears of it a little later than the store.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "{keys:?}");
}

// CRD-10
pub(crate) async fn a_held_lock_is_refused_at_once_and_nothing_is_left_of_the_try(at: At) {
    let other = at.other().await;
    let lock = at.coord.lock().try_acquire("a", TTL).await.unwrap();
    for coord in [&at.coord, &other] {
        let begun = Instant::now();
        let refused = coord.lock().try_acquire("a", TTL).await.unwrap_err();
        assert!(matches!(&refused, CoordError::Conflict { key, .. } if key == "a"), "{refused}");
        assert!(begun.elapsed() < TTL);
    }
    assert_eq!(queue(&other, "a").await, [lock.key()]);
    lock.unlock().await.unwrap();
    other.lock().try_acquire("a", TTL).await.unwrap().unlock().await.unwrap();
}

// LCK-1
pub(crate) async fn who_waits_comes_in_its_order_with_a_higher_number(at: At) {
    let other = at.other().await;
    let mut held = at.coord.lock().acquire("a", TTL).await.unwrap();
    let mut waiters = Vec::new();
    for place in 2..=5 {
        let coord = if place % 2 == 0 { &other } else { &at.coord };
        waiters.push(waiting(coord, "a", place).await);
    }
    let refused = other.lock().try_acquire("a", TTL).await.unwrap_err();
    assert!(matches!(refused, CoordError::Conflict { .. }));
    for next in 0..waiters.len() {
        assert!(waiters[next..].iter().all(|waiter| !waiter.is_finished()));
        let fencing = held.fencing();
        held.unlock().await.unwrap();
        held = soon("the next one", &mut waiters[next]).await.unwrap().unwrap();
        assert!(held.fencing() > fencing);
    }
}

// LCK-2
pub(crate) async fn who_stops_waiting_leaves_the_queue(at: At) {
    let held = at.coord.lock().acquire("a", TTL).await.unwrap();
    let gives_up = waiting(&at.coord, "a", 2).await;
    let other = at.other().await;
    let stays = waiting(&other, "a", 3).await;
    gives_up.abort();
    queue_of(&at.coord, "a", 2).await;
    assert!(timeout(Duration::from_millis(50), at.coord.lock().acquire("a", TTL)).await.is_err());
    queue_of(&at.coord, "a", 2).await;
    assert!(!stays.is_finished());
    held.unlock().await.unwrap();
    soon("who stayed", stays).await.unwrap().unwrap().unlock().await.unwrap();
    assert!(queue(&at.coord, "a").await.is_empty());
}

// LCK-3
pub(crate) async fn a_dropped_lock_is_given_back(At { coord, .. }: At) {
    let lock = coord.lock().acquire("a", TTL).await.unwrap();
    let lease = lock.lease().clone();
    drop(lock);
    assert!(!lease.is_held());
    let lock = soon("the next one", coord.lock().acquire("a", TTL)).await.unwrap();
    // Also one whose unlocking is dropped.
    drop(lock.unlock());
    drop(soon("the next one", coord.lock().acquire("a", TTL)).await.unwrap());
    queue_of(&coord, "a", 0).await;
}

pub(crate) async fn who_asks_twice_waits_for_itself(At { coord, .. }: At) {
    let first = coord.lock().acquire("a", TTL).await.unwrap();
    let second = waiting(&coord, "a", 2).await;
    assert_ne!(queue(&coord, "a").await[0], queue(&coord, "a").await[1]);
    first.unlock().await.unwrap();
    let second = soon("the second", second).await.unwrap().unwrap();
    second.check().unwrap();
}

// LCK-5
pub(crate) async fn a_lock_and_one_whose_key_goes_on_are_two(at: At) {
    let inner = at.coord.lock().acquire("a/b", TTL).await.unwrap();
    let outer = soon("the outer one", at.coord.lock().acquire("a", TTL)).await.unwrap();
    outer.unlock().await.unwrap();
    let outer = at.coord.lock().try_acquire("a", TTL).await.unwrap();
    assert!(at.coord.lock().try_acquire("a", TTL).await.is_err());
    let other = at.other().await;
    let next = waiting(&other, "a", 3).await;
    inner.unlock().await.unwrap();
    let inner = at.coord.lock().acquire("a/b", TTL).await.unwrap();
    assert!(!next.is_finished());
    outer.unlock().await.unwrap();
    drop(soon("the next one", next).await.unwrap().unwrap());
    inner.check().unwrap();
}

// LCK-6
pub(crate) async fn closing_gives_back_what_is_held_and_ends_the_waiting(at: At) {
    let closed = at.other().await;
    let (held, waits) = (closed.lock().acquire("a", TTL).await.unwrap(), closed.lock());
    let elsewhere = at.coord.lock().acquire("b", TTL).await.unwrap();
    let waits = tokio::spawn(async move { waits.acquire("b", TTL).await });
    queue_of(&at.coord, "b", 2).await;
    let begun = Instant::now();
    assert!(closed.close(Deadline::after(Duration::from_secs(5))).await.is_clean());
    drop(at.coord.lock().try_acquire("a", TTL).await.unwrap());
    let error = soon("who waited", waits).await.unwrap().unwrap_err();
    assert!(begun.elapsed() < TTL);
    assert!(matches!(error, CoordError::Closed), "{error}");
    assert!(matches!(held.check(), Err(CoordError::Closed)));
    assert!(matches!(closed.lock().acquire("a", TTL).await, Err(CoordError::Closed)));
    // It was given back already.
    held.unlock().await.unwrap();
    assert_eq!(queue(&at.coord, "b").await, [elsewhere.key()]);
}

// LCK-7
pub(crate) async fn the_lock_of_a_killed_holder_is_free_after_its_ttl_and_the_holder_is_told_before(at: At) {
    let killed = at.other().await;
    let lock = killed.lock().acquire("a", TTL).await.unwrap();
    let next = waiting(&at.coord, "a", 2).await;
    let begun = Instant::now();
    drop(killed);
    let (told, taken) = tokio::join!(
        async {
            lock.lost().await;
            Instant::now()
        },
        async {
            let next = next.await.unwrap().unwrap();
            (Instant::now(), next)
        }
    );
    let (taken, next) = taken;
    println!("told after {:?}, taken after {:?}", told - begun, taken - begun);
    assert!(told < taken);
    // With a real server no more than a ceiling can be said.
    assert!(taken - begun <= 5 * TTL);
    assert!(next.fencing() > lock.fencing());
}

// LCK-8
pub(crate) async fn what_is_lost_cannot_be_given_back(at: At) {
    let killed = at.other().await;
    let lock = killed.lock().acquire("a", TTL).await.unwrap();
    drop(killed);
    lock.lost().await;
    assert!(!lock.is_held() && lock.deadline().is_none());
    assert!(matches!(lock.ttl().await, Err(CoordError::Lost { .. })));
    let error = lock.unlock().await.unwrap_err();
    assert_eq!(error.to_string(), "`a` is no longer held: it was lost: it is no longer renewed");

    // Somebody deletes its key.
    for ask_first in [true, false] {
        let lock = at.coord.lock().acquire("b", TTL).await.unwrap();
        at.coord.config().delete(lock.key()).await.unwrap();
        if ask_first {
            assert!(matches!(lock.ttl().await, Err(CoordError::Lost { .. })));
            assert!(!lock.is_held());
        }
        // Another has it, and keeps it.
        let next = at.coord.lock().try_acquire("b", TTL).await.unwrap();
        let error = lock.unlock().await.unwrap_err();
        assert_eq!(error.to_string(), "`b` is no longer held: it was lost: its key is gone");
        next.ttl().await.unwrap();
        next.unlock().await.unwrap();
    }
}

// LCK-9
pub(crate) async fn a_place_in_the_queue_that_is_gone_gives_no_lock(At { coord, .. }: At) {
    let lock = coord.lock().acquire("a", TTL).await.unwrap();
    let waits = waiting(&coord, "a", 2).await;
    let place = queue(&coord, "a").await.into_iter().find(|key| key != lock.key()).unwrap();
    coord.config().delete(&place).await.unwrap();
    lock.unlock().await.unwrap();
    let error = soon("who waited", waits).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "`a` is no longer held: it was lost: its place in the queue is gone");
}

// LCK-10
pub(crate) async fn a_guarded_write_is_done_only_while_the_lock_is_held(at: At) {
    let centre = at.coord.config();
    centre.set("/old", "x").await.unwrap();
    let lock = at.coord.lock().acquire("a", TTL).await.unwrap();
    let version = lock.guarded().set("/leader", "one").unwrap().delete("/old").commit().await.unwrap();
    assert_eq!(centre.get_with_version::<String>("/leader").await.unwrap(), ("one".to_owned(), version));
    assert!(matches!(centre.get::<String>("/old").await, Err(CoordError::NotFound { .. })));

    // The holder does not know it yet, but the store does.
    centre.delete(lock.key()).await.unwrap();
    let next = at.coord.lock().acquire("a", TTL).await.unwrap();
    assert!(lock.is_held());
    let error = lock.guarded().set("/leader", "stale").unwrap().commit().await.unwrap_err();
    assert!(matches!(error, CoordError::Lost { .. }), "{error}");
    assert!(!lock.is_held());
    assert_eq!(centre.get::<String>("/leader").await.unwrap(), "one");
    next.guarded().set("/leader", "two").unwrap().commit().await.unwrap();
    assert_eq!(centre.get::<String>("/leader").await.unwrap(), "two");

    assert!(matches!(next.guarded().set("leader", "x"), Err(CoordError::Invalid { .. })));
    let twice = next.guarded().set("/x", "1").unwrap().delete("/x").commit().await;
    assert!(matches!(twice, Err(CoordError::Invalid { .. })), "{twice:?}");
    next.check().unwrap();
}

// LCK-11
pub(crate) async fn what_is_no_lock_is_refused(At { coord, .. }: At) {
    let refused = async |key: &str, ttl| {
        let one = coord.lock().acquire(key, ttl).await.unwrap_err();
        let other = coord.lock().try_acquire(key, ttl).await.unwrap_err();
        assert_eq!(one.to_string(), other.to_string());
        assert!(matches!(one, CoordError::Invalid { .. }));
        one.to_string()
    };
    assert_eq!(refused("", TTL).await, "key: it is empty");
    let long = refused(&"k".repeat(1025), TTL).await;
    assert_eq!(long, "key: it has 1025 bytes; the key of a lock has at most 1024");
    for (ttl, wrong) in [
        (Duration::ZERO, "ttl: 0ns is out of bounds; it must be whole seconds, 1 s to 1 h"),
        (Duration::from_millis(500), "ttl: 500ms is out of bounds; it must be whole seconds, 1 s to 1 h"),
        (
            Duration::from_millis(1500),
            "ttl: 1.5s is not a whole number of seconds; it must be whole seconds, 1 s to 1 h",
        ),
        (Duration::from_secs(3601), "ttl: 3601s is out of bounds; it must be whole seconds, 1 s to 1 h"),
    ] {
        assert_eq!(refused("a", ttl).await, wrong);
    }
    assert!(queue(&coord, "a").await.is_empty());
}

// LCK-4
/// Many who take the lock, give it back or drop it, and lose patience, by chance: inside there is one at a time, the numbers
/// rise, and in the end nobody is left in the queue.
pub(crate) async fn there_is_never_more_than_one_holder(at: At) {
    let random = Random::printed();
    let connections = [at.coord.clone(), at.other().await, at.other().await];
    let highest = Arc::new(AtomicU64::new(0));
    let [entered, gave_up, refused] = [const { AtomicU64::new(0) }; 3].map(Arc::new);
    let inside = Arc::new(tokio::sync::Mutex::new(()));
    let mut contenders = Vec::new();
    for number in 0..12 {
        let (locks, random) = (connections[number % 3].lock(), random.split());
        let (highest, inside) = (highest.clone(), inside.clone());
        let (entered, gave_up, refused) = (entered.clone(), gave_up.clone(), refused.clone());
        contenders.push(tokio::spawn(async move {
            for _ in 0..25 {
                let lock = match random.below(4) {
                    0 => locks.try_acquire("a", TTL).await.map_err(|error| {
                        assert!(matches!(error, CoordError::Conflict { .. }), "{error}");
                        refused.fetch_add(1, Ordering::Relaxed);
                    }),
                    patience => {
                        let patience = Duration::from_millis(random.below(40 * patience));
                        timeout(patience, locks.acquire("a", TTL)).await.map(Result::unwrap).map_err(|_| {
                            gave_up.fetch_add(1, Ordering::Relaxed);
                        })
                    }
                };
                let Ok(lock) = lock else { continue };
                let alone = inside.try_lock().expect("another is inside");
                assert!(highest.fetch_max(lock.fencing(), Ordering::Relaxed) < lock.fencing());
                entered.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(random.below(3))).await;
                lock.check().unwrap();
                drop(alone);
                match random.below(2) {
                    0 => drop(lock),
                    _ => lock.unlock().await.unwrap(),
                }
            }
        }));
    }
    for contender in contenders {
        contender.await.unwrap();
    }
    let [entered, gave_up, refused] = [entered, gave_up, refused].map(|count| count.load(Ordering::Relaxed));
    println!("{entered} entered, {gave_up} gave up, {refused} were refused");
    assert!(entered > 0 && gave_up > 0 && refused > 0);
    queue_of(&at.coord, "a", 0).await;
}
