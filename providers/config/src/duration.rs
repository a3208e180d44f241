//! Durations as config writes them: `250ms`, `30s`, `1h30m`, or whole milliseconds.
//!
//! A duration is one or more numbers with a unit, the larger unit first: `d`, `h`, `m`, `s`, `ms`,
//! `us` (or `µs`), `ns`. A number may have a fraction (`1.5s`), down to one nanosecond. A whole
//! number without a unit, as text or as a number, is milliseconds. There is no sign and no space.
//!
//! A [`Duration`] read straight from the config understands this form by itself. A struct that is
//! also read by other formats says so for its fields:
//!
//! ```
//! use std::time::Duration;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Client {
//!     #[serde(with = "gone_config::DurationText")]
//!     timeout: Duration,
//!     #[serde(default, with = "gone_config::OptionalDurationText")]
//!     idle: Option<Duration>,
//! }
//!
//! let client: Client = serde_json::from_str(r#"{"timeout": "1m30s"}"#)?;
//! assert_eq!(client.timeout, Duration::from_secs(90));
//! assert_eq!(client.idle, None);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

/// What a reader of durations accepts, for messages.
pub(crate) const EXPECTED: &str = "a duration such as `250ms`, `30s` or `1h30m`, or whole milliseconds";

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Units by name, larger first. No name begins another one's place: the longest match is taken.
const UNITS: [(&str, u128); 9] = [
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("m", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ns", 1),
];

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDurationError {
    /// The text is empty.
    #[error("the text is empty")]
    Empty,
    /// A number was expected; a sign, a space or a unit alone is none.
    #[error("a number was expected at byte {0}")]
    NumberExpected(usize),
    /// What follows a number is not a unit.
    #[error("a unit (d, h, m, s, ms, us, ns) was expected at byte {0}")]
    UnitExpected(usize),
    /// A unit is not smaller than the one before it.
    #[error("the units must go from larger to smaller, each once")]
    UnitOrder,
    /// A fraction goes below one nanosecond.
    #[error("the fraction is finer than a nanosecond")]
    TooFine,
    /// The duration does not fit: more than 2⁶⁴ seconds.
    #[error("the duration is too long")]
    TooLong,
}

/// Reads a duration from its text.
///
/// # Errors
///
/// [`ParseDurationError`] says what is wrong, and never quotes the text.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    if text.is_empty() {
        return Err(ParseDurationError::Empty);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let millis = text.parse().map_err(|_| ParseDurationError::TooLong)?;
        return Ok(Duration::from_millis(millis));
    }
    let mut total: u128 = 0;
    let mut previous = u128::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let (whole, fraction, after) = number(rest).ok_or(ParseDurationError::NumberExpected(at))?;
        let name_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (name, tail) = after.split_at(name_end);
        let (_, unit) = UNITS
            .into_iter()
            .find(|(unit, _)| *unit == name)
            .ok_or(ParseDurationError::UnitExpected(text.len() - after.len()))?;
        if unit >= previous {
            return Err(ParseDurationError::UnitOrder);
        }
        previous = unit;
        let nanos = nanos(whole, fraction, unit)?;
        total = total.checked_add(nanos).ok_or(ParseDurationError::TooLong)?;
        rest = tail;
    }
    let seconds = u64::try_from(total / NANOS_PER_SECOND).map_err(|_| ParseDurationError::TooLong)?;
    // The remainder is below 10⁹, so it fits.
    let nanos = (total % NANOS_PER_SECOND) as u32;
    Ok(Duration::new(seconds, nanos))
}

