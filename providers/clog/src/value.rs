//! What a field can hold.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display, Write};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::escape::{console_word, json_string};
use crate::time;

/// The value of a field.
///
/// | from | in JSON |
/// |---|---|
/// | text, `char` | a string |
/// | integers up to 128 bits, `f32`, `f64` | a number; `"NaN"`, `"+Inf"`, `"-Inf"` where JSON has none |
/// | `bool` | `true`, `false` |
/// | [`Duration`] | a string as `Debug` prints it: `"1.5s"`, `"20ms"` |
/// | [`SystemTime`] | a string, local time with its offset: `"2025-03-11T10:03:22.123+08:00"` |
/// | [`Vec`] and slices of these | an array |
/// | [`Option`] of these | the value, or `null` |
/// | [`Value::json`] | what serde makes of it |
/// | [`Value::error`] | a string: the error and its sources |
/// | [`Value::bytes`] | a string in base64 |
#[derive(Clone, Debug, PartialEq)]
pub struct Value(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Null,
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float32(f32),
    Float64(f64),
    Text(Cow<'static, str>),
    Time(SystemTime),
    Duration(Duration),
    List(Vec<Value>),
    Json(serde_json::Value),
}

impl Value {
    /// Anything that serializes. What serde cannot turn into JSON, such as a map whose keys are no
    /// text, becomes a string that says why.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_value(value) {
            Ok(json) => Self(Kind::Json(json)),
            Err(error) => Self::from(format!("(not representable as JSON: {error})")),
        }
    }

    /// The text that `Display` makes, made here and now.
    pub fn display(value: &(impl Display + ?Sized)) -> Self {
        Self::from(value.to_string())
    }

    /// The text that `Debug` makes, made here and now.
    pub fn debug(value: &(impl Debug + ?Sized)) -> Self {
        Self::from(format!("{value:?}"))
    }

    /// An error with its sources as one text, `the top: its source: the root`.
    ///
    /// For an error that explains a line, use [`Logger::error_with`](crate::Logger::error_with):
    /// this is for a second one.
    pub fn error(error: &(dyn Error + 'static)) -> Self {
        let mut text = String::new();
        let _ = write_chain(&mut text, error);
        Self::from(text)
    }

    /// Bytes, written in base64 (RFC 4648, with padding).
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::from(base64(bytes))
    }

    pub(crate) fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        match &self.0 {
            Kind::Null => out.write_str("null"),
            Kind::Bool(value) => write!(out, "{value}"),
            Kind::Signed(value) => write!(out, "{value}"),
            Kind::Unsigned(value) => write!(out, "{value}"),
            Kind::Float32(value) if value.is_finite() => write!(out, "{value:?}"),
            Kind::Float32(value) => write_non_finite(out, f64::from(*value)),
            Kind::Float64(value) => write_float(out, *value),
            Kind::Text(text) => json_string(out, text),
            Kind::Time(value) => {
                out.write_char('"')?;
                time::write_with_offset(out, *value)?;
                out.write_char('"')
            }
            Kind::Duration(value) => write!(out, "\"{value:?}\""),
            Kind::List(values) => {
                out.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.write_char(',')?;
                    }
                    value.write_json(out)?;
                }
                out.write_char(']')
            }
            Kind::Json(json) => write_json_tree(out, json),
        }
    }

    pub(crate) fn write_console(&self, out: &mut dyn Write) -> fmt::Result {
        match &self.0 {
            Kind::Text(text) => console_word(out, text),
            Kind::Time(value) => time::write_with_offset(out, *value),
            Kind::Duration(value) => write!(out, "{value:?}"),
            Kind::Json(serde_json::Value::String(text)) => console_word(out, text),
            _ => self.write_json(out),
        }
    }
}

/// A float as a JSON number, or as a string where JSON has no number for it.
pub(crate) fn write_float(out: &mut (impl Write + ?Sized), value: f64) -> fmt::Result {
    if value.is_finite() { write!(out, "{value:?}") } else { write_non_finite(out, value) }
}

fn write_non_finite(out: &mut (impl Write + ?Sized), value: f64) -> fmt::Result {
    out.write_str(if value.is_nan() {
        "\"NaN\""
    } else if value > 0.0 {
        "\"+Inf\""
    } else {
        "\"-Inf\""
    })
}

fn write_json_tree(out: &mut dyn Write, json: &serde_json::Value) -> fmt::Result {
    match json {
        serde_json::Value::String(text) => json_string(out, text),
        serde_json::Value::Array(values) => {
            out.write_char('[')?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                write_json_tree(out, value)?;
            }
            out.write_char(']')
        }
        serde_json::Value::Object(entries) => {
            out.write_char('{')?;
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                json_string(out, key)?;
                out.write_char(':')?;
                write_json_tree(out, value)?;
            }
            out.write_char('}')
        }
        leaf => write!(out, "{leaf}"),
    }
}

/// The most sources of an error that are looked at: a chain may run in a circle.
const DEEPEST: usize = 16;

/// The texts of an error's sources, the nearest first.
pub(crate) fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = String> + 'a {
    std::iter::successors(error.source(), |source: &&'a (dyn Error + 'static)| (*source).source())
        .take(DEEPEST)
        .map(ToString::to_string)
}

