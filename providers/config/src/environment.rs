//! Environment variables as a layer: `GONE_SERVER__PORT` is `server.port`, its value raw text.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use figment::value::{Dict, Value};

use crate::error::{ConfigError, ErrorKind};
use crate::key::{CONFIG_VARIABLE, Key, PREFIX, PROFILE_VARIABLE};
use crate::layer::Layer;
use crate::origin::Origin;

/// What the environment says to us.
pub(crate) struct Environment {
    pub(crate) layer: Layer,
    /// The value of `GONE_PROFILE`.
    pub(crate) profile: Option<String>,
    /// The value of `GONE_CONFIG`: a path, so it need not be Unicode.
    pub(crate) config: Option<OsString>,
}

/// Sorts the variables that are ours into a layer; others are not looked at.
pub(crate) fn read(
    variables: impl Iterator<Item = (OsString, OsString)>,
    errors: &mut Vec<ConfigError>,
) -> Environment {
    let mut profile = None;
    let mut config = None;
    let mut found: BTreeMap<Vec<String>, (String, String)> = BTreeMap::new();
    for (name, value) in variables {
        if name == OsStr::new(CONFIG_VARIABLE) {
            config = Some(value);
            continue;
        }
        let shown = name.to_string_lossy();
        if !shown.starts_with(PREFIX) {
            continue;
        }
        let bad = |reason: String| {
            let variable = shown.clone().into_owned();
            ConfigError::new(ErrorKind::BadVariable { variable, reason })
        };
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            errors.push(bad("it is not valid Unicode".to_owned()));
            continue;
        };
        if name == PROFILE_VARIABLE {
            profile = Some(value.to_owned());
            continue;
        }
        let text = name[PREFIX.len()..].replace("__", ".").to_ascii_lowercase();
        match Key::parse(&text) {
            Err(error) => {
                let ErrorKind::BadKey { reason } = error.kind() else {
                    continue;
                };
                errors.push(bad(format!("it stands for the key `{text}`; {reason}")));
            }
            Ok(key) => {
                let name = name.to_owned();
                if let Some((other, _)) = found.get(&key.path()) {
                    let (first, second) = (other.clone().min(name.clone()), name.max(other.clone()));
                    errors.push(ConfigError::new(ErrorKind::Conflict { first, second }).keyed(key.as_str()));
                } else {
                    found.insert(key.path(), (name, value.to_owned()));
                }
            }
        }
    }
    refuse_overlaps(&found, errors);
    Environment { layer: layer(found), profile, config }
}

/// A key that is set as a whole and in part would lose one of the two in silence.
fn refuse_overlaps(found: &BTreeMap<Vec<String>, (String, String)>, errors: &mut Vec<ConfigError>) {
    for (path, (second, _)) in found {
        let whole = (1..path.len()).find_map(|length| found.get_key_value(&path[..length]));
        if let Some((whole, (first, _))) = whole {
            let (first, second) = (first.clone(), second.clone());
            errors.push(ConfigError::new(ErrorKind::Conflict { first, second }).keyed(whole.join(".")));
        }
    }
}

fn layer(found: BTreeMap<Vec<String>, (String, String)>) -> Layer {
    let mut values = Dict::new();
    let mut places = BTreeMap::new();
    for (path, (name, text)) in found {
        insert(&mut values, &path, Value::from(text));
        places.insert(path, Origin::Variable { name });
    }
    Layer::placed("environment", values, places)
}

/// Puts a value in its place. Keys overlap only where an error was noted already.
fn insert(values: &mut Dict, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            values.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = values.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
