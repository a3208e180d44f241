//! What was asked for until the end of the plan, so that it can be said what is set and nobody knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use figment::value::{Dict, Value};
use gone_core::{Code, Review, edit_distance};

use crate::error::{ConfigError, ErrorKind, NearKey};
use crate::key::dotted;
use crate::nearness;
use crate::settings::Settings;
use crate::value::as_table;

type Path = Vec<String>;

/// What is known of the keys, by who has read them.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Read into a type, which has looked at all that lies below.
    whole: BTreeSet<Path>,
    /// Sections of components: the tables in them that are no fields are instances.
    components: BTreeSet<Path>,
    /// What holds where nothing is set.
    defaults: BTreeMap<Path, Value>,
    /// The plan is over: nothing is noted any more.
    reviewed: bool,
}

impl Asked {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A key was read, with its default where it has one.
    pub(crate) fn key(&self, path: &[String], default: Option<&str>) {
        let mut known = self.known();
        if !known.reviewed {
            known.whole.insert(path.to_vec());
            if let Some(default) = default {
                known.defaults.entry(path.to_vec()).or_insert_with(|| Value::from(default));
            }
        }
    }

    /// A component has read its section, or one of its instances. There are no more of these than sections and what the config has in
    /// them, so that they are noted also after the plan, for the dump.
    pub(crate) fn component(&self, path: &[String], main: bool, defaults: &Dict) {
        let mut known = self.known();
        if main {
            known.components.insert(path.to_vec());
        } else {
            known.whole.insert(path.to_vec());
            known.components.insert(path[..path.len().saturating_sub(1)].to_vec());
        }
        for (name, value) in defaults {
            let mut path = path.to_vec();
            path.push(name.clone());
            known.defaults.entry(path).or_insert_with(|| value.clone());
        }
    }

    /// What holds where nothing is set: by path, in order.
    pub(crate) fn defaults(&self) -> BTreeMap<Path, Value> {
        self.known().defaults.clone()
    }

    /// Says of each key that is set and that nobody has asked for what is to be thought of it.
    pub(crate) fn review(&self, settings: &Settings, review: &mut Review) {
        let known = {
            let mut known = self.known();
            known.reviewed = true;
            Known { whole: known.whole.clone(), components: known.components.clone(), ..Known::default() }
        };
        let Value::Dict(_, root) = settings.root() else { return };
        let mut looking = Looking { known, settings, review };
        looking.table(&mut Vec::new(), root);
    }
}

struct Looking<'a> {
    known: Known,
    settings: &'a Settings,
    review: &'a mut Review,
}

impl Looking<'_> {
    fn table(&mut self, path: &mut Path, entries: &Dict) {
        if self.known.whole.contains(path.as_slice()) {
            return;
        }
        let component = self.known.components.contains(path.as_slice());
        for (name, value) in entries {
            path.push(name.clone());
            // What is no table in a component's section is a field, and was read as one.
            if !component || matches!(value, Value::Dict(..)) {
                self.entry(path, value, component);
            }
            path.pop();
        }
    }

    fn entry(&mut self, path: &mut Path, value: &Value, of_component: bool) {
        if self.known.whole.contains(path.as_slice()) {
            return;
        }
        let below = |asked: &BTreeSet<Path>| asked.range(path.clone()..).next().is_some_and(|it| it.starts_with(path));
        let leads = below(&self.known.whole) || below(&self.known.components);
        match as_table(value) {
            Some(entries) if leads => self.table(path, &entries),
            // A field of the component that is a table was read with it.
            _ if of_component && self.is_field(path) => {}
            _ if of_component => self.unknown(path),
            // What leads to what was asked for and is no table is a problem of whoever asked.
            _ if leads => {}
            _ => self.unasked(path),
        }
    }

    fn is_field(&self, path: &[String]) -> bool {
        matches!(self.settings.hub().asked.known().defaults.get(path), Some(Value::Dict(..) | Value::Empty(..)))
    }

    /// Nobody has asked for it. What somebody has asked for, in vain and under a name so close, was most probably meant.
    fn unasked(&mut self, path: &[String]) {
        let key = dotted(path);
        let asked: Vec<String> = self.names(path.len()).filter(|(_, set)| !set).map(|(name, _)| name).collect();
        let meant = asked.iter().any(|name| {
            let edits = edit_distance(&key, name);
            edits <= 2 && edits < name.chars().count() / 2
        });
        if meant {
            return self.unknown(path);
        }
        // A section that nobody knows may be another program's.
        if path.len() > 1 {
            let error = self.error(path, ConfigError::new(ErrorKind::Unasked));
            self.review.warning(error.into_error().with_code(Code::Unused));
        }
    }

    fn unknown(&mut self, path: &[String]) {
        let near: Vec<String> = self.names(path.len()).map(|(name, _)| name).collect();
        let near = nearness::near(&dotted(path), near.iter().map(String::as_str));
        let near = near.into_iter().map(|key| NearKey { key: key.to_owned(), origin: None }).collect();
        let error = self.error(path, ConfigError::new(ErrorKind::UnknownKey).near_keys(near));
        self.review.problem(error.into_error());
    }

    fn error(&self, path: &[String], error: ConfigError) -> ConfigError {
        error.keyed(dotted(path)).at(self.settings.origin_at(path))
    }

    /// What was asked for at that depth, and whether it is set.
    fn names(&self, depth: usize) -> impl Iterator<Item = (String, bool)> {
        let asked = self.known.whole.iter().chain(&self.known.components);
        let mut names: BTreeMap<String, bool> = BTreeMap::new();
        for path in asked.filter(|path| path.len() >= depth) {
            let path = &path[..depth];
            names.insert(dotted(path), self.settings.origin_at(path).is_some());
        }
        names.into_iter()
    }
}