/// The error and its sources with `: ` between them. A source that the text before already ends
/// with is not said twice.
pub(crate) fn write_chain(out: &mut dyn Write, error: &(dyn Error + 'static)) -> fmt::Result {
    let mut last = error.to_string();
    out.write_str(&last)?;
    for text in sources(error) {
        if !last.ends_with(&text) {
            out.write_str(": ")?;
            out.write_str(&text)?;
        }
        last = text;
    }
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (group >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

macro_rules! from {
    ($($type:ty => |$value:ident| $kind:expr;)+) => {
        $(
            impl From<$type> for Value {
                fn from($value: $type) -> Self {
                    Self($kind)
                }
            }
        )+
    };
}

from! {
    bool => |value| Kind::Bool(value);
    i8 => |value| Kind::Signed(value.into());
    i16 => |value| Kind::Signed(value.into());
    i32 => |value| Kind::Signed(value.into());
    i64 => |value| Kind::Signed(value.into());
    i128 => |value| Kind::Signed(value);
    isize => |value| Kind::Signed(value as i128);
    u8 => |value| Kind::Unsigned(value.into());
    u16 => |value| Kind::Unsigned(value.into());
    u32 => |value| Kind::Unsigned(value.into());
    u64 => |value| Kind::Unsigned(value.into());
    u128 => |value| Kind::Unsigned(value);
    usize => |value| Kind::Unsigned(value as u128);
    f32 => |value| Kind::Float32(value);
    f64 => |value| Kind::Float64(value);
    char => |value| Kind::Text(value.to_string().into());
    &str => |value| Kind::Text(value.to_owned().into());
    &String => |value| Kind::Text(value.clone().into());
    String => |value| Kind::Text(value.into());
    Cow<'static, str> => |value| Kind::Text(value);
    SystemTime => |value| Kind::Time(value);
    Duration => |value| Kind::Duration(value);
    serde_json::Value => |value| Kind::Json(value);
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self(Kind::List(values.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Value> + Clone> From<&[T]> for Value {
    fn from(values: &[T]) -> Self {
        Self(Kind::List(values.iter().cloned().map(Into::into).collect()))
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self(Kind::List(values.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(Kind::Null), Into::into)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn json(value: impl Into<Value>) -> String {
        let mut text = String::new();
        value.into().write_json(&mut text).unwrap();
        text
    }

    fn console(value: impl Into<Value>) -> String {
        let mut text = String::new();
        value.into().write_console(&mut text).unwrap();
        text
    }

    #[test]
    fn numbers_are_written_in_full() {
        assert_eq!(json(i128::MIN), i128::MIN.to_string());
        assert_eq!(json(u128::MAX), u128::MAX.to_string());
        assert_eq!(json(0.1_f32), "0.1");
        assert_eq!(json(0.1_f64 + 0.2), "0.30000000000000004");
        for number in [f64::MAX, f64::MIN_POSITIVE, -0.0, 1e21, 5e-324] {
            assert_eq!(serde_json::from_str::<f64>(&json(number)).unwrap(), number);
        }
    }

    #[test]
    fn floats_that_json_has_no_number_for_are_strings() {
        assert_eq!(json(f64::NAN), r#""NaN""#);
        assert_eq!(json(f64::INFINITY), r#""+Inf""#);
        assert_eq!(json(f32::NEG_INFINITY), r#""-Inf""#);
    }

    #[test]
    fn lists_and_absent_values_are_written_as_such() {
        assert_eq!(json(vec!["a", "b\n"]), r#"["a","b\n"]"#);
        assert_eq!(json([1, -2]), "[1,-2]");
        assert_eq!(json(&[true][..]), "[true]");
        assert_eq!(json(None::<u8>), "null");
        assert_eq!(json(Some('x')), r#""x""#);
    }

    #[test]
    fn what_serializes_is_written_as_its_json() {
        let map = BTreeMap::from([("b", vec![Some(1), None]), ("a\n", vec![])]);
        assert_eq!(json(Value::json(&map)), r#"{"a\n":[],"b":[1,null]}"#);
    }

    #[test]
    fn what_does_not_become_json_is_a_string_that_says_why() {
        let map = BTreeMap::from([(vec![1], 2)]);
        let text = json(Value::json(&map));
        assert!(text.starts_with("\"(not representable as JSON: "), "{text}");
    }

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(json(Duration::from_millis(1_500)), r#""1.5s""#);
        assert_eq!(console(Duration::from_micros(20)), "20µs");
    }

    #[test]
    fn bytes_are_base64() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(json(Value::bytes(bytes.as_bytes())), format!("\"{text}\""));
        }
        assert_eq!(json(Value::bytes(&[0xfb, 0xff, 0xfe])), r#""+//+""#);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layered {
        text: &'static str,
        source: Option<Box<Layered>>,
    }

    #[test]
    fn an_error_is_written_with_its_sources_each_said_once() {
        let chain = |texts: &[&'static str]| {
            texts.iter().rev().fold(None, |source, text| Some(Box::new(Layered { text, source })))
        };
        let plain = chain(&["cannot save", "no connection", "refused"]).unwrap();
        assert_eq!(console(Value::error(&*plain)), "\"cannot save: no connection: refused\"");
        let doubled = chain(&["cannot save: refused", "refused"]).unwrap();
        assert_eq!(console(Value::error(&*doubled)), "\"cannot save: refused\"");
    }

    #[derive(Debug)]
    struct Circle;

    impl Display for Circle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("round")
        }
    }

    impl Error for Circle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn a_chain_that_runs_in_a_circle_ends() {
        assert_eq!(sources(&Circle).count(), DEEPEST);
    }
}
