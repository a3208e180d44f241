//! Numbers, truth values, characters and durations, from text or from what a file has typed.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;
use std::time::Duration;

use figment::value::Value;

use crate::duration;
use crate::fault::Failure;
use crate::reader::Reader;
use crate::value::Number;

type Result<T> = std::result::Result<T, Failure>;

impl Reader<'_> {
    pub(crate) fn integer<N: Integer>(self) -> Result<N> {
        let out_of_range = || Failure::unfit(N::expected(), "it is out of range");
        match self.value {
            Value::String(_, text) => {
                text.parse::<N>().map_err(|error| Failure::unfit(N::expected(), why_no_integer(text, error.kind())))
            }
            Value::Num(_, number) => match Number::of(*number) {
                Number::Whole(n) => N::try_from(n).map_err(|_| out_of_range()),
                Number::Large(n) => N::from_large(n).ok_or_else(out_of_range),
                Number::Fraction(_) => Err(self.unfit(N::expected())),
            },
            _ => Err(self.unfit(N::expected())),
        }
    }

    pub(crate) fn float(self, fits: impl Fn(f64) -> bool) -> Result<f64> {
        const EXPECTED: &str = "a number";
        match self.value {
            Value::String(_, text) => match f64::from_str(text) {
                // Rust reads `1e999` as infinity; the names of infinity and no-number are no
                // numbers here either.
                Ok(number) if number.is_finite() && fits(number) => Ok(number),
                Ok(_) => Err(Failure::unfit(EXPECTED, "it is out of range")),
                Err(_) if text.is_empty() => Err(Failure::unfit(EXPECTED, "the text is empty")),
                Err(_) => Err(Failure::unfit(EXPECTED, "the text is not a number")),
            },
            Value::Num(_, number) => {
                let number = match Number::of(*number) {
                    Number::Whole(n) => n as f64,
                    Number::Large(n) => n as f64,
                    Number::Fraction(n) => n,
                };
                if number.is_finite() && !fits(number) {
                    return Err(Failure::unfit(EXPECTED, "it is out of range"));
                }
                Ok(number)
            }
            _ => Err(self.unfit(EXPECTED)),
        }
    }

    pub(crate) fn boolean(self) -> Result<bool> {
        const EXPECTED: &str = "`true` or `false`";
        match self.value {
            Value::Bool(_, value) => Ok(*value),
            Value::String(_, text) if text.is_empty() => Err(Failure::unfit(EXPECTED, "the text is empty")),
            Value::String(_, text) if text == "1" || text.eq_ignore_ascii_case("true") => Ok(true),
            Value::String(_, text) if text == "0" || text.eq_ignore_ascii_case("false") => Ok(false),
            Value::String(..) => Err(Failure::unfit(EXPECTED, "the text is neither")),
            _ => Err(self.unfit(EXPECTED)),
        }
    }

    pub(crate) fn character(self) -> Result<char> {
        const EXPECTED: &str = "one character";
        match self.value {
            Value::Char(_, c) => Ok(*c),
            Value::String(_, text) => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => Ok(c),
                    (None, _) => Err(Failure::unfit(EXPECTED, "the text is empty")),
                    _ => Err(Failure::unfit(EXPECTED, "the text is longer")),
                }
            }
            _ => Err(self.unfit(EXPECTED)),
        }
    }

    /// Reads text as a duration, and a whole number as milliseconds; tables are left to the type.
    pub(crate) fn duration(self) -> Option<Result<Duration>> {
        match self.value {
            Value::String(_, text) => {
                Some(duration::parse(text).map_err(|error| Failure::unfit(duration::EXPECTED, error.to_string())))
            }
            Value::Num(..) => {
                Some(self.integer::<u64>().map(Duration::from_millis).map_err(|_| self.unfit(duration::EXPECTED)))
            }
            _ => None,
        }
    }
}

fn why_no_integer(text: &str, kind: &IntErrorKind) -> &'static str {
    let negative =
        text.strip_prefix('-').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    match kind {
        IntErrorKind::Empty => "the text is empty",
        IntErrorKind::PosOverflow => "it is too large",
        IntErrorKind::NegOverflow => "it is too small",
        // Only an unsigned type stops at the sign of a sound number.
        IntErrorKind::InvalidDigit if negative => "it is negative",
        _ => "the text is not a whole number",
    }
}

/// An integer type, with its range in words.
pub(crate) trait Integer: FromStr<Err = ParseIntError> + TryFrom<i128> {
    fn expected() -> String;
    fn from_large(number: u128) -> Option<Self>;
}

macro_rules! integers {
    ($($type:ident)*) => {
        $(impl Integer for $type {
            fn expected() -> String {
                format!("a whole number from {} to {}", $type::MIN, $type::MAX)
            }

            fn from_large(number: u128) -> Option<Self> {
                $type::try_from(number).ok()
            }
        })*
    };
}

integers! { i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 }
