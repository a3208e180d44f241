use gone_core::Deadline;

use super::*;
use crate::UidError;

const BASE: u64 = NOW.as_millis() as u64;

fn time_of(uid: &Uid) -> u64 {
    uid.parse(uid.try_snowflake().unwrap()).unwrap().unix_ms()
}

#[tokio::test]
async fn the_floor_is_written_before_the_first_id_and_raised_three_times_a_period() {
    let (uid, fake, hand) = opened().await;
    assert_eq!(fake.floor(1), Some(BASE + 30_000));
    hand.advance(ms(9_999));
    settle().await;
    assert_eq!(fake.floor(1), Some(BASE + 30_000));
    hand.advance(ms(1));
    settle().await;
    assert_eq!(fake.floor(1), Some(BASE + 40_000));
    assert_eq!(time_of(&uid), BASE + 10_000);
}

#[tokio::test]
async fn no_id_reaches_a_floor_that_was_not_raised() {
    let (uid, fake, hand) = opened().await;
    fake.down(true);
    for _ in 0..2 {
        hand.advance(ms(10_000));
        fake.renew();
        settle().await;
    }
    hand.advance(ms(9_999));
    assert_eq!(time_of(&uid), BASE + 29_999);
    hand.advance(ms(1));
    let error = uid.try_snowflake().unwrap_err();
    assert!(matches!(error, UidError::Unconfirmed { instance: 1 }), "{error}");
    assert_eq!(uid.trouble().as_deref(), Some("coordination has not confirmed how far ids may go"));
    // Tried again within a twelfth of the period.
    fake.down(false);
    hand.advance(ms(2_500));
    settle().await;
    assert_eq!(time_of(&uid), BASE + 32_500);
}

#[tokio::test]
async fn a_close_leaves_the_floor_just_above_the_last_id() {
    let (uid, fake, hand) = opened().await;
    hand.advance(ms(3));
    assert_eq!(time_of(&uid), BASE + 3);
    let _ = uid.close(Deadline::after(Duration::from_secs(1))).await;
    assert_eq!(fake.floor(1), Some(BASE + 4));
    // The next one has it at once, in the next millisecond, and goes as far as before.
    let (of, by) = (fake.clone(), uid.clock().clone());
    let opening = tokio::spawn(async move { open(&of, &config(), &by).await });
    settle().await;
    hand.advance(ms(1));
    let next = opening.await.unwrap().unwrap();
    assert_eq!((next.instance(), time_of(&next), fake.floor(1)), (Some(1), BASE + 4, Some(BASE + 30_004)));
}

#[tokio::test]
async fn a_floor_ahead_is_passed_over_while_other_ids_are_free() {
    let (clock, _hand) = clock();
    let fake = Fake::new(&clock);
    fake.set_floor(1, BASE + 11);
    fake.set_floor(2, BASE + 3_600_000);
    let uid = open(&fake, &config(), &clock).await.unwrap();
    assert_eq!(uid.instance(), Some(3));
    assert_eq!(fake.held(), [3], "those passed over were given back");
}

#[tokio::test]
async fn the_least_floor_is_waited_for_when_no_other_id_is_free() {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    fake.max(3);
    fake.set_floor(1, BASE + 4_000);
    fake.set_floor(2, BASE + 2_000);
    fake.set_floor(3, BASE + 3_600_000);
    let (opening, of, by) = (config(), fake.clone(), clock.clone());
    let opening = tokio::spawn(async move { open(&of, &opening, &by).await });
    settle().await;
    hand.advance(ms(1_999));
    settle().await;
    assert!(!opening.is_finished());
    hand.advance(ms(1));
    let uid = opening.await.unwrap().unwrap();
    assert_eq!((uid.instance(), fake.held()), (Some(2), vec![2]));
    assert_eq!(time_of(&uid), BASE + 2_000);
}

#[tokio::test]
async fn a_floor_too_far_ahead_is_an_error_that_says_how_far() {
    let (clock, _hand) = clock();
    let fake = Fake::new(&clock);
    fake.max(1);
    fake.set_floor(1, BASE + 5_001);
    let error = open(&fake, &config(), &clock).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ids of instance 1 were given out up to {} ms since 1970, which is 5.001s ahead of this clock",
            BASE + 5_001
        )
    );
    assert!(fake.held().is_empty());
}

#[tokio::test]
async fn no_id_is_below_the_floor_though_the_clock_goes_back() {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    fake.set_floor(1, BASE);
    let uid = open(&fake, &config(), &clock).await.unwrap();
    hand.set_wall(clock.wall() - ms(40));
    assert!(matches!(uid.try_snowflake(), Err(UidError::SequenceFull)), "all before the floor is given out");
    // From there on at half the speed.
    hand.advance(ms(2));
    assert_eq!(time_of(&uid), BASE);
}

#[tokio::test]
async fn a_holder_with_a_shorter_period_leaves_a_mark_all_the_same() {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    let long = UidConfig { floor_period: ms(60_000), ..config() };
    let first = open(&fake, &long, &clock).await.unwrap();
    let _ = first.close(Deadline::after(Duration::from_secs(1))).await;
    hand.advance(ms(1));
    let second = open(&fake, &config(), &clock).await.unwrap();
    assert_eq!(second.instance(), Some(1));
    assert_eq!(fake.floor(1), Some(BASE + 60_001), "greater than that of the first, which would count otherwise");
}

#[tokio::test]
async fn at_most_sixteen_ids_are_passed_over() {
    let (clock, _hand) = clock();
    let fake = Fake::new(&clock);
    for id in 1..=20 {
        fake.set_floor(id, BASE + 3_600_000);
    }
    assert!(matches!(open(&fake, &config(), &clock).await, Err(UidError::FloorAhead { .. })));
    assert!(fake.held().is_empty());
}

/// The predecessor's clock ran ahead, and it crashed.
#[tokio::test]
async fn ids_of_a_predecessor_with_a_clock_ahead_do_not_repeat() {
    let (ahead, hand) = ManualClock::at(SystemTime::UNIX_EPOCH + NOW + ms(4_000));
    let fake = Fake::new(&ahead);
    fake.max(1);
    let config = UidConfig { floor_period: ms(1_000), ..config() };
    let first = open(&fake, &config, &ahead).await.unwrap();
    let last = time_of(&first);
    std::mem::forget(first);
    fake.free_unheard(1);
    hand.advance(ms(0));
    let (clock, hand) = clock();
    let (of, by) = (fake.clone(), clock.clone());
    let opening = tokio::spawn(async move { open(&of, &config, &by).await });
    settle().await;
    hand.advance(ms(4_999));
    settle().await;
    assert!(!opening.is_finished());
    hand.advance(ms(1));
    let second = opening.await.unwrap().unwrap();
    assert_eq!((last, time_of(&second)), (BASE + 4_000, BASE + 5_000));
}
