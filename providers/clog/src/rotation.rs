//! When a log file makes room for a new one.

use std::time::SystemTime;

use gone_config::{Faults, SectionFault};
use gone_kit::named;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// When a log file makes room for a new one, and what becomes of the old ones.
///
/// A file is rotated only if this is configured. Without it a log file grows until somebody else
/// rotates it, which is noticed, see [`Clog::reopen`](crate::Clog::reopen).
///
/// # Names
///
/// `logs/app.log` becomes `logs/app-20250311T100322Z-0000.log`: the moment of the rotation in UTC,
/// and a number that tells apart those of one second. Names sort by time, also when the clock is set
/// back. A compressed one ends in `.gz`. Only files whose name has this form in full are ever
/// compressed or deleted, which happens after each rotation, on a thread that ends with it. What fails
/// then is told in the log, and tried again after the next rotation. One process at a time may rotate a
/// file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Rotation {
    /// The size of a file in bytes that a line may not take it beyond; the line goes into a new
    /// file. Only a single line that is longer makes a longer file. 0: no limit; else 1 KiB or more.
    pub max_bytes: u64,
    /// `hour` or `day`: begins a new file with the first line of a new hour or day of local time.
    pub every: Option<Every>,
    /// How many old files are kept; the oldest are deleted. 0: all.
    pub max_backups: u64,
    /// For how many days an old file is kept. 0: for ever.
    pub max_age_days: u64,
    /// Whether old files are compressed with gzip, on a thread of their own. Needs the feature `gzip`
    /// of `gone-clog`.
    pub compress: bool,
}

named! {
    /// A stretch of local time that has a file of its own.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Every ("stretch of time") {
        /// From one full hour to the next.
        Hour = "hour",
        /// From midnight to midnight.
        Day = "day",
    }
}

impl Every {
    /// A number for the hour or day of a moment: the same for all moments of one, and another for each
    /// other.
    pub(crate) fn period(self, at: SystemTime) -> i64 {
        let at = Timestamp::try_from(at).unwrap_or_default();
        let offset = TimeZone::system().to_offset(at);
        let length = match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        };
        (at.as_second() + i64::from(offset.seconds())).div_euclid(length)
    }
}

/// A smaller file is a mistake in the unit.
const LEAST_BYTES: u64 = 1024;

impl Rotation {
    pub(crate) fn check(&self, faults: &mut Faults) {
        if self.max_bytes == 0 && self.every.is_none() {
            faults.push(SectionFault::hidden("rotation", "it never rotates: set `max_bytes` or `every`"));
        }
        if self.max_bytes != 0 && self.max_bytes < LEAST_BYTES {
            let reason = format!("the number of bytes, {LEAST_BYTES} or more; 0 is no limit");
            faults.push(SectionFault::unfit("rotation.max_bytes", self.max_bytes, reason));
        }
        if self.compress && !cfg!(feature = "gzip") {
            let reason = "this program is built without it: turn on the feature `gzip` of `gone-clog`";
            faults.push(SectionFault::unfit("rotation.compress", true, reason));
        }
    }
}

impl Default for Rotation {
    /// At 100 MiB, ten old files, of any age, not compressed.
    fn default() -> Self {
        Self { max_bytes: 100 * 1024 * 1024, every: None, max_backups: 10, max_age_days: 0, compress: false }
    }
}

#[cfg(test)]
mod tests {
    use gone_config::Section;

    use super::*;
    use crate::{ClogConfig, Output};

    fn of(rotation: Rotation) -> ClogConfig {
        ClogConfig { output: Output::File("app.log".into()), rotation: Some(rotation), ..ClogConfig::default() }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        type Spoil = fn(&mut Rotation);
        let cases: [(&str, Spoil); 2] = [
            ("rotation", |rotation| rotation.max_bytes = 0),
            ("rotation.max_bytes", |rotation| rotation.max_bytes = 100),
        ];
        for (setting, spoil) in cases {
            let mut rotation = Rotation::default();
            spoil(&mut rotation);
            let error = of(rotation).validate().unwrap_err();
            assert_eq!(error.faults().iter().filter_map(SectionFault::field).collect::<Vec<_>>(), [setting]);
        }
        of(Rotation { max_bytes: 0, every: Some(Every::Day), ..Rotation::default() }).validate().unwrap();
    }

    #[test]
    fn a_period_is_an_hour_or_a_day_of_local_time() {
        use std::time::Duration;

        let second = |civil: &str| {
            let civil: jiff::civil::DateTime = civil.parse().unwrap();
            SystemTime::try_from(TimeZone::system().to_timestamp(civil).unwrap()).unwrap()
        };
        let day = Every::Day.period(second("2025-03-11T00:00:00"));
        assert_eq!(Every::Day.period(second("2025-03-11T23:59:59")), day);
        assert_eq!(Every::Day.period(second("2025-03-12T00:00:00")), day + 1);
        let hour = Every::Hour.period(second("2025-03-11T10:00:00"));
        assert_eq!(Every::Hour.period(second("2025-03-11T10:59:59") + Duration::from_millis(999)), hour);
        assert_eq!(Every::Hour.period(second("2025-03-11T11:00:00")), hour + 1);
    }

    #[cfg(not(feature = "gzip"))]
    #[test]
    fn compression_that_is_not_built_in_names_the_feature() {
        let rotation = Rotation { compress: true, ..Rotation::default() };
        assert_eq!(
            of(rotation).validate().unwrap_err().to_string(),
            "`rotation.compress` is true: this program is built without it: turn on the feature `gzip` of `gone-clog`"
        );
    }
}
