//! Sessions: renewed whatever the application does, and given up in time when they cannot be.

use gone_kit::LeaseEnd;

use super::*;
use crate::CoordError;
use crate::backend::{Compare, margin};

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_session_outlives_an_application_that_blocks_its_runtime() {
    let (etcd, key) = (shared().await, prefix());
    let session = etcd.open_session(2 * SECOND).await.unwrap();
    etcd.commit("put", put_under(&key, "x", session.id)).await.unwrap();
    // This is the one thread of the runtime.
    std::thread::sleep(6 * SECOND);
    assert_eq!(session.keeper.session().check(), Ok(()));
    assert!(etcd.get(&key).await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_session_that_is_closed_takes_its_keys_along() {
    let (etcd, key) = (shared().await, prefix());
    let session = etcd.open_session(60 * SECOND).await.unwrap();
    etcd.commit("put", put_under(&key, "x", session.id)).await.unwrap();
    etcd.close_session(&session).await.unwrap();
    assert_eq!(session.keeper.session().end(), Some(LeaseEnd::Released));
    assert_eq!(etcd.get(&key).await.unwrap(), None);
    etcd.close_session(&session).await.expect("twice");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn closing_gives_all_sessions_back_and_reports_what_it_could_not() {
    let server = server().await;
    let (proxy, url) = proxied(&server);
    let (direct, etcd) = (open(settings([server.url()])).await, open(settings([url.clone()])).await);
    for ttl in [30, 40] {
        let session = etcd.open_session(ttl * SECOND).await.unwrap();
        etcd.commit("put", put_under(&format!("/held/{ttl}"), "x", session.id)).await.unwrap();
        // Nobody holds it any more, but its keys are there.
        std::mem::forget(session);
    }
    assert_eq!(close(&etcd).await, gone_core::CloseReport::clean().flushed(2));
    assert!(direct.list(&Range::Prefix("/held/".into())).await.unwrap().entries.is_empty());

    let etcd = open(settings([url])).await;
    let session = etcd.open_session(30 * SECOND).await.unwrap();
    proxy.blackhole();
    let begun = Instant::now();
    let report = etcd.close(Deadline::after(SECOND)).await;
    assert_eq!(report, gone_core::CloseReport::clean().lost(1));
    assert!(begun.elapsed() < 2 * SECOND);
    assert!(!session.keeper.session().is_held());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn closing_leaves_no_task_and_no_thread() {
    let url = gone_test_bench::Etcd::shared().await.url();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let etcd = open(settings([url])).await;
    let _session = etcd.open_session(30 * SECOND).await.unwrap();
    let mut watch = etcd.watch(Range::Prefix(prefix()), 1).await.unwrap();
    assert!(tasks() > before);
    // The report would count a thread that is left.
    assert!(close(&etcd).await.is_clean());
    assert!(matches!(next(&mut watch).await, WatchItem::End(_)));
    until(2 * SECOND, async || tasks() == before).await;
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_session_that_etcd_has_forgotten_is_lost() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let session = etcd.open_session(3 * SECOND).await.unwrap();
    server.etcdctl(&["lease", "revoke", &format!("{:x}", session.id)]).await.unwrap();
    let begun = Instant::now();
    let end = session.keeper.session().lost().await;
    assert_eq!(end.to_string(), "it was lost: etcd no longer knows its lease");
    // It was renewed a third of its time later, and not only found at its end.
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
    let refused = etcd.commit("put", put_under("/a", "x", session.id)).await.expect_err("it is gone");
    assert!(matches!(refused, CoordError::Lost { .. }), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_session_outlives_a_server_that_is_killed_and_comes_back_in_time() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let session = etcd.open_session(6 * SECOND).await.unwrap();
    etcd.commit("put", put_under("/a", "x", session.id)).await.unwrap();
    server.kill9();
    tokio::time::sleep(2 * SECOND).await;
    server.start().await.unwrap();
    tokio::time::sleep(6 * SECOND).await;
    assert_eq!(session.keeper.session().check(), Ok(()));
    assert!(etcd.get("/a").await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn opening_that_is_dropped_leaves_no_lease() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let leases = async || server.etcdctl(&["lease", "list"]).await.unwrap().lines().count() - 1;
    let dropped = gone_test_bench::drop_at_each_poll(
        async |_| drop(etcd.open_session(600 * SECOND).await.unwrap()),
        async |_| {},
    )
    .await;
    println!("{dropped:?}");
    assert!(dropped.dropped > 1);
    // The one that was opened is no longer held, so nobody renews it; it is not given back either.
    until(2 * SECOND, async || leases().await <= 1).await;
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn who_is_gone_without_a_word_keeps_its_keys_for_their_time_alone() {
    let (other, key) = (shared().await, prefix());
    let etcd = shared().await;
    let session = etcd.open_session(2 * SECOND).await.unwrap();
    etcd.commit("put", put_under(&key, "x", session.id)).await.unwrap();
    etcd.abandon();
    let ended = super::super::session::lock(&etcd.sessions.thread).take().expect("it was not stopped").ended;
    tokio::time::timeout(SECOND, ended).await.expect("the thread ends").expect_err("without a word");
    assert!(!session.keeper.session().is_held());
    assert!(matches!(etcd.open_session(SECOND).await, Err(CoordError::Closed)));
    assert!(other.get(&key).await.unwrap().is_some());
    let gone = until(10 * SECOND, async || other.get(&key).await.unwrap().is_none()).await;
    println!("gone after {gone:?}");
}

/// One holder behind a network that breaks, and another process that waits for what it holds.
async fn cut_off(server: &Server<gone_test_bench::Etcd>, run: usize) -> [Duration; 2] {
    const TTL: Duration = Duration::from_secs(2);
    let (proxy, url) = proxied(server);
    let (holder, other) = (open(settings([url])).await, open(settings([server.url()])).await);
    let session = holder.open_session(TTL).await.unwrap();
    let key = prefix();
    holder.commit("put", put_under(&key, "x", session.id)).await.unwrap();
    let lease = session.keeper.session().clone();
    // Somewhere between two renewals.
    tokio::time::sleep(Duration::from_millis(run as u64 * 139 % 700 + 300)).await;
    match run.is_multiple_of(2) {
        true => proxy.blackhole(),
        false => proxy.cut(),
    }
    let cut = Instant::now();
    let taken = tokio::spawn(async move {
        let absent = Compare::Created(key.clone(), 0);
        let txn = Txn { compares: vec![absent], ..put(&key, "y") };
        while !other.commit("take", txn.clone()).await.unwrap().succeeded {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Instant::now()
    });
    lease.lost().await;
    let lost = Instant::now();
    assert!(!lease.is_held());
    assert!(lease.end() == Some(LeaseEnd::Expired), "{:?}", lease.end());
    let taken = taken.await.unwrap();
    assert!(lost < taken, "two believed at once, for {:?}", lost - taken);
    assert!(proxy.struck().cut + proxy.struck().blackholed > 0);
    // What the lease believed in, exactly; when the waiting future ran is the scheduler's.
    assert!(lost - cut <= (TTL - margin(TTL)) * 5);
    [lost - cut, taken - lost]
}

async fn runs(number: usize, at_once: usize) -> Vec<[Duration; 2]> {
    let server = std::sync::Arc::new(server().await);
    let mut results = Vec::new();
    for batch in 0..number / at_once {
        let running: Vec<_> = (0..at_once)
            .map(|run| {
                let server = server.clone();
                tokio::spawn(async move { cut_off(&server, batch * at_once + run).await })
            })
            .collect();
        for run in running {
            results.push(run.await.expect("lost in time"));
        }
    }
    let longest = results.iter().map(|[lost, _]| *lost).max().unwrap_or_default();
    let closest = results.iter().map(|[_, before]| *before).min().unwrap_or_default();
    println!("{number} cuts: lost after {longest:?} at most, and {closest:?} before another could take it at least");
    results
}

// CRD-R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn who_is_cut_off_knows_before_another_can_take_what_it_held() {
    assert_eq!(runs(6, 6).await.len(), 6);
}

// CRD-R2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_who_is_cut_off_knows_before_another_can_take_what_it_held() {
    let results = runs(100, 10).await;
    assert_eq!(results.len(), 100);
    let bound = Duration::from_millis(1_800);
    let late = results.iter().filter(|[lost, _]| *lost > bound + Duration::from_millis(20)).count();
    assert_eq!(late, 0, "later than {bound:?}");
}
