use std::collections::HashSet;

use super::*;
use crate::UidError;

#[tokio::test]
async fn a_small_step_back_is_ridden_out_at_half_the_speed() {
    let (uid, _fake, hand) = opened().await;
    let start = uid.parse(uid.try_snowflake().unwrap()).unwrap().time;
    hand.set_wall(start - ms(40));
    let mut times = Vec::new();
    for passed in 1..=100_u64 {
        hand.advance(ms(1));
        let time = uid.parse(uid.try_snowflake().unwrap()).unwrap().time.duration_since(start).unwrap();
        let wall = ms(passed).saturating_sub(ms(40));
        // Not behind the wall clock; and at half the speed once the step was noticed, which takes up to 10 ms.
        assert!(time >= wall && time <= wall.max(ms(5) + ms(passed) / 2), "after {passed} ms: {time:?}");
        times.push(time.as_millis());
    }
    assert!(times[39] >= 15, "it stood still until the wall clock had caught up: {times:?}");
    times.dedup();
    // It stood still at no time, and jumped at none.
    assert!(times.iter().copied().eq(1..=60), "{times:?}");
}

#[tokio::test]
async fn a_large_step_back_is_an_error_until_the_clock_is_near_again() {
    let (uid, _fake, hand) = opened().await;
    let first = uid.try_snowflake().unwrap();
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW - ms(10_000));
    hand.advance(ms(10));
    for _ in 0..3 {
        let error = uid.try_snowflake().unwrap_err();
        assert_eq!(error.to_string(), "the clock went back: it is 9.99s behind the last id, and 50ms are tolerated");
    }
    let stats = uid.stats();
    assert_eq!((stats.clock_behind, stats.clock_steps_back, stats.refused), (ms(9_990), 1, 3));
    assert_eq!(uid.trouble().as_deref(), Some("the clock is 9.99s behind the last snowflake"));
    hand.advance(ms(9_939));
    assert!(matches!(uid.try_snowflake(), Err(UidError::ClockBackwards { behind, .. }) if behind == ms(51)));
    hand.advance(ms(1));
    assert!(uid.try_snowflake().unwrap() > first);
    assert_eq!(uid.trouble(), None);
}

#[tokio::test]
async fn a_step_back_to_after_the_last_id_is_no_step_back() {
    let (uid, _fake, hand) = opened().await;
    uid.try_snowflake().unwrap();
    hand.advance(ms(20_000));
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW + ms(1));
    assert_eq!(uid.parse(uid.try_snowflake().unwrap()).unwrap().time, SystemTime::UNIX_EPOCH + NOW + ms(1));
}

#[tokio::test]
async fn a_step_ahead_beyond_the_limit_is_followed_once_coordination_has_confirmed_it() {
    let (uid, fake, hand) = opened().await;
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW + ms(20_000));
    hand.advance(ms(10));
    uid.try_snowflake().unwrap();
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW + ms(3_600_000));
    hand.advance(ms(10));
    assert!(matches!(uid.try_snowflake(), Err(UidError::Unconfirmed { .. })));
    // Asked for at once, since it was missed.
    settle().await;
    assert_eq!(uid.parse(uid.try_snowflake().unwrap()).unwrap().time, SystemTime::UNIX_EPOCH + NOW + ms(3_600_010));
    assert!(fake.floor(1).unwrap() > NOW.as_millis() as u64 + 3_600_000);
}

/// While a machine is suspended its monotonic clock stands still, and so does the lease, but not the one in the store.
#[tokio::test]
async fn after_a_suspension_there_is_no_id_unless_the_number_is_still_held() {
    let (uid, fake, hand) = opened().await;
    uid.try_snowflake().unwrap();
    fake.free_unheard(1);
    fake.take(1);
    hand.set_wall(SystemTime::UNIX_EPOCH + NOW + ms(60_000));
    hand.advance(ms(10));
    assert!(matches!(uid.try_snowflake(), Err(UidError::Unconfirmed { instance: 1 })));
    settle().await;
    assert_eq!(uid.parse(uid.try_snowflake().unwrap()).unwrap().instance, 2);
    assert_eq!(uid.stats().instances_lost, 1);
}

/// A small generator of numbers by chance, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// `count` ids while the wall clock is set back by 1 ms to 10 s now and then, and ahead as far.
async fn random_steps(count: usize, seed: u64) {
    println!("seed {seed}");
    let (uid, fake, hand) = opened().await;
    let clock = hand_clock(&uid);
    let mut chance = Chance(seed | 1);
    let mut ids = HashSet::with_capacity(count);
    let (mut last, mut steps, mut refused, mut longest) = (0, 0_u32, 0_u32, Duration::ZERO);
    // How long no id came, though none was refused.
    let mut waited = Duration::ZERO;
    let mut turn = 0_u64;
    while ids.len() < count {
        turn += 1;
        let step = Duration::from_micros(chance.below(3));
        hand.advance(step);
        waited += step;
        if chance.below(2_000) == 0 {
            steps += 1;
            // As often small as large.
            let bound = [2, 60, 1_000, 10_000][chance.below(4) as usize];
            let by = Duration::from_micros(1_000 + chance.below(bound * 1_000));
            let wall = clock.wall();
            hand.set_wall(if chance.below(3) == 0 { wall + by } else { wall - by });
        }
        if turn.is_multiple_of(500) {
            fake.renew();
            settle().await;
        }
        match uid.try_snowflake() {
            Ok(id) => {
                assert!(id > last && ids.insert(id), "seed {seed}: {id} again, or after {last}");
                last = id;
                longest = longest.max(std::mem::take(&mut waited));
            }
            Err(UidError::SequenceFull) => {}
            Err(UidError::ClockBackwards { behind, tolerance }) => {
                assert!(behind > tolerance);
                refused += 1;
                // The clock is put right, by an operator or by time.
                hand.advance(Duration::from_millis(chance.below(3_000)));
                fake.renew();
                settle().await;
                waited = Duration::ZERO;
            }
            Err(UidError::Unconfirmed { .. }) => {
                hand.advance(ms(2_500));
                fake.renew();
                settle().await;
                waited = Duration::ZERO;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    println!("{count} ids, {steps} steps, {refused} refusals, longest wait {longest:?}");
    assert!(steps > 0 && refused > 0, "seed {seed}: no step struck");
    assert!(longest <= config().rollback_tolerance, "seed {seed}: waited {longest:?}");
}

fn hand_clock(uid: &Uid) -> Clock {
    uid.clock().clone()
}

fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_nanos() as u64
}

// UID-R2
#[tokio::test]
async fn ids_do_not_repeat_while_the_clock_is_set_back_at_random() {
    random_steps(1_000_000, seed()).await;
}
