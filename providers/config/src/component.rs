//! The section of a provider: over its defaults, and once for each named instance.

use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ConfigError, ErrorKind};
use crate::place::Base;
use crate::settings::{Settings, section_path};
use crate::value::{without_empty, without_marks};

impl Settings {
    /// Reads the section of a component over its defaults.
    ///
    /// The empty instance is the section itself (`db`), another one the table of that name in it
    /// (`db.sessions`), which must be there: a named instance has no defaults of where it lies.
    /// Tables in the section that are no field of `T` are such instances and are left out. A
    /// [`Secret`](crate::Secret) in the defaults sets nothing.
    ///
    /// # Errors
    ///
    /// As [`section`](Self::section); [`ErrorKind::Missing`] for an instance that has no table.
    pub fn component<T>(&self, section: &str, instance: &str, defaults: &T) -> Result<T, ConfigError>
    where
        T: Serialize + DeserializeOwned,
    {
        let main = instance.is_empty();
        let path = match instance {
            "" => section_path(section)?,
            instance => section_path(&format!("{section}.{instance}"))?,
        };
        let unserializable =
            |error| ConfigError::new(ErrorKind::Unserializable { source: Box::new(error) }).keyed(path.join("."));
        let defaults = Value::serialize(defaults).map_err(unserializable)?;
        let fields = match without_empty(without_marks(defaults)) {
            Some(Value::Dict(_, fields)) => fields,
            _ => Dict::new(),
        };
        let base = Base::Fields { fields: &fields, main };
        match base.value(self, &path)? {
            None => Err(self.missing_at(&path)),
            Some((value, _)) => self.deserialize(path, &value, None, base),
        }
    }
}
