//! The raw stream of changes.

use super::*;
use crate::backend::{Change, WatchEnd};

fn told(item: WatchItem) -> Vec<String> {
    let WatchItem::Changes(changes) = item else { panic!("changes, not {item:?}") };
    let text = |change: Change| match change {
        Change::Put(entry) => format!("{}={}", entry.key, String::from_utf8_lossy(&entry.value)),
        Change::Delete { key, .. } => format!("{key} deleted"),
    };
    changes.into_iter().map(text).collect()
}

async fn all(watch: &mut RawWatch, number: usize) -> Vec<String> {
    let mut changes = Vec::new();
    while changes.len() < number {
        changes.extend(told(next(watch).await));
    }
    changes
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn changes_come_in_order_from_the_revision_on() {
    let (etcd, prefix) = (shared().await, prefix());
    let key = |name: &str| format!("{prefix}{name}");
    etcd.commit("put", put(&key("a"), "0")).await.unwrap();
    let from = etcd.commit("put", put(&key("a"), "1")).await.unwrap().revision;
    let mut watch = etcd.watch(Range::Prefix(prefix.clone()), from).await.unwrap();
    let mut single = etcd.watch(Range::Key(key("b")), from).await.unwrap();
    etcd.commit("put", Txn { then: [put(&key("b"), "2").then, put(&key("c"), "2").then].concat(), ..Txn::default() })
        .await
        .unwrap();
    etcd.commit("delete", delete(&key("b"))).await.unwrap();
    let sibling = format!("{}0", prefix.trim_end_matches('/'));
    etcd.commit("put", put(&sibling, "not in it")).await.unwrap();
    etcd.commit("put", put(&key("z"), "3")).await.unwrap();
    let wanted = ["a=1", "b=2", "c=2", "b deleted", "z=3"].map(|change| format!("{prefix}{change}"));
    assert_eq!(all(&mut watch, 5).await, wanted);
    assert_eq!(all(&mut single, 2).await, ["b=2", "b deleted"].map(|change| format!("{prefix}{change}")));
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_large_backlog_comes_in_parts_that_keep_revisions_whole() {
    let (etcd, prefix) = (shared().await, prefix());
    let value = "x".repeat(300_000);
    let mut revisions = Vec::new();
    for round in 0..30 {
        let puts = |name: usize| put(&format!("{prefix}{name}"), &format!("{round} {value}")).then;
        let txn = Txn { then: (0..4).flat_map(puts).collect(), ..Txn::default() };
        revisions.push(etcd.commit("put", txn).await.unwrap().revision);
    }
    let mut watch = etcd.watch(Range::Prefix(prefix.clone()), revisions[0]).await.unwrap();
    let (mut seen, mut items) = (Vec::new(), 0);
    while seen.len() < 30 * 4 {
        let WatchItem::Changes(changes) = next(&mut watch).await else { panic!("changes") };
        items += 1;
        let of = |change: &Change| match change {
            Change::Put(entry) => entry.modified,
            Change::Delete { revision, .. } => *revision,
        };
        seen.extend(changes.iter().map(of));
        assert_eq!(seen.len() % 4, 0, "a revision was parted");
    }
    println!("{items} items");
    assert!(items > 1, "36 MB came in parts");
    assert_eq!(seen, revisions.iter().flat_map(|revision| [*revision; 4]).collect::<Vec<_>>());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn what_is_compacted_or_never_was_ends_the_stream() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let mut last = 0;
    for round in 0..5 {
        last = etcd.commit("put", put("/a", &round.to_string())).await.unwrap().revision;
    }
    server.etcdctl(&["compaction", &last.to_string()]).await.unwrap();
    let all = || Range::Prefix(String::new());
    let mut watch = etcd.watch(all(), last - 2).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchItem::End(WatchEnd::Compacted)));
    let mut watch = etcd.watch(all(), last).await.unwrap();
    assert_eq!(told(next(&mut watch).await), ["/a=4"]);
    // As after a backup was restored: what comes next is further ahead than the store is.
    let mut watch = etcd.watch(all(), last + 2).await.unwrap();
    assert!(matches!(next(&mut watch).await, WatchItem::End(WatchEnd::Compacted)));
    let mut watch = etcd.watch(all(), last + 1).await.unwrap();
    etcd.commit("put", put("/a", "next")).await.unwrap();
    assert_eq!(told(next(&mut watch).await), ["/a=next"]);
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_break_ends_the_stream_and_another_goes_on() {
    let server = server().await;
    let (proxy, url) = proxied(&server);
    let etcd = open(settings([url])).await;
    let first = etcd.commit("put", put("/a", "1")).await.unwrap().revision;
    let mut watch = etcd.watch(Range::Key("/a".into()), first).await.unwrap();
    assert_eq!(told(next(&mut watch).await), ["/a=1"]);
    proxy.reset();
    assert!(matches!(next(&mut watch).await, WatchItem::End(WatchEnd::Broken(_))));
    assert!(watch.items.recv().await.is_none(), "the end is the last item");
    let mut watch = etcd.watch(Range::Key("/a".into()), first + 1).await.unwrap();
    etcd.commit("put", put("/a", "2")).await.unwrap();
    assert_eq!(told(next(&mut watch).await), ["/a=2"]);
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_stream_that_is_dropped_is_cancelled_on_the_server() {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let watchers = async || server.metric("etcd_debugging_mvcc_watcher_total").await.unwrap();
    let before = watchers().await;
    let mut watches = Vec::new();
    for _ in 0..5 {
        watches.push(etcd.watch(Range::Prefix("/".into()), 1).await.unwrap());
    }
    assert_eq!(watchers().await, before + 5.0);
    drop(watches);
    until(2 * SECOND, async || watchers().await == before).await;
    let dropped = gone_test_bench::drop_at_each_poll(
        async |_| drop(etcd.watch(Range::Prefix("/".into()), 1).await.unwrap()),
        async |_| {},
    )
    .await;
    println!("{dropped:?}");
    until(2 * SECOND, async || watchers().await == before).await;
}

/// The server stands still for `stop`; how long it took until the stream ended.
async fn stands_still(stop: Duration) -> Duration {
    let server = server().await;
    let etcd = open(settings([server.url()])).await;
    let mut watch = etcd.watch(Range::Prefix("/".into()), 1).await.unwrap();
    // The stream is silent for longer than the detection takes, and stays.
    assert!(tokio::time::timeout(5 * SECOND, watch.items.recv()).await.is_err());
    server.pause();
    let begun = Instant::now();
    let ended = next(&mut watch).await;
    let after = begun.elapsed();
    println!("noticed after {after:?}: {ended:?}");
    assert!(matches!(ended, WatchItem::End(WatchEnd::Broken(_))));
    tokio::time::sleep(stop.saturating_sub(after)).await;
    server.resume();
    let mut watch = etcd.watch(Range::Prefix("/".into()), 1).await.unwrap();
    etcd.commit("put", put("/a", "1")).await.unwrap();
    assert_eq!(told(next(&mut watch).await), ["/a=1"]);
    after
}

// CRD-R4
#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_server_that_stands_still_is_noticed() {
    assert!(stands_still(5 * SECOND).await <= 5 * 3 * SECOND);
}

// CRD-R4
#[tokio::test]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_a_server_that_stands_still_is_noticed() {
    assert!(stands_still(15 * SECOND).await <= 3 * SECOND);
}
