//! Single calls: what they do, and what becomes of them when they fail.

use gone_kit::Outcome;

use super::*;
use crate::CoordError;
use crate::backend::Compare;

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn what_is_written_is_read() {
    let (etcd, prefix) = (shared().await, prefix());
    let key = format!("{prefix}a");
    assert_eq!(etcd.get(&key).await.unwrap(), None);
    let done = etcd.commit("put", put(&key, "1")).await.unwrap();
    let read = etcd.get(&key).await.unwrap().expect("it was written");
    let wanted = Entry { key, value: b"1"[..].into(), created: done.revision, modified: done.revision, session: 0 };
    assert_eq!(read, wanted);
    assert!(close(&etcd).await.is_clean());
    assert!(matches!(etcd.get("a").await, Err(CoordError::Closed)));
    assert!(close(&etcd).await.is_clean(), "twice");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_transaction_compares_and_says_what_it_found() {
    let (etcd, prefix) = (shared().await, prefix());
    let key = |name: &str| format!("{prefix}{name}");
    let mut revisions = Vec::new();
    for name in ["b", "a", "c"] {
        revisions.push(etcd.commit("put", put(&key(name), name)).await.unwrap().revision);
    }
    let neighbour = |before| Step::Neighbour { prefix: prefix.clone(), before };
    let txn = Txn {
        compares: vec![
            Compare::Created(key("b"), revisions[0]),
            Compare::Modified(key("a"), revisions[1]),
            Compare::Created(key("d"), 0),
        ],
        then: vec![
            neighbour(None),
            neighbour(Some(revisions[2])),
            neighbour(Some(revisions[0])),
            neighbour(Some(1)),
            neighbour(Some(0)),
            Step::Delete(key("a")),
            Step::Delete(key("d")),
            Step::Read(Range::Prefix(prefix.clone())),
        ],
        otherwise: vec![Step::Read(Range::Key(key("b")))],
    };
    let done = etcd.commit("test", txn.clone()).await.unwrap();
    let names = |found: &[Entry]| found.iter().map(|entry| entry.key[prefix.len()..].to_owned()).collect::<Vec<_>>();
    let found: Vec<_> = done.found.iter().map(|found| names(found)).collect();
    assert!(done.succeeded);
    let wanted: [&[&str]; 8] = [&["b"], &["a"], &[], &[], &[], &["a"], &[], &["b", "c"]];
    assert_eq!(found, wanted);
    let again = etcd.commit("test", txn).await.unwrap();
    assert!(!again.succeeded);
    assert_eq!(names(&again.found[0]), ["b"]);
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_listing_of_many_keys_comes_in_parts_of_one_revision() {
    let (etcd, prefix) = (shared().await, prefix());
    for part in 0..21 {
        let put = |key: usize| Step::Put { key: format!("{prefix}{key:05}"), value: b"x"[..].into(), session: 0 };
        let then = (part * 100..(part + 1) * 100).map(put).collect();
        etcd.commit("fill", Txn { then, ..Txn::default() }).await.unwrap();
    }
    let listed = etcd.list(&Range::Prefix(prefix.clone())).await.unwrap();
    let keys: Vec<_> = listed.entries.iter().map(|entry| entry.key.clone()).collect();
    let wanted: Vec<_> = (0..2100).map(|key| format!("{prefix}{key:05}")).collect();
    assert_eq!(keys, wanted);
    // Neighbours of the prefix are not in it.
    let sibling = format!("{}0", prefix.trim_end_matches('/'));
    etcd.commit("put", put(&sibling, "x")).await.unwrap();
    assert_eq!(etcd.list(&Range::Prefix(prefix)).await.unwrap().entries.len(), 2100);
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn what_etcd_cannot_take_is_an_invalid_argument() {
    let etcd = shared().await;
    let large = "x".repeat(2 << 20);
    let twice = Txn { then: [put("/a", "1").then, put("/a", "2").then].concat(), ..Txn::default() };
    for (txn, wanted) in [(put("/large", &large), "value"), (twice, "transaction"), (put("", "x"), "key")] {
        match etcd.commit("put", txn).await {
            Err(CoordError::Invalid { argument, .. }) => assert_eq!(argument, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let gone = etcd.commit("put", put_under("/under", "x", 77)).await.expect_err("no such session");
    assert!(matches!(&gone, CoordError::Lost { key, .. } if key == "/under"), "{gone:?}");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_write_whose_answer_is_lost_is_unknown_and_one_that_was_not_sent_is_not_applied() {
    let server = server().await;
    let (proxy, url) = proxied(&server);
    let etcd = open(Settings { request_timeout: SECOND, ..settings([url]) }).await;
    etcd.commit("put", put("/a", "0")).await.unwrap();

    proxy.blackhole();
    let lost = etcd.commit("put", put("/a", "1")).await.expect_err("no answer");
    assert!(matches!(lost, CoordError::Timeout { .. }), "{lost:?}");
    assert_eq!(lost.outcome(), Outcome::Unknown);

    proxy.cut();
    // The first may still meet the connection as it breaks.
    let _ = etcd.commit("put", put("/a", "2")).await;
    let refused = etcd.commit("put", put("/a", "3")).await.expect_err("no connection");
    assert!(matches!(refused, CoordError::Unavailable { .. }), "{refused:?}");
    assert_eq!(refused.outcome(), Outcome::NotApplied);
    assert!(proxy.struck().blackholed > 0 && proxy.struck().cut > 0);

    proxy.heal();
    let read = etcd.get("/a").await.unwrap().expect("it was written");
    assert_ne!(&*read.value, b"3");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_read_waits_for_a_server_that_comes_back_in_time() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    etcd.commit("put", put("/a", "1")).await.unwrap();
    server.kill9();
    let (read, started) = tokio::join!(etcd.get("/a"), server.start());
    started.expect("etcd starts again");
    assert!(read.expect("it came back within the time for a request").is_some());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_slow_server_is_not_taken_for_dead() {
    let server = server().await;
    let (proxy, url) = proxied(&server);
    let etcd = open(settings([url])).await;
    let accepted = proxy.struck().accepted;
    proxy.delay(2 * SECOND);
    for _ in 0..2 {
        etcd.commit("put", put("/a", "1")).await.expect("slow, and within the time for a request");
    }
    assert!(proxy.struck().delayed > 0);
    assert_eq!(proxy.struck().accepted, accepted, "on the same connection");
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_dropped_call_leaves_the_connection_to_the_next_one() {
    let (etcd, prefix) = (shared().await, prefix());
    let key = format!("{prefix}a");
    let dropped = gone_test_bench::drop_at_each_poll(
        async |_| drop(etcd.commit("put", put(&key, "x")).await.unwrap()),
        async |_| drop(etcd.get(&key).await.expect("the next call is answered")),
    )
    .await;
    println!("{dropped:?}");
}
