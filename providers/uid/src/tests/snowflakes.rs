use std::collections::BTreeSet;

use super::*;
use crate::UidError;

// UID-1
// UID-3
#[tokio::test]
async fn an_invalid_config_gives_no_handle() {
    let (clock, _hand) = clock();
    let fake = Fake::new(&clock);
    for id in [0, 1024] {
        let config = UidConfig { max_instance_id: id, ..config() };
        let error = open(&fake, &config, &clock).await.unwrap_err();
        assert_eq!(error.to_string(), format!("`max_instance_id` is {id}; it must be 1 to 1023"));
    }
    assert!(fake.held().is_empty(), "nothing was acquired");
}

#[tokio::test]
async fn an_id_is_of_the_millisecond_in_which_it_is_made() {
    let (uid, _fake, hand) = opened().await;
    hand.advance(ms(5));
    let first = uid.parse(uid.snowflake().await.unwrap()).unwrap();
    let second = uid.parse(uid.snowflake().await.unwrap()).unwrap();
    assert_eq!((first.time, first.instance), (SystemTime::UNIX_EPOCH + NOW + ms(5), 1));
    assert_eq!(second.sequence, first.sequence + 1);
    assert!(matches!(uid.parse(-1), Err(UidError::NotASnowflake { id: -1 })));
}

#[tokio::test]
async fn a_millisecond_has_4096_ids_and_the_next_one_again() {
    let (uid, _fake, hand) = opened().await;
    let count = || std::iter::from_fn(|| uid.try_snowflake().ok()).count();
    // The first millisecond of an instance, and what follows a full one, begin at 0.
    assert_eq!(count(), 4096);
    assert!(matches!(uid.try_snowflake(), Err(UidError::SequenceFull)));
    hand.advance(ms(1));
    assert_eq!(count(), 4096);
    hand.advance(ms(1));
    uid.try_snowflake().unwrap();
    // Another one that is not full: the next begins by chance.
    hand.advance(ms(1));
    let left = count();
    assert!((4096 - 1023..=4096).contains(&left), "{left}");
}

#[tokio::test]
async fn who_finds_the_millisecond_full_waits_for_the_next() {
    let (uid, _fake, hand) = opened().await;
    while uid.try_snowflake().is_ok() {}
    let waiting = tokio::spawn({
        let uid = uid.clone();
        async move { uid.snowflake().await }
    });
    tokio::time::sleep(ms(20)).await;
    assert!(!waiting.is_finished(), "the clock stands still");
    hand.advance(ms(1));
    let parts = uid.parse(waiting.await.unwrap().unwrap()).unwrap();
    assert_eq!((parts.time, parts.sequence), (SystemTime::UNIX_EPOCH + NOW + ms(1), 0));
}

#[tokio::test]
async fn a_dropped_wait_leaves_nothing_behind() {
    let (uid, _fake, hand) = opened().await;
    while uid.try_snowflake().is_ok() {}
    let cut = tokio::time::timeout(ms(5), uid.snowflake()).await;
    assert!(cut.is_err());
    hand.advance(ms(1));
    assert_eq!(uid.parse(uid.try_snowflake().unwrap()).unwrap().sequence, 0, "the dropped one took no id");
}

#[tokio::test]
async fn reserved_ids_rise_and_are_nobody_elses() {
    let (uid, _fake, hand) = opened().await;
    let before = uid.try_snowflake().unwrap();
    let reserving = tokio::spawn({
        let uid = uid.clone();
        async move { uid.reserve(10_000).await }
    });
    while !reserving.is_finished() {
        hand.advance(ms(1));
        settle().await;
    }
    let reserved = reserving.await.unwrap().unwrap();
    assert_eq!(reserved.len(), 10_000);
    let ids: Vec<i64> = reserved.collect();
    let after = uid.snowflake().await.unwrap();
    assert!(before < ids[0] && ids.is_sorted_by(|a, b| a < b) && ids[9_999] < after);
    for count in [0, crate::MAX_RESERVED + 1] {
        assert!(matches!(uid.reserve(count).await, Err(UidError::Count { count: it }) if it == count));
    }
}

#[tokio::test]
async fn without_coordination_there_are_uuids_and_no_snowflakes() {
    let uid = Uid::open(&UidConfig::default(), None).await.unwrap();
    let error = uid.snowflake().await.unwrap_err();
    assert!(matches!(error, UidError::NoCoord));
    assert!(error.to_string().contains("load `gone::coord::module`"), "{error}");
    assert!(Uid::is_valid_uuid(&uid.uuid_v7_text()));
    assert!(uid.close(gone_core::Deadline::after(ms(100))).await.is_clean());
}

#[tokio::test]
async fn a_clock_out_of_the_range_of_the_epoch_is_an_error() {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    let config = UidConfig { epoch_ms: NOW.as_millis() as u64 + 10, ..config() };
    let uid = open(&fake, &config, &clock).await.unwrap();
    assert!(matches!(uid.snowflake().await, Err(UidError::OutOfRange { .. })));
    hand.advance(ms(11));
    assert_eq!(uid.parse(uid.snowflake().await.unwrap()).unwrap().time, SystemTime::UNIX_EPOCH + NOW + ms(11));
    hand.set_wall(config.epoch().expires());
    hand.advance(ms(11));
    assert!(matches!(uid.snowflake().await, Err(UidError::OutOfRange { .. })));
}

// UID-R5
#[tokio::test]
async fn ten_thousand_who_want_an_id_of_one_millisecond_leave_the_runtime_free() {
    let (uid, _fake, hand) = opened().await;
    let tasks: Vec<_> = (0..10_000)
        .map(|_| {
            let uid = uid.clone();
            tokio::spawn(async move { uid.snowflake().await.unwrap() })
        })
        .collect();
    // On this one thread: if one of them blocked, spun or held it, nothing below would run.
    let done = || tasks.iter().filter(|task| task.is_finished()).count();
    for due in [4096, 8192, 10_000] {
        let patience = std::time::Instant::now();
        while done() < due && patience.elapsed() < ms(20_000) {
            tokio::time::sleep(ms(2)).await;
        }
        // However often the others look.
        tokio::time::sleep(ms(5)).await;
        assert_eq!(done(), due);
        hand.advance(ms(1));
    }
    let mut ids = BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap());
    }
    assert_eq!(ids.len(), 10_000);
}

// UID-R6
#[tokio::test]
async fn an_id_now_and_then_goes_to_every_shard_as_often() {
    let (uid, fake, hand) = opened().await;
    let mut shards = [0_u32; 16];
    for turn in 0..100_000 {
        hand.advance(ms(10));
        if turn % 500 == 0 {
            fake.renew();
            settle().await;
        }
        let id = uid.try_snowflake().unwrap();
        shards[(id % 16) as usize] += 1;
    }
    println!("{shards:?}");
    let fair = 100_000 / 16;
    assert!(shards.iter().all(|shard| shard.abs_diff(fair) <= fair / 20), "{shards:?}");
}
