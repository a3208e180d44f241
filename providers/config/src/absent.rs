//! A key that is set nowhere, for a type that may do without: the deserializer of nothing.
//!
//! A struct reads from the empty table, so that one of which every field has a default needs no section, and one that
//! needs a field says which. An optional value inside a `Live` reads as none. For every other type the key is missing.

use figment::value::{Dict, Value};
use serde::de::{Deserializer, Expected, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::ConfigError;
use crate::fault::{Context, Failure, Trace};
use crate::lookup::Lookup;
use crate::place::Base;
use crate::reader::Reader;
use crate::settings::{Answer, Settings};
use crate::value::EMPTY;

impl Settings {
    /// As [`answer`](Self::answer) for a tag whose key is set nowhere and that has no default, for a type that may do
    /// without: [`Answer::Absent`] for one that may not.
    pub(crate) fn answer_absent(
        &self,
        extend: &str,
        deserialize: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<Answer, ConfigError> {
        let path = Lookup::parse(extend)?.key().path();
        let trace = Trace::at(path.clone(), Context { settings: self, base: Base::Nothing });
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(Absent::new(&trace));
        let result = deserialize(&mut erased);
        let Err(error) = result else {
            return Ok(Answer::Filled);
        };
        let fault = trace.into_fault(&EMPTY, Failure::Message(error.to_string()));
        match fault.failure {
            Failure::Absent if fault.path == path => Ok(Answer::Absent),
            _ => Err(self.error(fault, None)),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Absent<'a> {
    trace: &'a Trace<'a>,
}

impl<'a> Absent<'a> {
    pub(crate) fn new(trace: &'a Trace<'a>) -> Self {
        Self { trace }
    }

    fn table<T>(self, read: impl FnOnce(Reader<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        read(Reader::new(&Value::from(Dict::new()), self.trace))
    }

    fn missing<T>(self) -> Result<T, Failure> {
        self.trace.note(&EMPTY, &Failure::Absent);
        Err(Failure::Absent)
    }
}

impl<'de> Deserializer<'de> for Absent<'_> {
    type Error = Failure;

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Failure> {
        self.missing()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Failure> {
        self.trace.newtype(name, || visitor.visit_newtype_struct(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        // The form in which serde asks for a `std::time::Duration`, which is no section.
        if name == "Duration" && fields == ["secs", "nanos"] {
            return self.missing();
        }
        self.table(|reader| reader.deserialize_struct(name, fields, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        // A struct with a flattened field asks for a map; a map that is required must be set.
        let expected = (&visitor as &dyn Expected).to_string();
        if expected.starts_with("struct ") {
            self.table(|reader| reader.deserialize_map(visitor))
        } else {
            self.missing()
        }
    }
}