/// The whole digits, the digits of the fraction, and what follows.
fn number(text: &str) -> Option<(&str, &str, &str)> {
    let (whole, rest) = digits(text);
    if whole.is_empty() {
        return None;
    }
    match rest.strip_prefix('.') {
        None => Some((whole, "", rest)),
        Some(after) => {
            let (fraction, rest) = digits(after);
            (!fraction.is_empty()).then_some((whole, fraction, rest))
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

fn nanos(whole: &str, fraction: &str, unit: u128) -> Result<u128, ParseDurationError> {
    let whole: u128 = whole.parse().map_err(|_| ParseDurationError::TooLong)?;
    let mut nanos = whole.checked_mul(unit).ok_or(ParseDurationError::TooLong)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Ok(nanos);
    }
    // A unit is below 10^14 nanoseconds, so both factors stay far below 2^128.
    if fraction.len() > 18 {
        return Err(ParseDurationError::TooFine);
    }
    let scale = 10_u128.pow(fraction.len() as u32);
    let part: u128 = fraction.parse().map_err(|_| ParseDurationError::TooFine)?;
    let product = part * unit;
    if !product.is_multiple_of(scale) {
        return Err(ParseDurationError::TooFine);
    }
    nanos = nanos.checked_add(product / scale).ok_or(ParseDurationError::TooLong)?;
    Ok(nanos)
}

/// The text of a duration, exact, as [`parse`] reads it: `1h30m`, `1s500ms`, `0s`.
pub fn to_text(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, unit) in UNITS.into_iter().filter(|(name, _)| name.is_ascii()) {
        if rest >= unit {
            text.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    text
}

/// A [`Duration`] as its text, in a struct that serde reads: `#[serde(with = "gone_config::DurationText")]`. With the feature
/// `schema`, this says as well how it stands in a JSON schema.
#[derive(Clone, Copy, Debug)]
pub enum DurationText {}

impl DurationText {
    /// Writes the text of a duration.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_text(*duration))
    }

    /// Reads a duration from text or whole milliseconds.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and one that says why a text is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

/// The same for an `Option<Duration>`: `#[serde(default, with = "gone_config::OptionalDurationText")]`.
#[derive(Clone, Copy, Debug)]
pub enum OptionalDurationText {}

impl OptionalDurationText {
    /// Writes the text of a duration, or none.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => serializer.serialize_some(&to_text(*duration)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads none, or a duration from text or whole milliseconds.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and one that says why a text is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_option(OptionVisitor)
    }
}

struct OptionVisitor;

impl<'de> Visitor<'de> for OptionVisitor {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(DurationVisitor).map(Some)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(|error| E::custom(format_args!("not a duration: {error}")))
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Duration, E> {
        Ok(Duration::from_millis(millis))
    }

    fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Duration, E> {
        u64::try_from(millis).map(Duration::from_millis).map_err(|_| E::custom("a duration cannot be negative"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_units_is_read_exactly() {
        for (text, wanted) in [
            ("1m", Duration::from_secs(60)),
            ("250ms", Duration::from_millis(250)),
            ("1h30m", Duration::from_secs(5_400)),
            ("1.5s", Duration::from_millis(1_500)),
            ("0.125h", Duration::from_secs(450)),
            ("2d", Duration::from_secs(172_800)),
            ("7us", Duration::from_micros(7)),
            ("7µs", Duration::from_micros(7)),
            ("1s1ns", Duration::new(1, 1)),
            ("0s", Duration::ZERO),
            ("1500", Duration::from_millis(1_500)),
        ] {
            assert_eq!(parse(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_duration_is_refused_with_the_reason() {
        use ParseDurationError::*;
        for (text, wanted) in [
            ("", Empty),
            ("-5s", NumberExpected(0)),
            (" 5s", NumberExpected(0)),
            ("s", NumberExpected(0)),
            ("1.s", NumberExpected(0)),
            ("1.5", UnitExpected(3)),
            ("5 s", UnitExpected(1)),
            ("5 minutes", UnitExpected(1)),
            ("1h30", UnitExpected(4)),
            ("1m1h", UnitOrder),
            ("1s1s", UnitOrder),
            ("0.5ns", TooFine),
            ("99999999999999999999", TooLong),
            ("99999999999999999999d", TooLong),
            ("340282366920938463463374607431768211455d", TooLong),
        ] {
            assert_eq!(parse(text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn the_text_of_a_duration_reads_back_as_the_same_duration() {
        for duration in [Duration::ZERO, Duration::from_secs(5_400), Duration::new(1, 500_000_001), Duration::MAX] {
            assert_eq!(parse(&to_text(duration)), Ok(duration));
        }
        assert_eq!(to_text(Duration::from_millis(90_500)), "1m30s500ms");
    }
}
