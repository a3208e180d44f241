//! Watches over the config centre.

use std::time::{Duration, Instant};

use gone_coord::{CoordError, Watch, WatchEvent};
use gone_core::Deadline;

use crate::At;
use crate::at::{PATIENCE, never, soon};

/// The next event as key, value and version; no value for a deletion.
async fn next(watch: &mut Watch<u32>) -> (String, Option<u32>, i64) {
    match soon("an event", watch.next()).await.expect("the watch goes on") {
        WatchEvent::Put { key, value, version } => (key, Some(value), version),
        WatchEvent::Delete { key, version } => (key, None, version),
        other => panic!("{other:?}"),
    }
}

// CRD-5
pub(crate) async fn a_watch_of_a_key_tells_of_its_change(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch::<u32>("/a").await.unwrap();
    let begun = Instant::now();
    at.other().await.config().set("/a2", &1).await.unwrap();
    let version = at.other().await.config().set("/a", &2).await.unwrap();
    assert_eq!(next(&mut watch).await, ("/a".to_owned(), Some(2), version));
    println!("the event came {:?} after the write began", begun.elapsed());
    never(watch.next()).await;
    let status = watch.status();
    assert!(status.connected && status.age == Duration::ZERO && status.version >= version, "{status:?}");
}

// CRD-6
pub(crate) async fn a_watch_of_a_prefix_tells_of_exactly_the_new_keys(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch_prefix::<u32>("/rules/").await.unwrap();
    config.set("/rules/a", &1).await.unwrap();
    config.set("/rules/b", &2).await.unwrap();
    let (first, second) = (next(&mut watch).await, next(&mut watch).await);
    assert_eq!((first.0.as_str(), first.1), ("/rules/a", Some(1)));
    assert_eq!((second.0.as_str(), second.1), ("/rules/b", Some(2)));
    assert!(first.2 < second.2);
    never(watch.next()).await;
}

pub(crate) async fn a_key_that_ends_with_a_slash_is_a_prefix_and_siblings_do_not_match(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch::<u32>("/rules/").await.unwrap();
    for key in ["/rules-old/a", "/rules", "/rules0", "/rules/a/b"] {
        config.set(key, &1).await.unwrap();
    }
    assert_eq!(next(&mut watch).await.0, "/rules/a/b");
    never(watch.next()).await;
}

pub(crate) async fn what_was_there_is_no_change_and_nothing_is_lost_after_it(at: At) {
    let config = at.coord.config();
    config.set("/n", &0).await.unwrap();
    let writer = {
        let config = config.clone();
        tokio::spawn(async move {
            for value in 1..=200 {
                config.set("/n", &value).await.unwrap();
            }
        })
    };
    let mut watch = config.watch::<u32>("/n").await.unwrap();
    let [WatchEvent::Put { value: mut seen, .. }] = watch.initial()[..] else { panic!("one value was there") };
    assert!(watch.initial().is_empty());
    while seen < 200 {
        let (_, value, _) = next(&mut watch).await;
        let value = value.expect("no deletion");
        assert!(value > seen, "{value} after {seen}");
        seen = value;
    }
    writer.await.unwrap();
    never(watch.next()).await;
}

pub(crate) async fn a_value_that_cannot_be_read_is_told_of_all_the_same(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch::<u32>("/a").await.unwrap();
    let version = config.set("/a", "hunter2").await.unwrap();
    match soon("an event", watch.next()).await {
        Some(WatchEvent::Undecodable { key, raw, error, version: of }) => {
            assert_eq!((key.as_str(), &*raw, of), ("/a", &b"\"hunter2\""[..], version));
            assert!(matches!(&error, CoordError::Decode { .. }) && !format!("{error:?}").contains("hunter2"));
        }
        other => panic!("{other:?}"),
    }
    config.set("/a", &5).await.unwrap();
    assert_eq!(next(&mut watch).await.1, Some(5));
}

pub(crate) async fn a_deletion_is_told(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch::<u32>("/a").await.unwrap();
    let written = config.set("/a", &1).await.unwrap();
    assert_eq!(next(&mut watch).await, ("/a".to_owned(), Some(1), written));
    config.delete("/a").await.unwrap();
    let (key, value, version) = next(&mut watch).await;
    assert_eq!((key.as_str(), value), ("/a", None));
    assert!(version > written);
}

pub(crate) async fn a_slow_reader_sees_the_last_state_of_each_key(at: At) {
    let config = at.coord.config();
    let mut watch = config.watch_prefix::<u32>("/k/").await.unwrap();
    let last = 3_000;
    for value in 1..=last {
        config.set(&format!("/k/{}", value % 10), &value).await.unwrap();
    }
    soon("all changes to be there", async {
        while watch.status().version < config.get_with_version::<u32>("/k/0").await.unwrap().1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(watch.waiting() <= 10, "{watch:?}");
    assert!(watch.coalesced() > 0);
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.push(next(&mut watch).await.1.expect("no deletion"));
    }
    seen.sort_unstable();
    assert_eq!(seen, (last - 9..=last).collect::<Vec<_>>());
    never(watch.next()).await;
}

pub(crate) async fn a_watch_ends_when_the_connection_is_closed(at: At) {
    let other = at.other().await;
    let mut watch = other.config().watch::<u32>("/a").await.unwrap();
    at.coord.config().set("/a", &1).await.unwrap();
    soon("the change to be there", async {
        while watch.waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let _ = other.close(Deadline::after(PATIENCE)).await;
    assert_eq!(next(&mut watch).await.1, Some(1));
    assert!(soon("the end", watch.next()).await.is_none());
    assert!(!watch.status().connected);
}

pub(crate) async fn a_watch_does_not_keep_the_connection(at: At) {
    let other = at.other().await;
    let mut watch = other.config().watch::<u32>("/a").await.unwrap();
    drop(other);
    assert!(soon("the end", watch.next()).await.is_none());
}
