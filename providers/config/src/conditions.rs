//! Conditions for loading that ask the config: see `Spec::when`.

use std::fmt;

use gone_core::{Condition, Error, Result, Sources};
use serde::de::DeserializeOwned;

use crate::Key;
use crate::error::ConfigError;
use crate::key::dotted;
use crate::secrecy;
use crate::settings::Settings;

/// Holds under that profile.
///
/// ```
/// use gone_config::profile;
/// # use gone_core::{Goner, value};
/// # fn load(loader: &mut gone_core::Loader) {
/// loader.load(value("http://localhost".to_owned()).when(profile("development")));
/// # }
/// ```
pub fn profile(name: impl Into<String>) -> impl Condition {
    Profile(name.into())
}

/// Holds where a key is set, or a section has at least one that is.
///
/// A text that is no key is a problem of the plan.
pub fn is_set(key: impl Into<String>) -> impl Condition {
    IsSet(key.into())
}

/// Holds where a key is set to that value. A value that cannot be read as the type of the wanted one is a problem of the plan.
///
/// ```
/// use gone_config::equals;
/// # use gone_core::{Goner, value};
/// # fn load(loader: &mut gone_core::Loader) {
/// loader.load(value(7_u8).when(equals("cache.enabled", true)));
/// # }
/// ```
pub fn equals<T>(key: impl Into<String>, wanted: T) -> impl Condition
where
    T: DeserializeOwned + PartialEq + fmt::Debug + Send + Sync + 'static,
{
    Equals(key.into(), wanted)
}

/// Holds where another condition does not.
pub fn not(condition: impl Condition) -> impl Condition {
    Not(condition)
}

struct Profile(String);

impl Condition for Profile {
    fn holds(&self, sources: &Sources) -> Result<bool> {
        Ok(settings(sources)?.profile() == self.0)
    }

    fn why_not(&self, sources: &Sources) -> Option<String> {
        Some(format!("the profile is `{}`, not `{}`", settings(sources).ok()?.profile(), self.0))
    }
}

struct IsSet(String);

impl Condition for IsSet {
    fn holds(&self, sources: &Sources) -> Result<bool> {
        let settings = settings(sources)?;
        let key = Key::parse(&self.0).map_err(ConfigError::into_error)?;
        settings.hub().asked.key(&key.path(), None);
        Ok(settings.find(&key.path()).map_err(ConfigError::into_error)?.is_some())
    }

    fn why_not(&self, _: &Sources) -> Option<String> {
        Some(format!("config key `{}` is not set", self.0))
    }
}

struct Equals<T>(String, T);

impl<T: DeserializeOwned + PartialEq + fmt::Debug + Send + Sync + 'static> Condition for Equals<T> {
    fn holds(&self, sources: &Sources) -> Result<bool> {
        let Self(key, wanted) = self;
        let found: Option<T> = settings(sources)?.get(key).map_err(ConfigError::into_error)?;
        Ok(found.as_ref() == Some(wanted))
    }

    fn why_not(&self, sources: &Sources) -> Option<String> {
        let Self(key, wanted) = self;
        let settings = settings(sources).ok()?;
        let path = Key::parse(key).ok()?.path();
        let Some(origin) = settings.origin_at(&path) else {
            return Some(format!("config key `{key}` is not set, and `{wanted:?}` is wanted"));
        };
        // Of a secret not even what it was compared with is told.
        let hidden = secrecy::is_secret(&path) || settings.hub().secrets.touch(&path);
        let wanted = if hidden { secrecy::HIDDEN.to_owned() } else { format!("{wanted:?}") };
        Some(format!("config key `{}` is not `{wanted}`: {origin}", dotted(&path)))
    }
}

struct Not<C>(C);

impl<C: Condition> Condition for Not<C> {
    fn holds(&self, sources: &Sources) -> Result<bool> {
        self.0.holds(sources).map(|holds| !holds)
    }
}

fn settings(sources: &Sources) -> Result<&Settings> {
    sources.get::<Settings>().ok_or_else(|| Error::msg("no config is loaded that the condition could ask"))
}
