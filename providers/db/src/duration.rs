//! Durations in configuration: text such as `"1h30m"`, or an integer of milliseconds.

use std::fmt;
use std::time::Duration;

use serde::{Deserializer, Serializer, de};

/// Writes whole milliseconds.
pub(crate) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

/// Reads text, or whole milliseconds.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(DurationVisitor)
}

struct DurationVisitor;

impl de::Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration: text such as \"250ms\", \"5s\", \"1h30m\", or an integer of milliseconds")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Duration, E> {
        Ok(Duration::from_millis(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Duration, E> {
        u64::try_from(value)
            .map(Duration::from_millis)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Duration, E> {
        parse(value).ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

/// Number and unit, once or several times: `ms`, `s`, `m`, `h`, `d`.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = None;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..unit_at].parse().ok()?;
        rest = &rest[unit_at..];
        let next_at = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..next_at] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = rest[next_at..].trim_start();
        let part = Duration::from_millis(number.checked_mul(unit)?);
        total = Some(total.unwrap_or(Duration::ZERO).checked_add(part)?);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_sum_of_numbers_with_units() {
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse("1h30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(parse(" 1d 2s "), Some(Duration::from_secs(86_402)));
    }

    #[test]
    fn text_without_number_or_unit_is_refused() {
        for text in ["", "5", "m", "5x", "-5s", "1.5s", "5s5", "99999999999999999999s", "999999999999999999d"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
