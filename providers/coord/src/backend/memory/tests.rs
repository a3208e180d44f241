use std::time::Duration;

use tokio::time::Instant;

use super::super::{Change, Compare, Step};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn memory() -> Memory {
    Memory::open("", &Clock::system())
}

fn put(key: &str, value: &str) -> Step {
    put_under(key, value, 0)
}

fn put_under(key: &str, value: &str, session: i64) -> Step {
    Step::Put { key: key.to_owned(), value: value.as_bytes().into(), session }
}

fn then(steps: impl Into<Vec<Step>>) -> Txn {
    Txn { then: steps.into(), ..Txn::default() }
}

async fn commit(memory: &Memory, txn: Txn) -> Committed {
    memory.commit("test", txn).await.unwrap()
}

async fn keys(memory: &Memory, prefix: &str) -> Vec<String> {
    let listing = memory.list(&Range::Prefix(prefix.to_owned())).await.unwrap();
    listing.entries.into_iter().map(|entry| entry.key).collect()
}

async fn changes(watch: &mut RawWatch) -> Vec<Change> {
    match watch.next().await.unwrap() {
        WatchItem::Changes(changes) => changes,
        other => panic!("changes, not {other:?}"),
    }
}

async fn end(watch: &mut RawWatch) -> WatchEnd {
    loop {
        if let WatchItem::End(end) = watch.next().await.unwrap() {
            return end;
        }
    }
}

#[tokio::test]
async fn a_key_keeps_the_revision_of_its_creation_until_it_is_deleted() {
    let memory = memory();
    let first = commit(&memory, then([put("a", "1")])).await.revision;
    let second = commit(&memory, then([put("a", "2")])).await.revision;
    assert_eq!((first, second), (2, 3));
    let entry = memory.get("a").await.unwrap().unwrap();
    assert_eq!((entry.created, entry.modified, &*entry.value), (first, second, &b"2"[..]));
    let deleted = commit(&memory, then([Step::Delete("a".to_owned())])).await;
    assert_eq!((deleted.revision, deleted.found), (4, vec![vec![entry]]));
    assert_eq!(memory.get("a").await.unwrap(), None);
    commit(&memory, then([put("a", "3")])).await;
    assert_eq!(memory.get("a").await.unwrap().unwrap().created, 5);
}

#[tokio::test]
async fn a_transaction_is_one_revision_and_nothing_of_it_is_done_when_a_compare_fails() {
    let memory = memory();
    let create = |key: &str| Txn {
        compares: vec![Compare::Created(key.to_owned(), 0)],
        then: vec![put(key, "1"), put("other", "1"), Step::Read(Range::Prefix(String::new()))],
        otherwise: vec![Step::Read(Range::Key(key.to_owned()))],
    };
    let done = commit(&memory, create("a")).await;
    assert_eq!((done.succeeded, done.revision), (true, 2));
    // A read sees what was written before it.
    assert_eq!(done.found[2].iter().map(|entry| entry.modified).collect::<Vec<_>>(), [2, 2]);
    let refused = commit(&memory, create("a")).await;
    assert_eq!((refused.succeeded, refused.revision, refused.found[0].len()), (false, 2, 1));

    let compares = vec![Compare::Created("a".to_owned(), 2), Compare::Modified("a".to_owned(), 2)];
    assert!(commit(&memory, Txn { compares: compares.clone(), ..then([put("a", "2")]) }).await.succeeded);
    assert!(!commit(&memory, Txn { compares, ..then([put("a", "3")]) }).await.succeeded);
    let none_under = |prefix: &str| Txn { compares: vec![Compare::NoneUnder(prefix.to_owned())], ..Txn::default() };
    assert!(!commit(&memory, none_under("oth")).await.succeeded);
    assert!(commit(&memory, none_under("other/")).await.succeeded);
    // Deleting what is not there changes nothing.
    assert_eq!(commit(&memory, then([Step::Delete("none".to_owned())])).await.revision, 3);
}

#[tokio::test]
async fn a_prefix_ends_where_it_says() {
    let memory = memory();
    commit(&memory, then(["/a", "/a/1", "/a/2", "/ab", "/b"].map(|key| put(key, "")))).await;
    assert_eq!(keys(&memory, "/a/").await, ["/a/1", "/a/2"]);
    assert_eq!(keys(&memory, "/a").await, ["/a", "/a/1", "/a/2", "/ab"]);
    assert_eq!(keys(&memory, "").await.len(), 5);
}

#[tokio::test]
async fn neighbours_go_by_the_revision_of_creation() {
    let memory = memory();
    for key in ["/q/c", "/q/a", "/q/b", "/r"] {
        commit(&memory, then([put(key, "")])).await;
    }
    commit(&memory, then([put("/q/c", "written again")])).await;
    let neighbour = async |before| {
        let found = commit(&memory, then([Step::Neighbour { prefix: "/q/".to_owned(), before }])).await.found;
        found[0].first().map(|entry| entry.key.clone())
    };
    assert_eq!(neighbour(None).await.as_deref(), Some("/q/c"));
    assert_eq!(neighbour(Some(4)).await.as_deref(), Some("/q/a"));
    assert_eq!(neighbour(Some(2)).await, None);
}

