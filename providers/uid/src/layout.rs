//! What the bits of a snowflake say.

use std::fmt;
use std::time::{Duration, SystemTime};

const TIME_BITS: u32 = 41;
pub(crate) const INSTANCE_BITS: u32 = 10;
pub(crate) const SEQUENCE_BITS: u32 = 12;
// The sign is never set.
const _: () = assert!(1 + TIME_BITS + INSTANCE_BITS + SEQUENCE_BITS == 64);

pub(crate) const LAST_INSTANCE: u16 = (1 << INSTANCE_BITS) - 1;
/// The highest sequence number of a millisecond.
pub(crate) const LAST_SEQUENCE: u64 = (1 << SEQUENCE_BITS) - 1;
/// The first millisecond since the epoch that has no room in the layout.
pub(crate) const END_OF_TIME: u64 = 1 << TIME_BITS;

pub(crate) const fn compose(ms: u64, instance: u16, sequence: u64) -> u64 {
    (ms << (INSTANCE_BITS + SEQUENCE_BITS)) | ((instance as u64) << SEQUENCE_BITS) | sequence
}

pub(crate) const fn ms_of(id: u64) -> u64 {
    id >> (INSTANCE_BITS + SEQUENCE_BITS)
}

pub(crate) const fn instance_of(id: u64) -> u16 {
    (id >> SEQUENCE_BITS) as u16 & LAST_INSTANCE
}

pub(crate) const fn sequence_of(id: u64) -> u64 {
    id & LAST_SEQUENCE
}

/// When the millisecond 0 of the layout was.
///
/// All ids of a system must have one epoch: a change of it makes old and new ids collide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    unix_ms: u64,
}

impl Epoch {
    /// In milliseconds since 1970.
    pub(crate) fn new(unix_ms: u64) -> Self {
        Self { unix_ms }
    }

    /// The epoch, in milliseconds since 1970.
    pub fn unix_ms(self) -> u64 {
        self.unix_ms
    }

    /// From when on there are no more ids: 2^41 ms after the epoch, 69 years and a half.
    pub fn expires(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.unix_ms + END_OF_TIME)
    }

    /// The parts of a snowflake (UID-7); `None` of a negative number.
    pub(crate) fn parse(self, id: i64) -> Option<Parts> {
        let id = u64::try_from(id).ok()?;
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(self.unix_ms + ms_of(id));
        Some(Parts { time, instance: instance_of(id), sequence: sequence_of(id) as u16 })
    }
}

/// Shows the epoch and the day on which it expires.
impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({} ms, expires {})", self.unix_ms, Day((self.unix_ms + END_OF_TIME) / 86_400_000))
    }
}

/// What a snowflake is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parts {
    /// When it was made, to the millisecond, as an absolute time.
    pub time: SystemTime,
    /// By which instance, 0 to 1023.
    pub instance: u16,
    /// Which one of that millisecond, 0 to 4095. A millisecond's first is drawn by chance.
    pub sequence: u16,
}

impl Parts {
    /// The time in milliseconds since 1970.
    pub fn unix_ms(&self) -> u64 {
        let since = self.time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A day since 1970, as year, month and day.
struct Day(u64);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years that begin in March, so that the leap day is the last one; 400 of them are 146,097 days.
        let days = self.0 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = if month < 10 { (year + era * 400, month + 3) } else { (year + era * 400 + 1, month - 9) };
        write!(f, "{year}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_where_the_layout_says() {
        let id = compose(1, 2, 3);
        assert_eq!(id, (1 << 22) | (2 << 12) | 3);
        assert_eq!((ms_of(id), instance_of(id), sequence_of(id)), (1, 2, 3));
        let last = compose(END_OF_TIME - 1, LAST_INSTANCE, LAST_SEQUENCE);
        assert_eq!(last, i64::MAX as u64);
    }

    #[test]
    fn a_day_has_its_date() {
        for (day, date) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_782, "2026-11-25")] {
            assert_eq!(Day(day).to_string(), date);
        }
    }

    #[test]
    fn an_epoch_shows_when_it_expires() {
        assert_eq!(format!("{:?}", Epoch::new(1_288_834_974_657)), "Epoch(1288834974657 ms, expires 2080-07-10)");
    }

    #[test]
    fn a_negative_number_has_no_parts() {
        assert_eq!(Epoch::new(0).parse(-1), None);
        let parts = Epoch::new(5).parse(compose(7, 8, 9) as i64).unwrap();
        assert_eq!((parts.unix_ms(), parts.instance, parts.sequence), (12, 8, 9));
    }
}
