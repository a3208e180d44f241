//! All that is wrong with one value: what is found is taken out, and the rest is read again.

use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ConfigError, ConfigErrors, ErrorKind};
use crate::fault::{Context, Failure, Fault, Trace};
use crate::lookup::Lookup;
use crate::origin::Origin;
use crate::place::Base;
use crate::reader::Reader;
use crate::settings::{Answer, Settings, section_path};
use crate::value::without_marks;

/// So many faults of one value are told.
const MOST: usize = 50;

impl Settings {
    /// As [`answer`](Self::answer), to check and not to fill: all that is wrong is told, for which the value is read several times.
    pub(crate) fn check(
        &self,
        extend: &str,
        deserialize: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<Answer, ConfigErrors> {
        let lookup = Lookup::parse(extend)?;
        let path = lookup.key().path();
        self.hub().asked.key(&path, lookup.default());
        let base = lookup.default().map_or(Base::Nothing, Base::Text);
        let Some((value, origin)) = base.value(self, &path)? else {
            return Ok(Answer::Absent);
        };
        let read = |value: &Value| {
            let trace = Trace::at(path.clone(), Context { settings: self, base });
            let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(Reader::new(value, &trace));
            let result = deserialize(&mut erased);
            result.map_err(|error| Box::new(trace.into_fault(value, Failure::Message(error.to_string()))))
        };
        all(value.into_owned(), path.len(), read).map_err(|faults| self.errors(faults, origin.as_ref()))?;
        Ok(Answer::Filled)
    }

    /// Reads the section of a component over its defaults.
    ///
    /// The empty instance is the section itself (`db`), another one the table of that name in it
    /// (`db.sessions`), which must be there: a named instance has no defaults of where it lies.
    /// Tables in the section that are no field of `T` are such instances and are left out. A
    /// [`Secret`](crate::Secret) in the defaults sets nothing.
    ///
    /// # Errors
    ///
    /// As [`section`](Self::section), for each value that is wrong; [`ErrorKind::Missing`] for an instance that has no table.
    pub fn component<T>(&self, section: &str, instance: &str, defaults: &T) -> Result<T, ConfigErrors>
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
        // Those without a value too: a table may be one that has none by default.
        let fields = match without_marks(defaults) {
            Value::Dict(_, fields) => fields,
            _ => Dict::new(),
        };
        let base = Base::Fields { fields: &fields, main };
        let Some((value, _)) = base.value(self, &path)? else {
            let wanted = "a table with the settings of this instance, of which an empty one has the defaults";
            return Err(self.missing_at(&path).expecting(wanted).into());
        };
        self.hub().asked.component(&path, main, &fields);
        let read = |value: &Value| {
            let trace = Trace::at(path.clone(), Context { settings: self, base });
            T::deserialize(Reader::new(value, &trace)).map_err(|failure| Box::new(trace.into_fault(value, failure)))
        };
        all(value.into_owned(), path.len(), read).map_err(|faults| self.errors(faults, None))
    }

    fn errors(&self, faults: Vec<Fault>, origin: Option<&Origin>) -> ConfigErrors {
        faults.into_iter().map(|fault| self.error(fault, origin.cloned())).collect()
    }
}

/// Reads a value whose path has `root` segments, until nothing more is found.
fn all<T>(
    mut value: Value,
    root: usize,
    mut read: impl FnMut(&Value) -> Result<T, Box<Fault>>,
) -> Result<T, Vec<Fault>> {
    let mut faults: Vec<Fault> = Vec::new();
    loop {
        let fault = match read(&value) {
            Ok(read) if faults.is_empty() => return Ok(read),
            Ok(_) => return Err(faults),
            Err(fault) => fault,
        };
        let mut path = fault.path.clone();
        let is_missing = match &fault.failure {
            Failure::MissingField(field) => {
                path.push((*field).to_owned());
                true
            }
            Failure::UnknownField { field, .. } if path.last() != Some(field) => {
                path.push(field.clone());
                false
            }
            Failure::Absent => true,
            _ => false,
        };
        // Of what is missing the type tells the first only; it may be what was taken out before.
        let told = faults.iter().any(|known| known.path == path);
        if !told {
            faults.push(*fault);
        }
        let inner = path.get(root..).unwrap_or_default();
        if is_missing || told || faults.len() >= MOST || !take_out(&mut value, inner) {
            return Err(faults);
        }
    }
}

/// Takes an entry out of the tables that lead to it; false where there is none.
fn take_out(value: &mut Value, path: &[String]) -> bool {
    let (Value::Dict(_, entries), Some((first, rest))) = (value, path.split_first()) else { return false };
    match (entries.get_mut(first), rest) {
        (None, _) => false,
        (Some(_), []) => entries.remove(first).is_some(),
        (Some(inner), rest) => take_out(inner, rest),
    }
}
