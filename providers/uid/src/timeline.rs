//! The time that ids are made of: the wall clock's, which never goes back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use gone_kit::Clock;

/// Of two readings of the clocks no further apart than this, both count as of one moment.
const AT_ONCE: Duration = Duration::from_micros(1);

/// How long one look at the wall clock holds, in nanoseconds.
pub(crate) const CHECKED_FOR: i64 = 10_000_000;

/// How often the clocks are read for two readings of one moment.
const TRIES: u32 = 5;

/// Time since the epoch, read off the monotonic clock alone.
///
/// It is the later one of two lines: the wall clock as it was at the last [`set`](Self::set), going on at its own speed; and,
/// for when the wall clock has gone back, the last time that was used, going on at half the speed until the first line has
/// caught up.
#[derive(Debug)]
pub(crate) struct Timeline {
    clock: Clock,
    /// Where the nanoseconds of [`Reading::nanos`] count from.
    origin: Instant,
    /// When the epoch was, in nanoseconds since 1970.
    epoch: i64,
    /// The wall clock's line at `nanos` is at `nanos + wall`.
    wall: AtomicI64,
    /// The other line at `nanos` is at `nanos / 2 + slow`.
    slow: AtomicI64,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) instant: Instant,
    /// The monotonic clock.
    pub(crate) nanos: i64,
    /// The wall clock, since the epoch.
    pub(crate) wall: i64,
}

impl Timeline {
    pub(crate) fn new(clock: Clock, epoch_ms: u64) -> Self {
        let origin = clock.now();
        let epoch = i64::try_from(epoch_ms).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        // Far in the past, so that `at` never overflows.
        let never = i64::MIN / 4;
        Self { clock, origin, epoch, wall: AtomicI64::new(never), slow: AtomicI64::new(never) }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The monotonic clock now.
    #[inline]
    pub(crate) fn nanos(&self) -> i64 {
        self.nanos_of(self.clock.now())
    }

    #[inline]
    pub(crate) fn nanos_of(&self, instant: Instant) -> i64 {
        // Of an instant that far ahead the last ones will do.
        instant.saturating_duration_since(self.origin).as_nanos() as i64
    }

    /// The time at a reading of the monotonic clock, in nanoseconds since the epoch.
    #[inline]
    pub(crate) fn at(&self, nanos: i64) -> i64 {
        let wall = nanos + self.wall.load(Ordering::Relaxed);
        let slow = nanos / 2 + self.slow.load(Ordering::Relaxed);
        wall.max(slow)
    }

    /// Reads both clocks.
    pub(crate) fn read(&self) -> Reading {
        let mut best = (Duration::MAX, self.read_once());
        for _ in 0..TRIES {
            let reading = self.read_once();
            let apart = self.clock.now() - reading.instant;
            if apart < best.0 {
                best = (apart, reading);
            }
            if apart <= AT_ONCE {
                break;
            }
        }
        best.1
    }

    fn read_once(&self) -> Reading {
        let instant = self.clock.now();
        let wall = match self.clock.wall().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
        };
        Reading { instant, nanos: self.nanos_of(instant), wall: wall.saturating_sub(self.epoch) }
    }

    /// Follows the wall clock from a reading on, and never comes before a time that was used.
    pub(crate) fn set(&self, reading: Reading, used: i64) {
        // Each may be seen without the other: whoever makes ids of a time never goes back behind the last id.
        self.slow.store(used - reading.nanos / 2, Ordering::Relaxed);
        self.wall.store(reading.wall - reading.nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use gone_kit::ManualClock;

    use super::*;

    const MS: i64 = 1_000_000;

    fn at_epoch() -> (Timeline, ManualClock) {
        let (clock, hand) = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_millis(1_000));
        (Timeline::new(clock, 1_000), hand)
    }

    #[test]
    fn it_follows_the_monotonic_clock_between_two_settings() {
        let (line, hand) = at_epoch();
        line.set(line.read(), 0);
        assert_eq!(line.at(line.nanos()), 0);
        hand.advance(Duration::from_millis(7));
        assert_eq!(line.at(line.nanos()), 7 * MS);
        hand.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(line.at(line.nanos()), 7 * MS, "nobody has set it since");
    }

    #[test]
    fn a_wall_clock_that_went_back_is_waited_for_at_half_the_speed() {
        let (line, hand) = at_epoch();
        hand.advance(Duration::from_millis(100));
        hand.set_wall(SystemTime::UNIX_EPOCH + Duration::from_millis(1_080));
        line.set(line.read(), 100 * MS);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(line.at(line.nanos()) / MS);
            hand.advance(Duration::from_millis(10));
        }
        assert_eq!(seen, [100, 105, 110, 115, 120, 130], "from the fourth step on the wall clock is ahead");
    }

    #[test]
    fn a_wall_clock_that_went_ahead_is_followed_at_once() {
        let (line, hand) = at_epoch();
        line.set(line.read(), 0);
        hand.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(100));
        line.set(line.read(), 0);
        assert_eq!(line.at(line.nanos()), 99_000 * MS);
    }
}
