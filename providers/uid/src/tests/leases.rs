use gone_core::Deadline;

use super::fake::TTL;
use super::*;
use crate::UidError;
use crate::generator::{Generator, Refusal};

#[tokio::test]
async fn there_is_no_id_from_the_lease_deadline_on() {
    let (uid, _fake, hand) = opened().await;
    hand.advance(TTL - Duration::from_nanos(1));
    uid.try_snowflake().unwrap();
    hand.advance(Duration::from_nanos(1));
    let error = uid.try_snowflake().unwrap_err();
    assert!(matches!(error, UidError::Lost { instance: 1, .. }), "{error}");
}

#[tokio::test]
async fn ids_go_on_while_the_lease_is_renewed() {
    let (uid, fake, hand) = opened().await;
    for _ in 0..20 {
        hand.advance(TTL / 3);
        fake.renew();
        settle().await;
        uid.try_snowflake().unwrap();
    }
    assert_eq!(uid.instance(), Some(1));
}

#[tokio::test]
async fn a_lost_id_is_replaced_in_the_background_and_ids_still_rise() {
    let (uid, fake, hand) = opened().await;
    let before = uid.try_snowflake().unwrap();
    fake.down(true);
    fake.forget(1);
    settle().await;
    let error = uid.snowflake().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "instance id 1 is no longer held: it was lost: the server has forgotten it; a new one is being acquired"
    );
    assert_eq!(uid.instance(), None);
    // Its floor is ahead, so that the new one is another.
    fake.down(false);
    hand.advance(ms(200));
    settle().await;
    assert_eq!(uid.instance(), Some(2));
    let after = uid.try_snowflake().unwrap();
    assert!(after > before);
    assert_eq!(uid.stats().instances_lost, 1);
}

#[tokio::test]
async fn ids_rise_from_one_instance_to_the_next_though_the_clock_goes_back() {
    let (uid, fake, hand) = opened().await;
    let before = uid.try_snowflake().unwrap();
    fake.forget(1);
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW - ms(40));
    settle().await;
    assert_eq!(uid.instance(), Some(2));
    assert!(matches!(uid.try_snowflake(), Err(UidError::SequenceFull)), "all up to then is given out");
    hand.advance(ms(2));
    assert!(uid.try_snowflake().unwrap() > before);
}

/// An id that is acquired at the very moment of the close.
#[tokio::test]
async fn what_was_closed_takes_no_instance_any_more() {
    let (clock, _hand) = clock();
    let instance = Fake::new(&clock).instances().acquire().await.unwrap();
    let generator = Generator::new(clock, config().epoch(), ms(50));
    generator.close();
    let now = generator.now_ms();
    generator.hold(1, instance.lease().clone(), now + 3, now + 1_000);
    assert!(matches!(generator.take(1), Err(Refusal::Not(UidError::Closed))));
    assert_eq!(generator.close(), (now + 3, now + 1_000), "its floor is kept");
}

/// UID-R3 in one process: two handles, one id, the first stands still.
#[tokio::test]
async fn a_holder_that_stood_still_makes_no_id_with_the_number_of_its_successor() {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    fake.max(1);
    let paused = open(&fake, &config(), &clock).await.unwrap();
    let last = paused.try_snowflake().unwrap();
    // Nothing of the paused one runs: its tasks are not polled while nobody yields.
    hand.advance(TTL + ms(1));
    fake.free_unheard(1);
    let successor = open(&fake, &config(), &clock).await.unwrap();
    let first = successor.try_snowflake().unwrap();
    assert!(matches!(paused.try_snowflake(), Err(UidError::Lost { .. })));
    assert!(first > last);
    assert_eq!(successor.parse(first).unwrap().instance, 1);
}

#[tokio::test]
async fn close_gives_the_id_back_at_once_and_twice_is_fine() {
    let (uid, fake, _hand) = opened().await;
    uid.try_snowflake().unwrap();
    let deadline = Deadline::after(Duration::from_secs(1));
    assert!(uid.close(deadline).await.is_clean());
    assert!(fake.held().is_empty());
    assert!(uid.close(deadline).await.is_clean());
    assert!(matches!(uid.snowflake().await, Err(UidError::Closed)));
    assert!(matches!(uid.reserve(5).await, Err(UidError::Closed)));
    assert!(Uid::is_valid_uuid(&uid.uuid_v7_text()), "UUIDs go on");
}

#[tokio::test]
async fn a_close_without_an_answer_reports_what_it_left() {
    let (uid, fake, _hand) = opened().await;
    fake.down(true);
    let report = uid.close(Deadline::after(Duration::from_secs(1))).await;
    assert_eq!(report.still_running, 1);
    assert_eq!(fake.held(), [1], "it lapses with its lease");
}

#[tokio::test]
async fn the_last_handle_dropped_gives_the_id_back() {
    let (uid, fake, _hand) = opened().await;
    let clone = uid.clone();
    drop(uid);
    settle().await;
    assert_eq!(fake.held(), [1]);
    drop(clone);
    settle().await;
    assert!(fake.held().is_empty());
}

#[tokio::test]
async fn a_panic_of_the_task_that_holds_the_id_is_counted_and_the_task_begins_anew() {
    let (uid, fake, hand) = opened().await;
    fake.panic_once();
    fake.forget(1);
    settle().await;
    assert!(matches!(uid.try_snowflake(), Err(UidError::Lost { .. })));
    for _ in 0..5 {
        hand.advance(ms(200));
        settle().await;
    }
    assert_eq!(uid.stats().task_panics, 1);
    assert_eq!(uid.instance(), Some(2));
    uid.try_snowflake().unwrap();
}

#[tokio::test]
async fn a_dropped_start_leaves_at_most_an_id_that_lapses() {
    let (clock, _hand) = clock();
    let fake = Fake::new(&clock);
    fake.max(1);
    fake.set_floor(1, NOW.as_millis() as u64 + 1_000);
    // It waits for the floor.
    let cut = tokio::time::timeout(ms(5), open(&fake, &config(), &clock)).await;
    assert!(cut.is_err());
    assert_eq!(fake.floor(1), Some(NOW.as_millis() as u64 + 1_000), "nothing was written");
}
