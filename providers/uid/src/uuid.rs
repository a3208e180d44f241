//! UUIDs of version 7, in the order in which they are made.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use gone_kit::Clock;
use rand::Rng as _;
use uuid::Uuid;

use crate::timeline::{CHECKED_FOR, Timeline};

/// The bits of a tick that are parts of a millisecond: the 12 of `rand_a`, and 4 of `rand_b` after the variant.
const PART_BITS: u32 = 16;
const RANDOM_BITS: u32 = 58;

/// Those of the process.
pub(crate) static OF_THE_PROCESS: LazyLock<Arc<Uuids>> = LazyLock::new(|| Arc::new(Uuids::new(Clock::system())));

/// Makes UUIDs that only grow, without a lock.
///
/// RFC 9562, section 6.2, method 3: what follows the millisecond is a part of it, here 1/65536. Where the clock has not moved
/// on, or has gone back, the next one is one part after the last. The other 58 bits are random.
#[derive(Debug)]
pub(crate) struct Uuids {
    /// The last tick: 48 bits of milliseconds since 1970, which last until the year 10889, and 16 of parts.
    last: AtomicU64,
    /// Up to which reading of the monotonic clock the timeline is right.
    checked: AtomicI64,
    timeline: Timeline,
}

impl Uuids {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { last: AtomicU64::new(0), checked: AtomicI64::new(0), timeline: Timeline::new(clock, 0) }
    }

    #[inline]
    pub(crate) fn next(&self) -> Uuid {
        let mut nanos = self.timeline.nanos();
        if nanos >= self.checked.load(Ordering::Relaxed) {
            nanos = self.follow();
        }
        let now = tick(self.timeline.at(nanos));
        let mut last = self.last.load(Ordering::Relaxed);
        let tick = loop {
            let next = now.max(last.wrapping_add(1));
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break next,
                Err(other) => last = other,
            }
        };
        compose(tick, rand::rng().next_u64())
    }

    /// Follows the wall clock wherever it went.
    #[cold]
    fn follow(&self) -> i64 {
        let reading = self.timeline.read();
        self.timeline.set(reading, i64::MIN / 4);
        self.checked.store(reading.nanos + CHECKED_FOR, Ordering::Relaxed);
        reading.nanos
    }
}

/// Of nanoseconds since 1970; what is before counts as 1970.
fn tick(time: i64) -> u64 {
    let time = time.max(0) as u64;
    let (ms, nanos) = (time / 1_000_000, time % 1_000_000);
    (ms << PART_BITS) | ((nanos << PART_BITS) / 1_000_000)
}

fn compose(tick: u64, random: u64) -> Uuid {
    let (ms, part) = (tick >> PART_BITS, tick & ((1 << PART_BITS) - 1));
    let high = (ms << 16) | (7 << 12) | (part >> 4);
    let low = (0b10 << 62) | ((part & 0xf) << RANDOM_BITS) | (random >> (64 - RANDOM_BITS));
    Uuid::from_u64_pair(high, low)
}

/// As text: 36 characters, lower case, with hyphens.
pub(crate) fn text(uuid: Uuid) -> String {
    uuid.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use gone_kit::ManualClock;

    use super::*;

    #[test]
    fn a_uuid_has_its_version_its_variant_and_its_time() {
        let uuid = compose(tick(1_645_557_742_123_500_000), u64::MAX);
        assert_eq!(uuid.to_string(), "017f22e2-7a2b-7800-83ff-ffffffffffff");
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(text(uuid), uuid.to_string());
    }

    #[test]
    fn parts_of_a_millisecond_keep_the_order() {
        let mut last = Uuid::nil();
        for nanos in (0..3_000_000).step_by(20) {
            let uuid = compose(tick(1_645_557_742_000_000_000 + nanos), 0);
            assert!(uuid > last, "{nanos}");
            last = uuid;
        }
    }

    // UID-R7
    #[test]
    fn uuids_go_on_growing_while_the_clock_goes_back() {
        let (clock, hand) = ManualClock::new();
        let uuids = Uuids::new(clock.clone());
        let mut last = uuids.next();
        for back in [0, 1, 50, 10_000, 3_600_000] {
            hand.set_wall(clock.wall() - Duration::from_millis(back));
            for turn in 0..1_000 {
                hand.advance(Duration::from_micros(turn % 40));
                let next = uuids.next();
                assert!(next > last, "{back} ms back");
                last = next;
            }
        }
    }

    #[test]
    fn a_clock_before_1970_makes_uuids_all_the_same() {
        let (clock, hand) = ManualClock::new();
        hand.set_wall(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        let uuids = Uuids::new(clock);
        let (one, two) = (uuids.next(), uuids.next());
        assert!(one < two);
    }
}
