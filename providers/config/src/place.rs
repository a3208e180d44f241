//! How a value that was read is found again in another snapshot.

use std::borrow::Cow;

use figment::value::{Dict, Tag, Value};

use crate::error::ConfigError;
use crate::origin::Origin;
use crate::settings::Settings;
use crate::value::{as_list, as_table, without_empty};

/// What a reading falls back to where the config says nothing.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
    Nothing,
    /// The default in a tag.
    Text(&'a str),
    /// The defaults of a component; `main` for the section itself, false for a named instance of it.
    Fields {
        fields: &'a Dict,
        main: bool,
    },
}

/// A value as it was found, and its origin where that is no layer.
pub(crate) type Found<'s> = Option<(Cow<'s, Value>, Option<Origin>)>;

impl Base<'_> {
    /// The value of a path, with what this falls back to.
    pub(crate) fn value<'s>(self, settings: &'s Settings, path: &[String]) -> Result<Found<'s>, ConfigError> {
        let found = settings.find(path)?;
        Ok(match self {
            Self::Nothing => found.map(|value| (value, None)),
            Self::Text(default) => {
                let tag = || (Cow::Owned(Value::from(default)), Some(Origin::Tag));
                Some(found.map_or_else(tag, |value| (value, None)))
            }
            Self::Fields { fields, main } => match found {
                None if main => Some(Value::Dict(Tag::Default, over(fields, &Dict::new(), main))),
                None => None,
                // What is no table is left to the reader, which says so with the place.
                Some(own) => match as_table(&own) {
                    None => Some(own.into_owned()),
                    Some(own) => Some(Value::Dict(Tag::Default, over(fields, &own, main))),
                },
            }
            .map(|value| (Cow::Owned(value), None)),
        })
    }
}

/// The fields of a component over its defaults. In the main section, tables that are no field are named instances; one that
/// has no value by default is a field all the same.
fn over(defaults: &Dict, own: &Dict, main: bool) -> Dict {
    let is_table = |name: &str| matches!(defaults.get(name), Some(Value::Dict(..) | Value::Empty(..)));
    let mut fields = match without_empty(Value::Dict(Tag::Default, defaults.clone())) {
        Some(Value::Dict(_, fields)) => fields,
        _ => Dict::new(),
    };
    for (name, value) in own {
        let another = main && matches!(value, Value::Dict(..));
        if !another || is_table(name) {
            lay_over(&mut fields, name, value);
        }
    }
    fields
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

/// Where a value was read: a root that was asked for, and the way from there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    root: Vec<String>,
    base: OwnedBase,
    inner: Vec<String>,
}

#[derive(Clone, Debug)]
enum OwnedBase {
    Nothing,
    Text(String),
    Fields { fields: Dict, main: bool },
}

impl Place {
    pub(crate) fn new(root: &[String], base: Base<'_>, inner: &[String]) -> Self {
        let base = match base {
            Base::Nothing => OwnedBase::Nothing,
            Base::Text(text) => OwnedBase::Text(text.to_owned()),
            Base::Fields { fields, main } => OwnedBase::Fields { fields: fields.clone(), main },
        };
        Self { root: root.to_vec(), base, inner: inner.to_vec() }
    }

    pub(crate) fn root(&self) -> &[String] {
        &self.root
    }

    pub(crate) fn path(&self) -> Vec<String> {
        self.root.iter().chain(&self.inner).cloned().collect()
    }

    pub(crate) fn base(&self) -> Base<'_> {
        match &self.base {
            OwnedBase::Nothing => Base::Nothing,
            OwnedBase::Text(text) => Base::Text(text),
            OwnedBase::Fields { fields, main } => Base::Fields { fields, main: *main },
        }
    }

    /// The value at this place in a snapshot.
    pub(crate) fn value<'s>(&self, settings: &'s Settings) -> Result<Found<'s>, ConfigError> {
        let Some((mut value, origin)) = self.base().value(settings, &self.root)? else {
            return Ok(None);
        };
        for segment in &self.inner {
            match step(&value, segment) {
                Some(next) if !matches!(next, Value::Empty(..)) => value = Cow::Owned(next),
                _ => return Ok(None),
            }
        }
        Ok(Some((value, origin)))
    }
}

fn step(value: &Value, segment: &str) -> Option<Value> {
    if let Some(entries) = as_table(value) {
        return entries.get(segment).cloned();
    }
    as_list(value)?.get(segment.parse::<usize>().ok()?).cloned()
}
