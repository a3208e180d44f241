//! A JSON schema of the config, for editors: every section that the crates of this program have announced.
//!
//! A component announces its section by itself, another crate with [`config_section!`](crate::config_section). The program writes the schema to a
//! file, and `gone.toml` names that file in its first line, for editors that follow it:
//!
//! ```toml
//! #:schema ./gone.schema.json
//! ```

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::{DurationText, OptionalDurationText};

/// A section that some crate reads. [`config_section!`](crate::config_section) makes one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Section {
    /// Its key, such as `db`.
    pub key: &'static str,
    /// Whether tables in it that are no fields are named instances of it.
    pub instances: bool,
    /// The schema of what is in it, if its type has one.
    pub schema: fn(&mut SchemaGenerator) -> Option<Schema>,
}

inventory::collect!(Section);

/// Announces that a section of the config is read into a type, for [`schema`](crate::schema::schema): `config_section!("db", DbConfig)`, or
/// `config_section!("db", DbConfig, instances)` where tables in the section that are no fields are instances with a name.
///
/// The type implements `schemars::JsonSchema`. That of a [`component!`](crate::component) is announced already, if it does.
#[macro_export]
macro_rules! config_section {
    ($key:literal, $type:ty) => {
        $crate::config_section!(@ $key, false, |generator| Some(generator.subschema_for::<$type>()));
    };
    ($key:literal, $type:ty, instances) => {
        $crate::config_section!(@ $key, true, |generator| Some(generator.subschema_for::<$type>()));
    };
    (@ $key:expr, $instances:literal, $schema:expr) => {
        $crate::schema::__inventory::submit! {
            $crate::schema::Section { key: $key, instances: $instances, schema: $schema }
        }
    };
}

/// Announces the section of a component, if its type has a schema.
#[doc(hidden)]
#[macro_export]
macro_rules! __component_section {
    ($section:ty) => {
        $crate::config_section!(@ <$section as $crate::Section>::NAME, true, |generator| {
            #[allow(unused_imports)]
            use $crate::schema::{WithSchema as _, WithoutSchema as _};
            (&$crate::schema::Of::<$section>::NEW).schema(generator)
        });
    };
}

/// A type of which nobody knows yet whether it has a schema. Of the two methods `schema`, the one that needs no reference is taken
/// where there is one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Of<T>(PhantomData<T>);

impl<T> Of<T> {
    pub const NEW: Self = Self(PhantomData);
}

#[doc(hidden)]
pub trait WithSchema {
    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema>;
}

impl<T: JsonSchema> WithSchema for Of<T> {
    fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

#[doc(hidden)]
pub trait WithoutSchema {
    fn schema(&self, _: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<T> WithoutSchema for &Of<T> {}

#[doc(hidden)]
pub use inventory as __inventory;

/// The schema of the whole config, as JSON Schema 2020-12: each announced section with its fields, their texts and their defaults. Other
/// keys are allowed, for tags may ask for any. Where two crates announce one section, both must hold.
///
/// On targets without constructors before `main` no section is announced, and the schema allows everything.
pub fn schema() -> Value {
    let mut sections: Vec<&Section> = inventory::iter::<Section>.into_iter().collect();
    sections.sort_by_key(|section| section.key);
    let mut generator = SchemaGenerator::default();
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration",
        "type": "object",
        "properties": {},
    });
    for section in sections {
        let Some(schema) = (section.schema)(&mut generator) else { continue };
        let schema = if section.instances { with_instances(schema, &generator) } else { schema.to_value() };
        put(&mut root, &section.key.split('.').collect::<Vec<_>>(), schema);
    }
    root["$defs"] = Value::Object(generator.take_definitions(true));
    allow_references(&mut root);
    root
}

/// A number or a truth value may also be text that refers to a variable: `"${PORT:8080}"`.
fn allow_references(schema: &mut Value) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(allow_references),
        Value::Object(entries) => {
            entries.values_mut().for_each(allow_references);
            let simple = |kind: &Value| matches!(kind.as_str(), Some("integer" | "number" | "boolean"));
            if entries.get("type").is_some_and(simple) {
                let own = std::mem::take(entries);
                let mut described: serde_json::Map<String, Value> = own
                    .iter()
                    .filter(|(key, _)| matches!(key.as_str(), "description" | "default"))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                let reference = json!({ "type": "string", "pattern": r"\$\{" });
                described.insert("anyOf".to_owned(), json!([own, reference]));
                *entries = described;
            }
        }
        _ => {}
    }
}

/// The fields of the section itself, and tables of the same fields under any other name.
fn with_instances(schema: Schema, generator: &SchemaGenerator) -> Value {
    let reference = schema.clone().to_value();
    let name = reference.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let mut own = match name.and_then(|name| generator.definitions().get(name)) {
        Some(definition) => definition.clone(),
        None => reference.clone(),
    };
    own["additionalProperties"] = reference;
    own
}

fn put(table: &mut Value, path: &[&str], schema: Value) {
    let Some((first, rest)) = path.split_first() else {
        match table.get_mut("allOf").and_then(Value::as_array_mut) {
            Some(all) => all.push(schema),
            None => {
                let before = std::mem::replace(table, schema);
                if before.as_object().is_some_and(|before| !before.is_empty()) {
                    let after = table.take();
                    *table = json!({ "allOf": [before, after] });
                }
            }
        }
        return;
    };
    if table.get("properties").is_none() {
        table["properties"] = json!({});
    }
    if table["properties"].get(first).is_none() {
        table["properties"][first] = json!({});
    }
    put(&mut table["properties"][first], rest, schema);
}

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time such as `250ms`, `5s`, `1m30s` or `1h`, or a whole number of milliseconds.",
            "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }],
        })
    }
}

impl JsonSchema for OptionalDurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OptionalDuration".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<DurationText>::json_schema(generator)
    }
}
