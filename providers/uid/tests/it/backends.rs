//! What a handle promises over every backend of coordination.

use std::collections::BTreeSet;
use std::time::Duration;

use gone_test_bench::drop_at_each_poll;
use gone_uid::{Uid, UidConfig, UidError};

use crate::At;
use crate::at::{all_differ, config, now_ms, soon};

gone_test_bench::conformance! {
    backends {
        memory: #[tokio::test(flavor = "multi_thread", worker_threads = 2)] At::memory;
        etcd: #[cfg(feature = "etcd")]
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs etcd: cargo xtask test"]
            At::etcd;
    }
    cases {
        backends:
            a_valid_config_gives_a_handle_that_makes_ids,
            two_ids_are_not_zero_and_differ,
            a_hundred_tasks_get_ten_thousand_different_ids,
            ids_one_after_the_other_rise,
            the_parts_of_an_id_are_its_own,
            the_time_of_an_id_is_that_at_which_it_was_made,
            close_gives_the_id_back_at_once,
            several_handles_have_instance_ids_of_their_own,
            when_all_instance_ids_are_taken_there_is_no_handle,
            a_closed_connection_is_told_and_ends_the_ids,
            an_opening_or_a_close_that_is_given_up_keeps_no_instance_id,
            a_reservation_that_is_given_up_leaves_the_others_their_ids;
    }
}

// UID-2
pub(crate) async fn a_valid_config_gives_a_handle_that_makes_ids(at: At) {
    let uid = at.uid().await;
    assert_eq!(uid.instance(), Some(1));
    uid.snowflake().await.unwrap();
}

// UID-4
pub(crate) async fn two_ids_are_not_zero_and_differ(at: At) {
    let uid = at.uid().await;
    let (one, two) = (uid.snowflake().await.unwrap(), uid.snowflake().await.unwrap());
    assert!(one > 0 && two > 0 && one != two);
}

// UID-5
pub(crate) async fn a_hundred_tasks_get_ten_thousand_different_ids(at: At) {
    let uid = at.uid().await;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let uid = uid.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..100 {
                    ids.push(uid.snowflake().await.unwrap());
                }
                ids
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap());
    }
    assert_eq!(all_differ(ids), 10_000);
}

// UID-6
pub(crate) async fn ids_one_after_the_other_rise(at: At) {
    let uid = at.uid().await;
    let mut last = 0;
    for _ in 0..100 {
        let id = uid.snowflake().await.unwrap();
        assert!(id > last);
        last = id;
    }
}

// UID-7
pub(crate) async fn the_parts_of_an_id_are_its_own(at: At) {
    let uid = at.uid().await;
    let (one, two) = (uid.snowflake().await.unwrap(), uid.snowflake().await.unwrap());
    let (first, second) = (uid.parse(one).unwrap(), uid.parse(two).unwrap());
    assert_eq!(Some(first.instance), uid.instance());
    assert!(first.unix_ms() > 0 && first.sequence < 4096);
    assert!((first.time, first.sequence) < (second.time, second.sequence));
}

// UID-8
pub(crate) async fn the_time_of_an_id_is_that_at_which_it_was_made(at: At) {
    let uid = at.uid().await;
    for _ in 0..10_000 {
        let before = now_ms();
        let made = uid.parse(uid.snowflake().await.unwrap()).unwrap().unix_ms();
        let after = now_ms();
        assert!((before..=after).contains(&made), "made at {made}, between {before} and {after}");
    }
}

// UID-11
pub(crate) async fn close_gives_the_id_back_at_once(at: At) {
    // What is stored in memory lives as long as a connection to it: a handle that is closed has none any more.
    let _store = at.coord().await;
    let uid = at.uid().await;
    let last = uid.snowflake().await.unwrap();
    assert!(uid.close(soon()).await.is_clean());
    assert!(uid.close(soon()).await.is_clean(), "again");
    assert!(matches!(uid.snowflake().await, Err(UidError::Closed)));
    // The next one has the same number, and goes on above.
    let next = at.uid().await;
    assert_eq!(next.instance(), Some(1));
    assert!(next.snowflake().await.unwrap() > last);
}

