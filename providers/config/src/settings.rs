//! The snapshot: what all layers together say, read once and never changed.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use figment::value::{Dict, Tag, Value};
use serde::de::DeserializeOwned;

use crate::error::{ConfigError, ErrorKind, Found, NearKey};
use crate::fault::{Context, Failure, Fault, Trace, one_of};
use crate::handle::ConfigHandle;
use crate::hub::Hub;
use crate::key::{Key, dotted};
use crate::layer::{Layer, merge};
use crate::lookup::Lookup;
use crate::nearness;
use crate::origin::Origin;
use crate::place::Base;
use crate::reader::Reader;
use crate::secrecy;
use crate::value::{as_table, kind_of, leaf_text};

/// A snapshot of the whole config: values, merged from all layers, each with its origin.
///
/// It never changes; what changes later reaches [`Live`](crate::Live) values. A clone shares the same snapshot. `Debug` shows
/// the profile and no value.
#[derive(Clone)]
pub struct Settings {
    snapshot: Arc<Snapshot>,
    /// Where later snapshots come from.
    hub: Arc<Hub>,
}

pub(crate) struct Snapshot {
    pub(crate) profile: String,
    root: Value,
    /// Weakest first.
    layers: Vec<Arc<Layer>>,
    /// 1 for the first one of a source, one more for each later one.
    generation: u64,
    /// What was worked out of it, by type.
    known: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Snapshot {
    pub(crate) fn new(profile: String, layers: Vec<Arc<Layer>>, generation: u64) -> Self {
        let root = Value::Dict(Tag::Default, merge(&layers));
        Self { profile, root, layers, generation, known: Mutex::default() }
    }

    pub(crate) fn says_the_same(&self, other: &Settings) -> bool {
        self.root == other.snapshot.root
    }
}

/// What [`Settings::answer`] did.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A value was there, or the tag had a default, and the asker has read it.
    Filled,
    /// The key is set nowhere and the tag has no default; the asker was not called.
    Absent,
}

impl Settings {
    pub(crate) fn of(snapshot: Arc<Snapshot>, hub: Arc<Hub>) -> Self {
        Self { snapshot, hub }
    }

    pub(crate) fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub(crate) fn generation(&self) -> u64 {
        self.snapshot.generation
    }

    /// The handle that changes the config while the application runs: sets keys, reads the files again.
    pub fn handle(&self) -> ConfigHandle {
        ConfigHandle::new(Arc::clone(&self.hub))
    }

    /// The profile that was read, such as `development`.
    pub fn profile(&self) -> &str {
        &self.snapshot.profile
    }

