//! Local time as text.

use std::fmt::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The second that a time lies in, counted from 1970. A clock before that is one that was never set.
pub(crate) fn second_of(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The second of the last line and its text, so that the time zone is asked once a second and
/// follows its changes.
#[derive(Default)]
pub(crate) struct LocalTime {
    second: Option<u64>,
    json: String,
    console: String,
}

impl LocalTime {
    /// Writes `2025-03-11T10:03:22.123`, or `2025/03/11 10:03:22.123` for a console.
    pub(crate) fn write(&mut self, out: &mut String, now: SystemTime, for_console: bool) {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = since_epoch.as_secs();
        if self.second != Some(second) {
            self.read(second);
        }
        out.push_str(if for_console { &self.console } else { &self.json });
        // Four digits of which the first is cut: three, with zeros in front.
        let mut digits = itoa::Buffer::new();
        out.push_str(&digits.format(1_000 + since_epoch.subsec_millis())[1..]);
    }

    fn read(&mut self, second: u64) {
        self.json.clear();
        self.console.clear();
        for (at, byte) in second_text(local_second(second)).into_iter().enumerate() {
            self.json.push(char::from(byte));
            self.console.push(match at {
                4 | 7 => '/',
                10 => ' ',
                _ => char::from(byte),
            });
        }
        self.json.push('.');
        self.console.push('.');
        self.second = Some(second);
    }
}

fn local_second(second: u64) -> DateTime {
    let timestamp = i64::try_from(second).ok().and_then(|s| Timestamp::from_second(s).ok());
    let timestamp = timestamp.unwrap_or(Timestamp::MAX);
    TimeZone::system().to_datetime(timestamp)
}

fn second_text(at: DateTime) -> [u8; 19] {
    let mut text = *b"0000-00-00T00:00:00";
    let mut put = |from: usize, digits: usize, number: u16| {
        let mut rest = number;
        for place in (from..from + digits).rev() {
            text[place] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    };
    put(0, 4, at.year().unsigned_abs());
    put(5, 2, at.month().unsigned_abs().into());
    put(8, 2, at.day().unsigned_abs().into());
    put(11, 2, at.hour().unsigned_abs().into());
    put(14, 2, at.minute().unsigned_abs().into());
    put(17, 2, at.second().unsigned_abs().into());
    text
}

/// A time that is a value: local, with its offset, down to the nanosecond where it has them.
pub(crate) fn write_with_offset(out: &mut dyn Write, time: SystemTime) -> fmt::Result {
    match Timestamp::try_from(time) {
        Ok(timestamp) => {
            let offset = TimeZone::system().to_offset(timestamp);
            write_at_offset(out, timestamp, offset)
        }
        // Beyond the year 9999 or before -9999.
        Err(_) => out.write_str("out of range"),
    }
}

fn write_at_offset(out: &mut dyn Write, timestamp: Timestamp, offset: Offset) -> fmt::Result {
    write!(out, "{}", timestamp.display_with_offset(offset))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_text_is_local_with_three_digits_of_milliseconds() {
        for seconds in [0, 951_782_400, 1_741_687_402, 4_102_444_799] {
            let now = UNIX_EPOCH + Duration::new(seconds, 7_999_999);
            let expected =
                TimeZone::system().to_datetime(Timestamp::try_from(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap());
            let mut local = LocalTime::default();
            let mut json = String::new();
            local.write(&mut json, now, false);
            assert_eq!(json, format!("{expected}.007"));
            let mut console = String::new();
            local.write(&mut console, now, true);
            assert_eq!(console, expected.strftime("%Y/%m/%d %H:%M:%S.007").to_string());
        }
    }

    #[test]
    fn another_second_is_another_text() {
        let mut local = LocalTime::default();
        let mut written = |seconds, millis: u32| {
            let mut text = String::new();
            local.write(&mut text, UNIX_EPOCH + Duration::new(seconds, millis * 1_000_000), false);
            text[text.len() - 6..].to_owned()
        };
        assert_eq!([written(7, 999), written(8, 0), written(7, 50)], ["07.999", "08.000", "07.050"]);
    }

    #[test]
    fn a_clock_out_of_range_still_gives_a_text_of_the_same_shape() {
        for now in [UNIX_EPOCH - Duration::from_secs(5), UNIX_EPOCH + Duration::from_secs(1 << 60)] {
            let mut text = String::new();
            LocalTime::default().write(&mut text, now, false);
            assert_eq!(text.len(), "2025-03-11T10:03:22.123".len(), "{text}");
        }
    }

    #[test]
    fn a_time_value_names_its_offset() {
        let timestamp = Timestamp::from_millisecond(1_741_687_402_123).unwrap();
        let mut text = String::new();
        write_at_offset(&mut text, timestamp, jiff::tz::offset(8)).unwrap();
        assert_eq!(text, "2025-03-11T18:03:22.123+08:00");
    }
}
