use super::*;
use crate::backend::unreliable::Unreliable;

fn one() -> (Arc<Unreliable>, Sessions) {
    let backend = Unreliable::open("");
    let sessions = Sessions::new(backend.clone(), Clock::system());
    (backend, sessions)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn all_of_one_ttl_share_one_session() {
    let (backend, sessions) = one();
    let (one, two, three) = tokio::join!(sessions.get(seconds(5)), sessions.get(seconds(5)), sessions.get(seconds(6)));
    let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
    assert!(Arc::ptr_eq(&one, &two) && one.id != three.id);
    assert_eq!(backend.sessions(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_while_it_opens_one_holds_nobody_up() {
    let (backend, sessions) = one();
    let dropped =
        gone_test_bench::drop_at_each_poll(async |_| sessions.get(seconds(5)).await.map(drop).unwrap(), async |_| {})
            .await;
    assert!(dropped.polls >= 2);
    sessions.get(seconds(5)).await.unwrap();
    assert!(backend.sessions().0 >= 2);
}

#[tokio::test(start_paused = true)]
async fn one_that_has_ended_is_replaced_and_does_not_come_back() {
    let (_, sessions) = one();
    let ended = sessions.get(seconds(5)).await.unwrap();
    ended.keeper.finish(LeaseEnd::Lost("told".into()));
    let fresh = sessions.get(seconds(5)).await.unwrap();
    assert_ne!(fresh.id, ended.id);
    assert!(fresh.keeper.session().is_held() && !ended.keeper.session().is_held());
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_uses_is_closed_after_a_while_and_one_in_use_is_not() {
    let (backend, sessions) = one();
    let used = sessions.get(seconds(5)).await.unwrap();
    let unused = sessions.get(seconds(6)).await.unwrap();
    let lease = unused.keeper.session().clone();
    drop(unused);
    tokio::time::sleep(IDLE - seconds(1)).await;
    sessions.get(seconds(7)).await.unwrap();
    assert!(lease.is_held());
    tokio::time::sleep(seconds(1)).await;
    sessions.get(seconds(7)).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(lease.end(), Some(LeaseEnd::Released));
    assert_eq!(backend.sessions(), (3, 1));
    assert!(used.keeper.session().is_held());
}

#[tokio::test(start_paused = true)]
async fn there_is_a_bound_and_it_counts_only_those_in_use() {
    let (backend, sessions) = one();
    let mut used = Vec::new();
    for ttl in 1..=64 {
        used.push(sessions.get(seconds(ttl)).await.unwrap());
    }
    let error = sessions.get(seconds(65)).await.unwrap_err();
    assert_eq!(error.to_string(), "ttl: 64 different ttls are in use at once, and no more are allowed");
    sessions.get(seconds(64)).await.unwrap();
    used.remove(7);
    sessions.get(seconds(65)).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(backend.sessions(), (65, 1));
}

#[test]
fn a_ttl_is_whole_seconds_within_bounds() {
    for ttl in [1, 2, 3600] {
        assert!(check_ttl(seconds(ttl)).is_ok());
    }
    for ttl in [Duration::ZERO, Duration::from_millis(999), Duration::from_millis(1001), seconds(3601), Duration::MAX] {
        assert!(check_ttl(ttl).is_err(), "{ttl:?}");
    }
}
