//! The serde deserializer over a value: text becomes whatever the wanted type asks for.

use figment::value::{Dict, Num, Value};
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::fault::{Failure, Trace};
use crate::value::{EMPTY, Number, json, kind_of};

type Result<T> = std::result::Result<T, Failure>;

const LIST: &str = "a list";

/// Reads one value. A copy reads the same value again.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) value: &'a Value,
    trace: &'a Trace<'a>,
    /// The fields of the struct whose table this is an entry of.
    among: Option<&'static [&'static str]>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(value: &'a Value, trace: &'a Trace<'a>) -> Self {
        Self { value, trace, among: None }
    }

    /// Passes a result on, having noted the place if it is a failure.
    fn noted<T>(self, result: Result<T>) -> Result<T> {
        if let Err(failure) = &result {
            self.trace.note(self.value, failure);
        }
        result
    }

    /// Text that is JSON, read on as the list or table that it holds.
    fn through_json<T>(
        self,
        text: &str,
        expected: &str,
        wanted: fn(&Value) -> bool,
        read: impl FnOnce(Reader<'_>) -> Result<T>,
    ) -> Result<T> {
        let reason = match json(text) {
            Ok(value) if wanted(&value) => return read(Reader::new(&value, self.trace)),
            Ok(value) => format!("the text holds {}", kind_of(&value)),
            Err(_) if text.is_empty() => "the text is empty".to_owned(),
            Err(error) => error.to_string(),
        };
        // The text may hold what the type would have read as a secret. Of a list, its elements' type tells.
        if text.contains('{') {
            self.trace.hide();
        } else if expected == LIST {
            let sample = Value::from(vec![EMPTY.clone()]);
            self.trace.trial(|| read(Reader::new(&sample, self.trace)).is_ok());
        }
        Err(Failure::unfit(format!("{expected} as JSON text"), reason))
    }

    fn list<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            Value::Array(_, elements) => {
                let mut list = List { elements, next: 0, trace: self.trace };
                let value = visitor.visit_seq(&mut list)?;
                if list.next < elements.len() {
                    return Err(Failure::unfit(
                        format!("a list of {}", list.next),
                        format!("it has {} elements", elements.len()),
                    ));
                }
                Ok(value)
            }
            Value::String(_, text) => {
                let is_list = |value: &Value| matches!(value, Value::Array(..));
                self.through_json(text, LIST, is_list, |reader| reader.list(visitor))
            }
            _ => Err(self.unfit(LIST)),
        }
    }

    fn table<'de, V: Visitor<'de>>(self, fields: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value> {
        match self.value {
            Value::Dict(_, entries) => {
                visitor.visit_map(Table { entries: entries.iter(), current: None, fields, trace: self.trace })
            }
            Value::String(_, text) => {
                let is_table = |value: &Value| matches!(value, Value::Dict(..));
                self.through_json(text, "a table", is_table, |reader| reader.table(fields, visitor))
            }
            _ => Err(self.unfit("a table")),
        }
    }

    fn choice<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.value {
            Value::String(_, text) if text.trim_start().starts_with('{') => {
                let is_table = |value: &Value| matches!(value, Value::Dict(..));
                self.through_json(text, "a name, or a table", is_table, |reader| reader.choice(visitor))
            }
            Value::String(_, text) => visitor.visit_enum(StrDeserializer::<Failure>::new(text)),
            Value::Dict(_, entries) => match single(entries) {
                Some((name, value)) => visitor.visit_enum(Choice { name, value, trace: self.trace }),
                None => Err(Failure::unfit(
                    "a table with the one name that is chosen",
                    format!("it has {} entries", entries.len()),
                )),
            },
            _ => Err(self.unfit("a name, or a table with the one name that is chosen")),
        }
    }

    pub(crate) fn unfit(self, expected: impl Into<String>) -> Failure {
        Failure::unfit(expected, format!("it is {}", kind_of(self.value)))
    }
}

fn single(entries: &Dict) -> Option<(&str, &Value)> {
    let mut entries = entries.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Some((name, value)),
        _ => None,
    }
}

