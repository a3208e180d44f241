//! The config as it holds, for people to read: each value with its origin, secrets hidden.

use std::collections::BTreeMap;

use figment::value::Value;
use gone_core::Setting;

use crate::key::dotted;
use crate::origin::Origin;
use crate::secrecy;
use crate::settings::Settings;
use crate::value::leaf_text;

impl Settings {
    /// Every value that is set, and every default that holds for want of one, by key.
    pub(crate) fn dump(&self) -> Vec<Setting> {
        let now = self.hub().current();
        let mut leaves = BTreeMap::new();
        for (path, value) in self.hub().asked.defaults() {
            collect(&value, &mut path.clone(), &mut |path, value| {
                leaves.insert(path.to_vec(), (value.clone(), "default".to_owned()));
            });
        }
        collect(now.root(), &mut Vec::new(), &mut |path, value| {
            let origin = now.origin_at(path).map_or_else(String::new, |origin| match origin {
                Origin::Variable { name } => name,
                other => other.to_string(),
            });
            // A value that is no table takes the place of the defaults below it, too.
            leaves.retain(|known: &Vec<String>, _| !known.starts_with(path));
            leaves.insert(path.to_vec(), (value.clone(), origin));
        });
        let setting = |(path, (value, origin)): (Vec<String>, (Value, String))| {
            let value = match self.hub().secrets.touch(&path) {
                true => secrecy::HIDDEN.to_owned(),
                false => self.text(&path, &value),
            };
            Setting::new(dotted(&path), value, origin)
        };
        leaves.into_iter().map(setting).collect()
    }

    /// A value as it would stand in a file, with what may be a secret hidden.
    fn text(&self, path: &[String], value: &Value) -> String {
        match value {
            Value::String(..) | Value::Char(..) => format!("{:?}", secrecy::shown(path, &leaf_text(value))),
            Value::Array(_, elements) => {
                let elements: Vec<String> = elements.iter().map(|value| self.text(path, value)).collect();
                format!("[{}]", elements.join(", "))
            }
            Value::Dict(_, entries) => {
                let entry = |(name, value): (&String, &Value)| {
                    let mut path = path.to_vec();
                    path.push(name.clone());
                    format!("{} = {}", dotted(std::slice::from_ref(name)), self.text(&path, value))
                };
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{ {} }}", entries.join(", "))
            }
            leaf => secrecy::shown(path, &leaf_text(leaf)),
        }
    }
}

/// Every value that is no table, and every table that is empty.
fn collect(value: &Value, path: &mut Vec<String>, found: &mut dyn FnMut(&[String], &Value)) {
    match value {
        Value::Empty(..) => {}
        Value::Dict(_, entries) if !entries.is_empty() => {
            for (name, value) in entries {
                path.push(name.clone());
                collect(value, path, found);
                path.pop();
            }
        }
        value => found(path, value),
    }
}