#[tokio::test]
async fn what_etcd_refuses_is_refused_and_nothing_is_written() {
    let memory = memory();
    let refused = async |steps: Vec<Step>| memory.commit("test", then(steps)).await.unwrap_err().to_string();
    assert_eq!(refused(vec![put("a", "1"), put("", "1")]).await, "key: it is empty");
    let twice = refused(vec![put("a", "1"), Step::Delete("a".to_owned())]).await;
    assert_eq!(twice, "transaction: it writes `a` twice");
    let many = (0..129).map(|n| put(&n.to_string(), "")).collect();
    assert_eq!(refused(many).await, "transaction: it has 129 steps; 128 are allowed");
    let big = "x".repeat(1_572_865);
    assert_eq!(refused(vec![put("a", &big)]).await, "value: 1572866 bytes at once; 1572864 are allowed");
    assert_eq!(
        refused(vec![put_under("a", "1", 7)]).await,
        "`a` is no longer held: it was lost: its session has ended"
    );
    assert_eq!(keys(&memory, "").await.len(), 0);
}

#[tokio::test]
async fn a_full_store_refuses_more_and_lets_delete() {
    let memory = Memory::over(Shared::new(&Clock::system(), Limits { store: 10, ..LIMITS }));
    commit(&memory, then([put("a", "12345678")])).await;
    let error = memory.commit("test", then([put("b", "1")])).await.unwrap_err();
    assert_eq!(error.to_string(), "put: the store in memory is full: 9 of 10 bytes");
    commit(&memory, then([put("a", "123456789")])).await;
    commit(&memory, then([Step::Delete("a".to_owned())])).await;
    commit(&memory, then([put("b", "1")])).await;
}

#[tokio::test]
async fn a_watch_gives_all_changes_from_its_revision_on_in_order() {
    let memory = memory();
    commit(&memory, then([put("/a/1", "old")])).await;
    let listing = memory.list(&Range::Prefix("/a/".to_owned())).await.unwrap();
    commit(&memory, then([put("/a/1", "between"), put("/b", "sibling")])).await;
    let mut watch = memory.watch(Range::Prefix("/a/".to_owned()), listing.revision + 1).await.unwrap();
    let [Change::Put(between)] = &changes(&mut watch).await[..] else { panic!("one put") };
    assert_eq!((&*between.value, between.created, between.modified), (&b"between"[..], 2, 3));
    commit(&memory, then([put("/b", "sibling")])).await;
    commit(&memory, then([Step::Delete("/a/1".to_owned()), put("/a/2", "")])).await;
    let both = changes(&mut watch).await;
    assert_eq!(both[0], Change::Delete { key: "/a/1".to_owned(), revision: 5 });
    assert!(matches!(&both[1], Change::Put(entry) if entry.key == "/a/2"));
}