macro_rules! read_integers {
    ($($type:ident $deserialize:ident $visit:ident,)*) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.noted(self.integer::<$type>().and_then(|number| visitor.$visit(number)))
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Failure;

    read_integers! {
        i8 deserialize_i8 visit_i8,
        i16 deserialize_i16 visit_i16,
        i32 deserialize_i32 visit_i32,
        i64 deserialize_i64 visit_i64,
        i128 deserialize_i128 visit_i128,
        u8 deserialize_u8 visit_u8,
        u16 deserialize_u16 visit_u16,
        u32 deserialize_u32 visit_u32,
        u64 deserialize_u64 visit_u64,
        u128 deserialize_u128 visit_u128,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(match self.value {
            Value::String(_, text) => visitor.visit_str(text),
            Value::Char(_, c) => visitor.visit_char(*c),
            Value::Bool(_, value) => visitor.visit_bool(*value),
            Value::Empty(..) => visitor.visit_unit(),
            Value::Dict(..) => self.table(None, visitor),
            Value::Array(..) => self.list(visitor),
            Value::Num(_, number) => match *number {
                Num::F32(n) => visitor.visit_f32(n),
                Num::F64(n) => visitor.visit_f64(n),
                // Most types take 64 bits and not 128, so the narrow form comes first.
                other => match Number::of(other) {
                    Number::Whole(n) => match (u64::try_from(n), i64::try_from(n)) {
                        (Ok(n), _) => visitor.visit_u64(n),
                        (_, Ok(n)) => visitor.visit_i64(n),
                        _ => visitor.visit_i128(n),
                    },
                    Number::Large(n) => visitor.visit_u128(n),
                    Number::Fraction(n) => visitor.visit_f64(n),
                },
            },
        })
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(self.boolean().and_then(|value| visitor.visit_bool(value)))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let number = self.float(|n| (n as f32).is_finite());
        self.noted(number.and_then(|number| visitor.visit_f32(number as f32)))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let number = self.float(|_| true);
        self.noted(number.and_then(|number| visitor.visit_f64(number)))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(self.character().and_then(|c| visitor.visit_char(c)))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(match self.value {
            Value::String(_, text) => visitor.visit_str(text),
            Value::Char(_, c) => visitor.visit_char(*c),
            _ => Err(self.unfit("text")),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(match self.value {
            Value::String(_, text) => visitor.visit_bytes(text.as_bytes()),
            _ => self.list(visitor),
        })
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(match self.value {
            Value::Empty(..) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(match self.value {
            Value::Empty(..) => visitor.visit_unit(),
            _ => Err(self.unfit("nothing")),
        })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.noted(self.trace.newtype(name, || visitor.visit_newtype_struct(self)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(self.list(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value> {
        self.noted(self.list(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.noted(self.list(visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.noted(self.table(None, visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        // The form in which serde asks for a `std::time::Duration`.
        let duration = (name == "Duration" && fields == ["secs", "nanos"]).then(|| self.duration()).flatten();
        self.noted(match duration {
            None => self.table(Some(fields), visitor),
            Some(duration) => duration.and_then(|duration| {
                let fields = [("secs", duration.as_secs()), ("nanos", duration.subsec_nanos().into())];
                visitor.visit_map(MapDeserializer::<_, Failure>::new(fields.into_iter()))
            }),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.noted(self.choice(visitor))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    /// A key that a struct does not know is a mistake, whether or not its type says so.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.among {
            Some(fields) if !self.trace.is_root() => {
                self.noted(Err(Failure::UnknownField { field: self.trace.last().unwrap_or_default(), fields }))
            }
            _ => visitor.visit_unit(),
        }
    }
}

struct List<'a> {
    elements: &'a [Value],
    next: usize,
    trace: &'a Trace<'a>,
}

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(value) = self.elements.get(self.next) else {
            return Ok(None);
        };
        let segment = self.next.to_string();
        self.next += 1;
        let reader = Reader::new(value, self.trace);
        // A type may find something wrong with what it has read.
        self.trace.within(&segment, || reader.noted(seed.deserialize(reader))).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.len() - self.next)
    }
}

struct Table<'a> {
    entries: std::collections::btree_map::Iter<'a, String, Value>,
    current: Option<(&'a str, &'a Value)>,
    fields: Option<&'static [&'static str]>,
    trace: &'a Trace<'a>,
}

impl<'de> MapAccess<'de> for Table<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((name, value)) = self.entries.next() else {
            return Ok(None);
        };
        self.current = Some((name, value));
        // A name is text like any other, so a map may have numbers for keys.
        let key = Value::from(name.as_str());
        let read = || seed.deserialize(Reader::new(&key, self.trace));
        self.trace.within(name, read).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let Some((name, value)) = self.current.take() else {
            return Err(de::Error::custom("a value was asked for before its name"));
        };
        let among = self.fields;
        let reader = Reader { among, ..Reader::new(value, self.trace) };
        self.trace.within(name, || reader.noted(seed.deserialize(reader)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct Choice<'a> {
    name: &'a str,
    value: &'a Value,
    trace: &'a Trace<'a>,
}

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let name: StrDeserializer<'_, Failure> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl Choice<'_> {
    fn inside<T>(self, read: impl FnOnce(Reader<'_>) -> Result<T>) -> Result<T> {
        self.trace.within(self.name, || read(Reader::new(self.value, self.trace)))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<()> {
        self.inside(|reader| de::Deserialize::deserialize(reader))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        self.inside(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.inside(|reader| reader.deserialize_tuple(length, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.inside(|reader| reader.deserialize_struct("", fields, visitor))
    }
}