    /// A variable of the environment that the config was read with, whatever its name; `None` when it is not set, or no text.
    ///
    /// For the few that a component knows by a name of its own, such as `RUST_LOG`.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.hub.recipe.variable(name)?.into_string().ok()
    }

    /// What is worked out of this snapshot once, however often it is asked for: a section that many sites lead to is read and checked
    /// once. `make` may run more than once if several threads ask at the same time.
    pub fn once<T: Clone + Send + Sync + 'static>(&self, make: impl FnOnce(&Self) -> T) -> T {
        let known = || self.snapshot.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(&TypeId::of::<T>()).and_then(|known| known.downcast_ref::<T>().cloned());
        found.unwrap_or_else(|| {
            let made = make(self);
            known().insert(TypeId::of::<T>(), Arc::new(made.clone()));
            made
        })
    }

    /// Reads the value of a key; `None` when it is set nowhere.
    ///
    /// Text becomes what `T` asks for: numbers, `bool`, `char` and unit enums by their text,
    /// `String` verbatim, [`Duration`](std::time::Duration) as in [`duration`](crate::duration),
    /// lists, maps and structs from JSON text. An empty text is a value: fine for a `String`, an
    /// error for a number, also for an optional one. A type that does not say what it wants
    /// (`serde_json::Value`, `#[serde(untagged)]`, `#[serde(flatten)]`) gets text as text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] when the value cannot become a `T`, or a part of the key's path is no
    /// table; [`ErrorKind::Missing`] and [`ErrorKind::UnknownKey`] for a table that lacks a field
    /// of `T` or has one too many; [`ErrorKind::BadKey`] for a text that is no [`Key`].
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ConfigError> {
        let path = Key::parse(key)?.path();
        self.hub.asked.key(&path, None);
        match self.find(&path)? {
            None => Ok(None),
            Some(value) => self.deserialize(path, &value, None, Base::Nothing).map(Some),
        }
    }

    /// Reads a section into a struct; the empty path is the whole config.
    ///
    /// An absent section reads as an empty table, so a type of which every field has a default
    /// needs no section at all.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`ErrorKind::BadKey`] for a path that is no key. Reading stops at
    /// the first field that is wrong.
    pub fn section<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigError> {
        let path = section_path(path)?;
        self.hub.asked.key(&path, None);
        let (value, absent) = match self.find(&path)? {
            Some(value) => (value, false),
            None => (Cow::Owned(Value::from(Dict::new())), true),
        };
        self.deserialize(path.clone(), &value, None, Base::Nothing).map_err(|error| {
            // A type that takes no table has no use for the empty one.
            let whole = error.key() == Some(&dotted(&path));
            let unfit = matches!(error.kind(), ErrorKind::Invalid { .. });
            if absent && whole && unfit { self.missing_at(&path) } else { error }
        })
    }

    /// Answers what a tag asks, for an asker whose type only it knows.
    ///
    /// `extend` is the tag's extension text, in the forms of [`Lookup`]. When there is a value or
    /// a default, `deserialize` is called once, with a deserializer over it; it should read
    /// exactly one value and pass on the error. The asker may throw the value away, so the same
    /// call serves to check a site.
    ///
    /// ```
    /// use gone_config::{Answer, ConfigSource};
    ///
    /// let settings = ConfigSource::new()
    ///     .environment([("GONE_SERVER__PORT", "9000")])
    ///     .read()?;
    /// let mut port = 0_u16;
    /// let answer = settings.answer("server.port=8080", &mut |value| {
    ///     port = erased_serde::deserialize(value)?;
    ///     Ok(())
    /// })?;
    /// assert_eq!((answer, port), (Answer::Filled, 9000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Lookup::parse`] and of [`get`](Self::get). A default that does not fit has
    /// [`Origin::Tag`].
    #[doc(hidden)]
    pub fn answer(
        &self,
        extend: &str,
        deserialize: &mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), erased_serde::Error>,
    ) -> Result<Answer, ConfigError> {
        let lookup = Lookup::parse(extend)?;
        let path = lookup.key().path();
        self.hub.asked.key(&path, lookup.default());
        let base = lookup.default().map_or(Base::Nothing, Base::Text);
        let Some((value, origin)) = base.value(self, &path)? else {
            return Ok(Answer::Absent);
        };
        let trace = Trace::at(path, Context { settings: self, base });
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(Reader::new(&value, &trace));
        let result = deserialize(&mut erased);
        match result {
            Ok(()) => Ok(Answer::Filled),
            Err(error) => {
                let failure = Failure::Message(error.to_string());
                Err(self.error(trace.into_fault(&value, failure), origin))
            }
        }
    }

    /// The error for a key that is required and set nowhere, with the keys that are near it.
    #[doc(hidden)]
    pub fn missing(&self, key: &Key) -> ConfigError {
        self.missing_at(&key.path())
    }

    /// Where the value at a path was set: the strongest layer that sets it.
    ///
    /// The path is dotted, and may lead to a table, or into a list by index (`servers.0.port`).
    /// `None` when nothing sets it.
    pub fn origin(&self, path: &str) -> Option<Origin> {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        self.origin_at(&path)
    }

    /// The keys and tables near a path, nearest first, at most five: within two edits of it, or
    /// with the same last segment.
    #[doc(hidden)]
    pub fn keys_near(&self, path: &str) -> Vec<NearKey> {
        let mut names = Vec::new();
        collect(&self.snapshot.root, &mut Vec::new(), &mut names);
        let near = nearness::near(path, names.iter().map(|(name, _)| name.as_str()));
        near.into_iter()
            .map(|name| {
                let known = names.iter().find(|(known, _)| known == name);
                let origin = known.and_then(|(_, path)| self.origin_at(path));
                NearKey { key: name.to_owned(), origin }
            })
            .collect()
    }

    /// The names of the tables directly under a path, sorted; the empty path is the root.
    ///
    /// Text that is a JSON object counts as a table.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadKey`] for a path that is no key; [`ErrorKind::Invalid`] when a part of it is
    /// no table.
    #[doc(hidden)]
    pub fn subtables(&self, path: &str) -> Result<Vec<String>, ConfigError> {
        let value = self.find(&section_path(path)?)?;
        let Some(entries) = value.as_deref().and_then(as_table) else {
            return Ok(Vec::new());
        };
        let tables = entries.iter().filter(|(_, value)| as_table(value).is_some());
        Ok(tables.map(|(name, _)| name.clone()).collect())
    }

    pub(crate) fn find(&self, path: &[String]) -> Result<Option<Cow<'_, Value>>, ConfigError> {
        let mut value = Cow::Borrowed(&self.snapshot.root);
        for (depth, segment) in path.iter().enumerate() {
            let next = match &value {
                Cow::Borrowed(borrowed) => match as_table(borrowed) {
                    Some(Cow::Borrowed(entries)) => entries.get(segment).map(Cow::Borrowed),
                    Some(Cow::Owned(mut entries)) => entries.remove(segment).map(Cow::Owned),
                    None => return Err(self.no_table(path, depth, &value)),
                },
                Cow::Owned(owned) => match as_table(owned) {
                    Some(entries) => entries.get(segment).cloned().map(Cow::Owned),
                    None => return Err(self.no_table(path, depth, &value)),
                },
            };
            match next {
                // A null in JSON text sets nothing.
                None => return Ok(None),
                Some(next) if matches!(*next, Value::Empty(..)) => return Ok(None),
                Some(next) => value = next,
            }
        }
        Ok(Some(value))
    }

    /// The error for a path that leads through what is no table.
    fn no_table(&self, path: &[String], depth: usize, value: &Value) -> ConfigError {
        let reason = format!("`{}` is asked for, which lies in it", dotted(path));
        let fault =
            Fault { path: path[..depth].to_vec(), value: value.clone(), failure: Failure::unfit("a table", reason) };
        self.error(fault, None)
    }

    pub(crate) fn deserialize<T: DeserializeOwned>(
        &self,
        path: Vec<String>,
        value: &Value,
        origin: Option<Origin>,
        base: Base<'_>,
    ) -> Result<T, ConfigError> {
        let trace = Trace::at(path, Context { settings: self, base });
        T::deserialize(Reader::new(value, &trace))
            .map_err(|failure| self.error(trace.into_fault(value, failure), origin))
    }

    pub(crate) fn missing_at(&self, path: &[String]) -> ConfigError {
        let key = dotted(path);
        let near = self.keys_near(&key);
        ConfigError::new(ErrorKind::Missing).keyed(key).near_keys(near)
    }

    /// Makes an error of a fault: adds where the value is from, and hides what is secret.
    pub(crate) fn error(&self, fault: Fault, origin: Option<Origin>) -> ConfigError {
        let Fault { mut path, value, failure } = fault;
        match failure {
            Failure::Absent => self.missing_at(&path),
            Failure::MissingField(field) => {
                path.push(field.to_owned());
                self.missing_at(&path)
            }
            Failure::UnknownField { field, fields } => {
                // The reader of the name has it in its path already; a hand-written type may not.
                if path.last() != Some(&field) {
                    path.push(field);
                }
                let origin = origin.or_else(|| self.origin_at(&path));
                ConfigError::new(ErrorKind::UnknownKey)
                    .keyed(dotted(&path))
                    .at(origin)
                    .expecting(one_of(fields.iter().copied()))
                    .near_fields(&path, fields)
            }
            Failure::Message(message) => {
                let reason = match self.hub.secrets.touch(&path) && is_leaf(&value) {
                    true => None,
                    false => secrecy::cleaned(&path, &value, &message, &self.hub.secrets),
                };
                let error = self.invalid(&path, &value, reason, origin);
                // A table that a type has read and does not take is not in the place of something else.
                if is_leaf(&value) { error } else { error.without_value() }
            }
            Failure::Unfit { expected, reason } => self.invalid(&path, &value, reason, origin).expecting(expected),
        }
    }

    pub(crate) fn invalid(
        &self,
        path: &[String],
        value: &Value,
        reason: Option<String>,
        origin: Option<Origin>,
    ) -> ConfigError {
        let found = match value {
            Value::Dict(..) | Value::Array(..) | Value::Empty(..) => Found::Shape(kind_of(value)),
            _ if self.hub.secrets.touch(path) => Found::Shown(secrecy::HIDDEN.to_owned()),
            leaf => Found::Shown(secrecy::shown(path, &leaf_text(leaf))),
        };
        let mut origins = self.origins_at(path);
        let origin = match origin {
            Some(origin) => Some(origin),
            None => origins.next(),
        };
        let overridden = origins.collect();
        ConfigError::new(ErrorKind::Invalid { reason }).keyed(dotted(path)).found(found).at(origin).hiding(overridden)
    }

    pub(crate) fn root(&self) -> &Value {
        &self.snapshot.root
    }

    pub(crate) fn origin_at(&self, path: &[String]) -> Option<Origin> {
        self.origins_at(path).next()
    }

    /// Where the path is set, strongest first.
    fn origins_at<'s>(&'s self, path: &'s [String]) -> impl Iterator<Item = Origin> + 's {
        self.snapshot.layers.iter().rev().filter_map(move |layer| layer.origin(path))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("profile", &self.snapshot.profile).finish_non_exhaustive()
    }
}

fn is_leaf(value: &Value) -> bool {
    !matches!(value, Value::Dict(..) | Value::Array(..))
}

pub(crate) fn section_path(path: &str) -> Result<Vec<String>, ConfigError> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    Key::parse(path).map(|key| key.path())
}

/// All keys and tables below a value, as text and as path.
fn collect(value: &Value, path: &mut Vec<String>, names: &mut Vec<(String, Vec<String>)>) {
    let Value::Dict(_, entries) = value else {
        return;
    };
    for (name, value) in entries {
        path.push(name.clone());
        names.push((dotted(path), path.clone()));
        collect(value, path, names);
        path.pop();
    }
}
