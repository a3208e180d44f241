//! What a field can hold.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{Debug, Display, Write};
use std::time::{Duration, SystemTime};

use gone_kit::{HIDDEN, Secret, redact_url};
use serde::Serialize;

use crate::chain::push_chain;
use crate::escape::Escape;
use crate::style::Style;
use crate::text::Text;
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
/// | [`Value::url`] | a string: the URL without its password |
/// | [`Value::secret`], [`Secret`](crate::Secret) | `"***"` |
///
/// A text of up to 22 bytes costs no allocation.
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
    Text(Text),
    Secret,
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
        Self::shown(format_args!("{value}"))
    }

    /// The text that `Debug` makes, made here and now.
    pub fn debug(value: &(impl Debug + ?Sized)) -> Self {
        Self::shown(format_args!("{value:?}"))
    }

    /// A value that cannot be shown shows what it has.
    fn shown(value: std::fmt::Arguments<'_>) -> Self {
        let mut text = String::new();
        let _ = text.write_fmt(value);
        Self::from(text)
    }

    /// An error with its sources as one text, `the top: its source: the root`.
    ///
    /// For an error that explains a line, use [`Logger::error_with`](crate::Logger::error_with):
    /// this is for a second one.
    pub fn error(error: &(dyn Error + 'static)) -> Self {
        let mut text = String::new();
        let (mut last, mut next) = (String::new(), String::new());
        push_chain(&mut text, error, Escape::None, usize::MAX, [&mut last, &mut next]);
        Self::from(text)
    }

    /// Bytes, written in base64 (RFC 4648, with padding).
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::from(base64(bytes))
    }

    /// A URL without its password, as [`redact_url`] shows it.
    pub fn url(url: &str) -> Self {
        Self::from(redact_url(url))
    }

    /// What stands for something that must not be shown: `***`.
    pub const fn secret() -> Self {
        Self(Kind::Secret)
    }

    /// Writes the value, and no more of it than the style allows.
    pub(crate) fn write(&self, out: &mut String, style: Style<'_>) {
        let begin = out.len();
        match &self.0 {
            Kind::Null => out.push_str("null"),
            Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Kind::Signed(value) => out.push_str(itoa::Buffer::new().format(*value)),
            Kind::Unsigned(value) => out.push_str(itoa::Buffer::new().format(*value)),
            Kind::Float32(value) if value.is_finite() => out.push_str(zmij::Buffer::new().format_finite(*value)),
            Kind::Float32(value) => push_non_finite(out, f64::from(*value)),
            Kind::Float64(value) => push_float(out, *value),
            Kind::Text(text) => style.text(out, text.as_str()),
            Kind::Secret => style.text(out, HIDDEN),
            Kind::Time(value) => {
                let quote = if style.as_json { "\"" } else { "" };
                out.push_str(quote);
                // Writing into a `String` does not fail.
                let _ = time::write_with_offset(out, *value);
                out.push_str(quote);
            }
            Kind::Duration(value) => {
                let quote = if style.as_json { "\"" } else { "" };
                let _ = write!(out, "{quote}{value:?}{quote}");
            }
            Kind::Json(serde_json::Value::String(text)) => style.text(out, text),
            Kind::List(values) => {
                let style_within = Style { as_json: true, ..style };
                push_list(out, values.iter(), |out, value| value.write(out, style_within));
                style.cap_whole(out, begin);
            }
            Kind::Json(json) => {
                push_json_tree(out, json, Style { as_json: true, ..style });
                style.cap_whole(out, begin);
            }
        }
    }
}

/// A float as a JSON number, or as a string where JSON has no number for it.
pub(crate) fn push_float(out: &mut String, value: f64) {
    if value.is_finite() {
        out.push_str(zmij::Buffer::new().format_finite(value));
    } else {
        push_non_finite(out, value);
    }
}

fn push_non_finite(out: &mut String, value: f64) {
    out.push_str(if value.is_nan() {
        "\"NaN\""
    } else if value > 0.0 {
        "\"+Inf\""
    } else {
        "\"-Inf\""
    });
}

fn push_list<T>(out: &mut String, values: impl Iterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    out.push('[');
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(out, value);
    }
    out.push(']');
}

fn push_json_tree(out: &mut String, json: &serde_json::Value, style: Style<'_>) {
    match json {
        serde_json::Value::String(text) => style.text(out, text),
        serde_json::Value::Array(values) => {
            push_list(out, values.iter(), |out, value| push_json_tree(out, value, style));
        }
        serde_json::Value::Object(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                style.text(out, key);
                out.push(':');
                if style.secrets.hides(key) {
                    style.text(out, HIDDEN);
                } else {
                    push_json_tree(out, value, style);
                }
            }
            out.push('}');
        }
        leaf => _ = write!(out, "{leaf}"),
    }
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
    char => |value| Kind::Text(Text::copy(value.encode_utf8(&mut [0; 4])));
    &str => |value| Kind::Text(Text::copy(value));
    &String => |value| Kind::Text(Text::copy(value));
    String => |value| Kind::Text(Text::Given(value.into()));
    Cow<'static, str> => |value| Kind::Text(Text::Given(value));
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

impl<T> From<Secret<T>> for Value {
    fn from(_: Secret<T>) -> Self {
        Value::secret()
    }
}

impl<T> From<&Secret<T>> for Value {
    fn from(_: &Secret<T>) -> Self {
        Value::secret()
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
        value.into().write(&mut text, Style::uncapped(true));
        text
    }

    fn console(value: impl Into<Value>) -> String {
        let mut text = String::new();
        value.into().write(&mut text, Style::uncapped(false));
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
    fn what_looks_secret_within_a_json_value_is_hidden() {
        let login = serde_json::json!({"user": "ann", "password": "swordfish", "more": [{"api-key": [1, 2]}]});
        assert_eq!(json(login), r#"{"more":[{"api-key":"***"}],"password":"***","user":"ann"}"#);
        assert_eq!(json(Value::secret()), r#""***""#);
        assert_eq!(console(Value::secret()), "***");
        assert_eq!(json(Value::url("redis://:swordfish@h:6379/0")), r#""redis://:***@h:6379/0""#);
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_and_stays_json() {
        let style = Style { longest: 10, ..Style::uncapped(true) };
        let capped = |value: Value| {
            let mut text = String::new();
            value.write(&mut text, style);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            text
        };
        assert_eq!(capped(Value::from("0123456789abc")), r#""0123456789…(3 bytes cut)""#);
        assert_eq!(capped(Value::from(vec![100; 50])), r#""[100,100,1…(191 bytes cut)""#);
        assert_eq!(capped(Value::from(vec![1, 2])), "[1,2]");
        assert_eq!(capped(Value::from(u64::MAX)), u64::MAX.to_string());
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
}
