//! Values as they were read: text, numbers, lists, tables; and JSON text turned into them.

use std::borrow::Cow;

use figment::value::{Dict, Empty, Num, Tag, Value};
use gone_kit::HIDDEN;
use serde::Serialize;

/// No value.
pub(crate) static EMPTY: Value = Value::Empty(Tag::Default, Empty::None);

/// A number as one of three widths, so that no reader needs to know how it was written.
pub(crate) enum Number {
    Whole(i128),
    /// A whole number beyond `i128`.
    Large(u128),
    Fraction(f64),
}

impl Number {
    pub(crate) fn of(number: Num) -> Self {
        match number {
            Num::F32(n) => Self::Fraction(f64::from(n)),
            Num::F64(n) => Self::Fraction(n),
            Num::I8(n) => Self::Whole(n.into()),
            Num::I16(n) => Self::Whole(n.into()),
            Num::I32(n) => Self::Whole(n.into()),
            Num::I64(n) => Self::Whole(n.into()),
            Num::I128(n) => Self::Whole(n),
            Num::ISize(n) => Self::Whole(n as i128),
            Num::U8(n) => Self::Whole(n.into()),
            Num::U16(n) => Self::Whole(n.into()),
            Num::U32(n) => Self::Whole(n.into()),
            Num::U64(n) => Self::Whole(n.into()),
            Num::USize(n) => Self::Whole(n as i128),
            Num::U128(n) => i128::try_from(n).map_or(Self::Large(n), Self::Whole),
        }
    }
}

/// The text of a value that is no table and no list.
pub(crate) fn leaf_text(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Char(_, c) => c.to_string(),
        Value::Bool(_, b) => b.to_string(),
        Value::Num(_, n) => match Number::of(*n) {
            Number::Whole(n) => n.to_string(),
            Number::Large(n) => n.to_string(),
            Number::Fraction(n) => n.to_string(),
        },
        Value::Empty(..) | Value::Dict(..) | Value::Array(..) => String::new(),
    }
}

/// What kind of value it is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "`true` or `false`",
        Value::Num(_, Num::F32(_) | Num::F64(_)) => "a number with a fraction",
        Value::Num(..) => "a whole number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a table",
        Value::Array(..) => "a list",
    }
}

/// The value as a table: a table itself, or text that is a JSON object.
pub(crate) fn as_table(value: &Value) -> Option<Cow<'_, Dict>> {
    match value {
        Value::Dict(_, dict) => Some(Cow::Borrowed(dict)),
        Value::String(_, text) if text.trim_start().starts_with('{') => match json(text) {
            Ok(Value::Dict(_, dict)) => Some(Cow::Owned(dict)),
            _ => None,
        },
        _ => None,
    }
}

/// The value as a list: a list itself, or text that is a JSON array.
pub(crate) fn as_list(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::Array(_, elements) => Some(Cow::Borrowed(elements)),
        Value::String(_, text) if text.trim_start().starts_with('[') => match json(text) {
            Ok(Value::Array(_, elements)) => Some(Cow::Owned(elements)),
            _ => None,
        },
        _ => None,
    }
}

/// Reads JSON text. The error's message tells the place and never quotes the text.
pub(crate) fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<serde_json::Value>(text).map(from_json)
}

fn from_json(value: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Empty(Tag::Default, Empty::None),
        Json::Bool(b) => Value::from(b),
        Json::String(text) => Value::from(text),
        Json::Number(n) => {
            if let Some(n) = n.as_u64() {
                Value::from(n)
            } else if let Some(n) = n.as_i64() {
                Value::from(n)
            } else {
                // A number that is neither has a fraction or an exponent, or is beyond 64 bits.
                Value::from(n.as_f64().unwrap_or(f64::NAN))
            }
        }
        Json::Array(elements) => Value::Array(Tag::Default, elements.into_iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::Dict(Tag::Default, entries.into_iter().map(|(name, value)| (name, from_json(value))).collect())
        }
    }
}

/// A value as serde wrote it.
pub(crate) type Written = Result<Value, Box<figment::Error>>;

pub(crate) fn written(value: impl Serialize) -> Written {
    Value::serialize(value).map_err(Box::new)
}

/// Whether the mark of a secret stands in it, in the place of a value that is not to be had.
pub(crate) fn holds_mark(value: &Value) -> bool {
    match value {
        Value::String(_, text) => text == HIDDEN,
        Value::Dict(_, entries) => entries.values().any(holds_mark),
        Value::Array(_, elements) => elements.iter().any(holds_mark),
        _ => false,
    }
}

/// Takes the entries out of tables that hold no more than the mark of a secret.
pub(crate) fn without_marks(value: Value) -> Value {
    match value {
        Value::String(tag, text) if text == HIDDEN => Value::Empty(tag, Empty::None),
        Value::Dict(tag, entries) => {
            Value::Dict(tag, entries.into_iter().map(|(name, value)| (name, without_marks(value))).collect())
        }
        other => other,
    }
}

/// Takes empty entries out of tables: a `None` sets nothing.
pub(crate) fn without_empty(value: Value) -> Option<Value> {
    match value {
        Value::Empty(..) => None,
        Value::Dict(tag, entries) => Some(Value::Dict(
            tag,
            entries.into_iter().filter_map(|(name, value)| Some((name, without_empty(value)?))).collect(),
        )),
        other => Some(other),
    }
}

/// The value at a path, wrapped in the tables that lead to it.
pub(crate) fn nested(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, segment| Value::Dict(Tag::Default, Dict::from([(segment.clone(), inner)])))
}