pub(crate) async fn several_handles_have_instance_ids_of_their_own(at: At) {
    let mut handles: Vec<Uid> = Vec::new();
    for _ in 0..4 {
        handles.push(at.uid().await);
    }
    let instances: BTreeSet<u16> = handles.iter().filter_map(Uid::instance).collect();
    assert_eq!(instances.len(), 4);
    let mut ids = Vec::new();
    for uid in &handles {
        ids.push(uid.reserve(1_000).await.unwrap().collect());
    }
    assert_eq!(all_differ(ids), 4_000);
}

pub(crate) async fn when_all_instance_ids_are_taken_there_is_no_handle(at: At) {
    let config = UidConfig { max_instance_id: 1, ..config() };
    let first = at.open(&config).await.unwrap();
    let error = at.open(&config).await.unwrap_err();
    assert_eq!(error.to_string(), "no instance id was to be had: all 1 instance ids of `test` are taken");
    let source = std::error::Error::source(&error).expect("coordination's own error");
    assert_eq!(source.to_string(), "all 1 instance ids of `test` are taken");
    let _ = first.close(soon()).await;
    assert_eq!(at.open(&config).await.unwrap().instance(), Some(1));
}

pub(crate) async fn a_closed_connection_is_told_and_ends_the_ids(at: At) {
    let coord = at.coord().await;
    let uid = Uid::open(&config(), Some(&coord)).await.unwrap();
    uid.snowflake().await.unwrap();
    let _ = coord.close(soon()).await;
    // The deadline is checked with each id; an end before it is noticed within 10 ms, or so much sooner as the task that
    // waits for it runs.
    tokio::time::sleep(Duration::from_millis(15)).await;
    let error = uid.snowflake().await.unwrap_err();
    assert!(matches!(error, UidError::Lost { instance: 1, .. }), "{error}");
    // Nothing is left to be given back.
    assert!(uid.close(soon()).await.is_clean());
}

pub(crate) async fn an_opening_or_a_close_that_is_given_up_keeps_no_instance_id(at: At) {
    let coord = at.coord().await;
    // A limit may have been written, and is waited for.
    let config = UidConfig { max_instance_id: 1, floor_period: Duration::from_secs(1), ..config() };
    // Whatever was taken is given back in the background, well before it would run out.
    let free_again = async |_| {
        let begun = tokio::time::Instant::now();
        loop {
            match Uid::open(&config, Some(&coord)).await {
                Ok(uid) => break assert!(uid.close(soon()).await.is_clean()),
                Err(UidError::Coord(_) | UidError::FloorAhead { .. }) if begun.elapsed() < Duration::from_secs(10) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    let open_and_close = async |_| Uid::open(&config, Some(&coord)).await.unwrap().close(soon()).await;
    let mut dropped = drop_at_each_poll(open_and_close, free_again).await;
    // In memory, on a busy machine, all may be done when it is looked at for the second time: then once more.
    for _ in 0..100 {
        if dropped.dropped >= 2 {
            break;
        }
        dropped = drop_at_each_poll(open_and_close, free_again).await;
    }
    assert!(dropped.dropped >= 2, "{dropped:?}");
}

pub(crate) async fn a_reservation_that_is_given_up_leaves_the_others_their_ids(at: At) {
    let uid = at.uid().await;
    let mut last = 0;
    let reserve = async |_| _ = uid.reserve(20_000).await.unwrap();
    let dropped = drop_at_each_poll(reserve, async |_| {
        let id = uid.snowflake().await.unwrap();
        assert!(id > last);
        last = id;
    })
    .await;
    assert!(dropped.dropped >= 4, "it takes five milliseconds: {dropped:?}");
}
