//! What befalls locks when the network does its worst.

use gone_kit::{Clock, LeaseKeeper, Outcome};
use gone_test_bench::drop_at_each_poll;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::backend::Session;
use crate::backend::unreliable::{Fault, Unreliable};

const TTL: Duration = Duration::from_secs(10);

fn connection(backend: &Arc<Unreliable>) -> Locks {
    Locks::new(Shared::over(backend.clone()))
}

fn one() -> (Arc<Unreliable>, Locks) {
    let backend = Unreliable::open("");
    let locks = connection(&backend);
    (backend, locks)
}

/// Lets the background do what is due now.
async fn settle() {
    sleep(Duration::from_millis(500)).await;
}

async fn taken_at_once(locks: &Locks) -> Lock {
    timeout(Duration::from_millis(1), locks.acquire("a", TTL)).await.expect("nobody has it").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_nobody_has_costs_one_transaction_and_giving_it_back_another() {
    let (backend, locks) = one();
    for _ in 0..3 {
        locks.acquire("a", TTL).await.unwrap().unlock().await.unwrap();
    }
    assert_eq!(backend.commits(), ["acquire", "unlock", "acquire", "unlock", "acquire", "unlock"]);
    let lock = locks.try_acquire("a", TTL).await.unwrap();
    locks.try_acquire("a", TTL).await.unwrap_err();
    assert_eq!(backend.commits(), ["try_acquire", "try_acquire"]);
    assert_eq!(backend.sessions(), (1, 0));
    lock.unlock().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_whose_answer_was_lost_is_given_back() {
    let (backend, locks) = one();
    backend.fail("acquire", Fault::AnswerLost);
    let error = locks.acquire("a", TTL).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    settle().await;
    drop(taken_at_once(&locks).await);

    backend.fail("try_acquire", Fault::AnswerLost);
    locks.try_acquire("a", TTL).await.unwrap_err();
    settle().await;
    // The removal may fail at first, too.
    backend.fail("acquire", Fault::AnswerLost);
    backend.fail("remove", Fault::Refused);
    backend.fail("remove", Fault::AnswerLost);
    locks.acquire("a", TTL).await.unwrap_err();
    settle().await;
    drop(taken_at_once(&locks).await);
    assert_eq!(backend.struck(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_taken_after_its_holder_has_given_up_is_given_back() {
    let (backend, locks) = one();
    backend.fail("acquire", Fault::Late(Duration::from_secs(9)));
    locks.acquire("a", TTL).await.unwrap_err();
    sleep(Duration::from_secs(16)).await;
    assert_eq!(backend.commits(), ["acquire", "remove"], "it has arrived, and was removed");
    drop(taken_at_once(&locks).await);
}

#[tokio::test(start_paused = true)]
async fn a_lock_whose_giving_back_failed_is_given_back_in_the_background() {
    let (backend, locks) = one();
    for (fault, outcome) in [(Fault::Refused, Outcome::NotApplied), (Fault::AnswerLost, Outcome::Unknown)] {
        let lock = locks.acquire("a", TTL).await.unwrap();
        let lease = lock.lease().clone();
        backend.fail("unlock", fault);
        assert_eq!(lock.unlock().await.unwrap_err().outcome(), outcome);
        assert!(!lease.is_held());
        settle().await;
        assert_eq!(backend.keys("/locks/").await.len(), 0);
    }
    assert_eq!(backend.struck(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_leaves_no_lock_and_no_place_wherever_it_is_dropped() {
    let (backend, locks) = one();
    let nothing_is_left = async |_| {
        settle().await;
        assert_eq!(backend.keys("/locks/").await, Vec::<String>::new());
        taken_at_once(&locks).await.unlock().await.unwrap();
    };
    let acquired = drop_at_each_poll(async |_| drop(locks.acquire("a", TTL).await.unwrap()), nothing_is_left).await;
    let tried = drop_at_each_poll(async |_| drop(locks.try_acquire("a", TTL).await.unwrap()), nothing_is_left).await;
    // One that waits for another that gives up meanwhile.
    let waited = drop_at_each_poll(
        async |_| {
            let held = locks.acquire("a", TTL).await.unwrap();
            tokio::join!(locks.acquire("a", TTL), async {
                sleep(Duration::from_millis(10)).await;
                held.unlock().await.unwrap();
            })
        },
        nothing_is_left,
    )
    .await;
    let unlocked =
        drop_at_each_poll(async |_| locks.acquire("a", TTL).await.unwrap().unlock().await.unwrap(), nothing_is_left)
            .await;
    println!("polls: {acquired:?} {tried:?} {waited:?} {unlocked:?}");
    assert!(acquired.polls >= 2 && tried.polls >= 2 && unlocked.polls >= 3 && waited.polls >= 6);
}

#[tokio::test(start_paused = true)]
async fn a_guarded_write_that_is_dropped_is_done_whole_or_not_at_all() {
    let (backend, locks) = one();
    let lock = locks.acquire("a", TTL).await.unwrap();
    let done = drop_at_each_poll(
        async |_| lock.guarded().set("/x", "1").unwrap().set("/y", "1").unwrap().commit().await.unwrap(),
        async |_| {
            settle().await;
            assert!([0, 2].contains(&(backend.keys("/x").await.len() + backend.keys("/y").await.len())));
            lock.guarded().delete("/x").delete("/y").commit().await.unwrap();
        },
    )
    .await;
    assert!(done.polls >= 2, "{done:?}");
    lock.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_waits_outlasts_watches_that_break_and_requests_that_are_refused() {
    let (backend, locks) = one();
    let held = locks.acquire("a", TTL).await.unwrap();
    let waiting = tokio::spawn({
        let locks = locks.clone();
        async move { locks.acquire("a", TTL).await }
    });
    while backend.keys("/locks/a/").await.len() < 2 {
        tokio::task::yield_now().await;
    }
    backend.break_watches(3);
    backend.fail("acquire", Fault::Refused);
    backend.fail("acquire", Fault::AnswerLost);
    sleep(TTL).await;
    // The first watch was open already: its end is that of the one it waits for.
    let begun = Instant::now();
    held.unlock().await.unwrap();
    let lock = waiting.await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    println!("{} faults have struck", backend.struck());
    assert!(backend.struck() >= 2);
    assert_eq!(backend.keys("/locks/a/").await, [lock.key()]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_looks_again_though_it_was_told_of_nothing() {
    let (backend, locks) = one();
    let held = locks.acquire("a", TTL).await.unwrap();
    backend.silence_watches(1);
    let (lock, ()) = tokio::join!(locks.acquire("a", TTL), async {
        settle().await;
        assert_eq!(backend.struck(), 1);
        held.unlock().await.unwrap();
    });
    lock.unwrap().check().unwrap();
    assert!(backend.commits().len() < 6, "it does not look all the time");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_backend_has_forgotten_is_replaced_for_who_comes_next() {
    let (backend, locks) = one();
    let lock = locks.acquire("a", TTL).await.unwrap();
    // The server forgets it, and nobody has noticed.
    let session = locks.shared.sessions.get(TTL).await.unwrap();
    let keeper = Arc::new(LeaseKeeper::new(&Clock::system(), std::time::Instant::now()));
    let forgotten = Session { keeper, ..(*session).clone() };
    backend.close_session(&forgotten).await.unwrap();
    assert!(lock.is_held());
    let next = taken_at_once(&locks).await;
    // Who was held by it is told, and does not get it back.
    assert!(matches!(lock.check(), Err(CoordError::Lost { .. })));
    assert!(matches!(lock.unlock().await, Err(CoordError::Lost { .. })));
    next.ttl().await.unwrap();
    assert_eq!(backend.sessions().0, 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_when_its_session_ends() {
    let backend = Unreliable::open("ends");
    let (locks, other) = (connection(&Unreliable::open("ends")), connection(&backend));
    let held = other.acquire("a", TTL).await.unwrap();
    let waiting = tokio::spawn(async move { locks.acquire("a", Duration::from_secs(3)).await });
    settle().await;
    assert_eq!(backend.keys("/locks/a/").await.len(), 2);
    // The runtime does not get to the renewal.
    tokio::time::advance(Duration::from_secs(4)).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, CoordError::Lost { .. }), "{error}");
    assert_eq!(backend.keys("/locks/a/").await, [held.key()]);
}
