//! The section of a provider: over its defaults, and once for each named instance.

use std::collections::BTreeSet;

use figment::value::{Dict, Tag, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ConfigError, ErrorKind};
use crate::settings::{Settings, section_path};
use crate::value::{as_table, without_empty};

impl Settings {
    /// Reads the section of a component over its defaults.
    ///
    /// The empty instance is the section itself (`db`), another one the table of that name in it
    /// (`db.sessions`), which must be there: a named instance has no defaults of where it lies.
    /// Tables in the section that are no field of `T` are such instances and are left out. A table that
    /// is a field lies over the table of the defaults, key by key.
    ///
    /// # Errors
    ///
    /// As [`section`](Self::section); [`ErrorKind::Missing`] for an instance that has no table.
    pub fn component<T>(&self, section: &str, instance: &str, defaults: &T) -> Result<T, ConfigError>
    where
        T: Serialize + DeserializeOwned,
    {
        let path = match instance {
            "" => section_path(section)?,
            instance => section_path(&format!("{section}.{instance}"))?,
        };
        let unserializable =
            |error| ConfigError::new(ErrorKind::Unserializable { source: Box::new(error) }).keyed(path.join("."));
        let defaults = Value::serialize(defaults).map_err(unserializable)?;
        // Those without a value too: a table may be one that has none by default.
        let names: BTreeSet<String> = as_table(&defaults).iter().flat_map(|it| it.keys().cloned()).collect();
        let mut fields = match without_empty(defaults) {
            Some(Value::Dict(_, fields)) => fields,
            _ => Dict::new(),
        };
        match self.find(&path)? {
            None if instance.is_empty() => {}
            None => return Err(self.missing_at(&path)),
            Some(own) => match as_table(&own) {
                // Not a table: the reader says so, with the place.
                None => return self.deserialize(path, &own, None),
                Some(own) => {
                    for (name, value) in own.iter() {
                        let another = instance.is_empty() && matches!(value, Value::Dict(..));
                        if !another || names.contains(name) {
                            lay_over(&mut fields, name, value);
                        }
                    }
                }
            },
        }
        self.deserialize(path, &Value::Dict(Tag::Default, fields), None)
    }
}

/// Puts a value under a name; a table lies over a table, key by key.
fn lay_over(fields: &mut Dict, name: &str, value: &Value) {
    match (fields.get_mut(name), value) {
        (Some(Value::Dict(_, below)), Value::Dict(_, above)) => {
            for (name, value) in above {
                lay_over(below, name, value);
            }
        }
        _ => _ = fields.insert(name.to_owned(), value.clone()),
    }
}