#[tokio::test]
async fn a_watch_that_comes_too_late_is_told() {
    let memory = memory();
    commit(&memory, then([put("a", "1")])).await;
    memory.compact();
    commit(&memory, then([put("a", "2")])).await;
    let mut watch = memory.watch(Range::Key("a".to_owned()), 2).await.unwrap();
    assert!(matches!(end(&mut watch).await, WatchEnd::Compacted));
    let mut watch = memory.watch(Range::Key("a".to_owned()), 3).await.unwrap();
    assert_eq!(changes(&mut watch).await.len(), 1);
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_and_nobody_waits_for_it() {
    let limits = Limits { revisions: 100, ..LIMITS };
    let memory = Memory::over(Shared::new(&Clock::system(), limits));
    let mut watch = memory.watch(Range::Key("a".to_owned()), 2).await.unwrap();
    for round in 0..1_000 {
        commit(&memory, then([put("a", "")])).await;
        if round % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut last = 1;
    loop {
        match watch.next().await.unwrap() {
            WatchItem::Changes(changes) => {
                for change in changes {
                    let Change::Put(entry) = change else { panic!("no delete") };
                    assert_eq!(entry.modified, last + 1);
                    last = entry.modified;
                }
            }
            WatchItem::End(WatchEnd::Compacted) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(last < 1_001, "the reader was not slow");
    let store = memory.shared.store.lock().unwrap();
    assert_eq!(
        store.changes(&Range::Prefix(String::new()), 902, 1_000),
        store.changes(&Range::Key("a".to_owned()), 902, 1_000)
    );
    assert_eq!(store.changes(&Range::Key("a".to_owned()), 901, 1_000), Since::Compacted);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_renewed_as_long_as_its_owner_lives() {
    let memory = memory();
    let session = memory.open_session(3 * SECOND).await.unwrap();
    commit(&memory, then([put_under("a", "", session.id)])).await;
    tokio::time::sleep(1_000 * SECOND).await;
    assert!(session.keeper.session().is_held());
    assert_eq!(keys(&memory, "").await, ["a"]);
    memory.close_session(&session).await.unwrap();
    assert_eq!(session.keeper.session().end(), Some(LeaseEnd::Released));
    assert_eq!(keys(&memory, "").await.len(), 0);
    assert!(memory.commit("test", then([put_under("a", "", session.id)])).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_lease_ends_a_margin_before_its_keys_go() {
    let memory = memory();
    let session = memory.open_session(10 * SECOND).await.unwrap();
    let believed = |session: &Session| session.keeper.session().remaining();
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!(believed(&session), 6 * SECOND);
    // It is renewed thrice in its life; the timer counts in milliseconds.
    tokio::time::sleep(SECOND).await;
    assert_eq!(believed(&session), Duration::from_millis(8_334));
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_an_owner_who_is_gone_go_at_the_ttl() {
    let (one, two) = (Memory::open("owner", &Clock::system()), Memory::open("owner", &Clock::system()));
    let session = one.open_session(10 * SECOND).await.unwrap();
    commit(&one, then([put_under("a", "", session.id), put_under("b", "", session.id), put("c", "")])).await;
    let mut watch = two.watch(Range::Prefix(String::new()), 3).await.unwrap();
    let begun = Instant::now();
    one.abandon();
    assert!(matches!(one.ping().await, Err(CoordError::Closed)));
    assert_eq!(session.keeper.session().end(), Some(LeaseEnd::Lost("it is no longer renewed".into())));
    // One change for both, at the time, though nobody calls the store.
    let gone = changes(&mut watch).await;
    assert_eq!((begun.elapsed(), gone.len()), (10 * SECOND, 2));
    assert_eq!(keys(&two, "").await, ["c"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_opened_while_a_watch_sleeps_is_seen_to_end() {
    let (one, two) = (Memory::open("sleeps", &Clock::system()), Memory::open("sleeps", &Clock::system()));
    let mut watch = two.watch(Range::Key("a".to_owned()), 2).await.unwrap();
    let session = one.open_session(2 * SECOND).await.unwrap();
    commit(&one, then([put_under("a", "", session.id)])).await;
    assert_eq!(changes(&mut watch).await.len(), 1);
    drop(one);
    assert_eq!(changes(&mut watch).await, [Change::Delete { key: "a".to_owned(), revision: 3 }]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_comes_too_late_ends_the_session() {
    let memory = memory();
    let session = memory.open_session(3 * SECOND).await.unwrap();
    commit(&memory, then([put_under("a", "", session.id)])).await;
    // The runtime does not get to the renewal.
    tokio::time::advance(4 * SECOND).await;
    assert_eq!(session.keeper.session().end(), Some(LeaseEnd::Expired));
    assert_eq!(keys(&memory, "").await.len(), 0);
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(memory.open_session(3 * SECOND).await.unwrap().id, 2);
}

#[tokio::test(start_paused = true)]
async fn closing_ends_sessions_and_watches_and_leaves_no_task() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let (one, two) = (Memory::open("closing", &Clock::system()), Memory::open("closing", &Clock::system()));
    let session = one.open_session(3 * SECOND).await.unwrap();
    commit(&one, then([put_under("a", "", session.id)])).await;
    let mut watch = one.watch(Range::Key("b".to_owned()), 3).await.unwrap();
    let dropped = one.watch(Range::Key("b".to_owned()), 3).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 3, "a renewal and two watches");
    drop(dropped);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 2);
    assert!(one.close(Deadline::after(SECOND)).await.is_clean());
    assert!(one.close(Deadline::after(SECOND)).await.is_clean());
    assert!(matches!(end(&mut watch).await, WatchEnd::Broken(CoordError::Closed)));
    assert_eq!(session.keeper.session().end(), Some(LeaseEnd::Released));
    assert_eq!(keys(&two, "").await.len(), 0);
    assert!(matches!(one.open_session(SECOND).await, Err(CoordError::Closed)));
    assert!(matches!(one.watch(Range::Key("b".to_owned()), 9).await, Err(CoordError::Closed)));
    let mut watch = two.watch(Range::Key("b".to_owned()), 9).await.unwrap();
    drop(two);
    assert!(matches!(end(&mut watch).await, WatchEnd::Broken(CoordError::Closed)));
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), 0);
}

#[tokio::test]
async fn a_name_is_shared_while_somebody_holds_it_and_no_name_is_ones_own() {
    let clock = Clock::system();
    let (one, two) = (Memory::open("shared", &clock), Memory::open("shared", &clock));
    commit(&one, then([put("a", "")])).await;
    assert_eq!(keys(&two, "").await, ["a"]);
    assert_eq!(keys(&Memory::open("another", &clock), "").await.len(), 0);
    drop((one, two));
    assert_eq!(keys(&Memory::open("shared", &clock), "").await.len(), 0);
    let (one, two) = (memory(), memory());
    commit(&one, then([put("a", "")])).await;
    assert_eq!(keys(&two, "").await.len(), 0);
}
