//! The section of a provider: over its defaults, and once for each named instance.

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
    /// Tables in the section that are no field of `T` are such instances and are left out.
    ///
    /// # Errors
    ///
    /// As [`section`](Self::section); [`ErrorKind::Missing`] for an instance that has no table.
    pub fn component<T>(&self, section: &str, instance: &str, defaults: &T) -> Result<T, ConfigError>
    where
        T: Serialize + DeserializeOwned + Clone,
    {
        let path = match instance {
            "" => section_path(section)?,
            instance => section_path(&format!("{section}.{instance}"))?,
        };
        let own = self.find(&path)?;
        // Nothing is set, which is the rule for most components.
        if own.is_none() && instance.is_empty() {
            return Ok(defaults.clone());
        }
        let unserializable =
            |error| ConfigError::new(ErrorKind::Unserializable { source: Box::new(error) }).keyed(path.join("."));
        let defaults = Value::serialize(defaults).map_err(unserializable)?;
        let mut fields = match without_empty(defaults) {
            Some(Value::Dict(_, fields)) => fields,
            _ => Dict::new(),
        };
        match own {
            None => return Err(self.missing_at(&path)),
            Some(own) => match as_table(&own) {
                // Not a table: the reader says so, with the place.
                None => return self.deserialize(path, &own, None),
                Some(own) => {
                    for (name, value) in own.iter() {
                        let another = instance.is_empty() && matches!(value, Value::Dict(..));
                        if !another || matches!(fields.get(name), Some(Value::Dict(..))) {
                            fields.insert(name.clone(), value.clone());
                        }
                    }
                }
            },
        }
        self.deserialize(path, &Value::Dict(Tag::Default, fields), None)
    }
}
