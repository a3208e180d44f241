//! One layer of the config, and where each of its keys was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use crate::origin::Origin;
use crate::value::nested;

/// The values of one layer with their places.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    values: Dict,
    /// By path; a path without an entry has the origin of its nearest ancestor that has one.
    places: BTreeMap<Vec<String>, Origin>,
    name: String,
    origin: Option<Origin>,
    /// What came from a variable with a secret-looking name.
    secrets: Vec<Vec<String>>,
}

impl Layer {
    /// A layer in which every key has its place.
    pub(crate) fn placed(name: impl Into<String>, values: Dict, places: BTreeMap<Vec<String>, Origin>) -> Self {
        Self { values, places, name: name.into(), origin: None, secrets: Vec::new() }
    }

    /// The same layer with paths that are secret whatever they are called.
    pub(crate) fn with_secrets(self, secrets: Vec<Vec<String>>) -> Self {
        Self { secrets, ..self }
    }

    pub(crate) fn secrets(&self) -> &[Vec<String>] {
        &self.secrets
    }

    /// A layer of one value, all of it from one place.
    ///
    /// `None` when there is no table to put the value into: at the root only a table will do.
    pub(crate) fn of(path: &[String], value: Value, origin: Origin) -> Option<Self> {
        let Value::Dict(_, values) = nested(path, value) else {
            return None;
        };
        let name = origin.to_string();
        Some(Self { values, places: BTreeMap::new(), name, origin: Some(origin), secrets: Vec::new() })
    }

    /// Where this layer sets the path, if it does. Of a table that is only made of keys below it, where the first of these is set.
    pub(crate) fn origin(&self, path: &[String]) -> Option<Origin> {
        if !self.covers(path) {
            return None;
        }
        let above = || (0..=path.len()).rev().find_map(|length| self.places.get(&path[..length]));
        let below =
            || self.places.range(path.to_vec()..).next().filter(|(key, _)| key.starts_with(path)).map(|it| it.1);
        above().or(self.origin.as_ref()).or_else(below).cloned()
    }

    /// Whether the path leads to a value. What lies inside text or a list counts as there, for it
    /// was written with it.
    fn covers(&self, path: &[String]) -> bool {
        let mut entries = &self.values;
        for segment in path {
            match entries.get(segment) {
                None => return false,
                Some(Value::Dict(_, inner)) => entries = inner,
                Some(_) => return true,
            }
        }
        true
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// The layers merged, the last one strongest: tables are joined key by key, all else is replaced.
pub(crate) fn merge(layers: &[Arc<Layer>]) -> Dict {
    let merged = layers.iter().fold(Figment::new(), |merged, layer| merged.merge(&**layer));
    // No layer of ours fails to give its data, so neither does the merge.
    let mut profiles = merged.data().unwrap_or_default();
    profiles.remove(&Profile::Default).unwrap_or_default()
}
