//! The config section of a component: its defaults, the check of its values, and how it is read.

use std::fmt;
use std::ops::RangeInclusive;

use figment::value::Value;
use gone_kit::{BackendUrl, Scheme, UnknownName, UnknownScheme};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Settings;
use crate::error::{ConfigError, ConfigErrors, ErrorKind};

/// The profiles that have defaults.
const PROFILES: &[&str] = &["development", "production"];

/// The settings of a component, as a section of the config.
///
/// The fields of the type are the keys of the section. It is meant to have `#[serde(default, deny_unknown_fields)]`: every key
/// may be left out, an unknown one is refused.
///
/// ```
/// use std::time::Duration;
///
/// use gone_config::{ConfigSource, Faults, Section};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct CacheConfig {
///     max_entries: u32,
///     #[serde(with = "gone_config::DurationText")]
///     ttl: Duration,
/// }
///
/// impl Default for CacheConfig {
///     fn default() -> Self {
///         Self { max_entries: 1_000, ttl: Duration::from_secs(60) }
///     }
/// }
///
/// impl Section for CacheConfig {
///     const NAME: &'static str = "cache";
///
///     fn production() -> Self {
///         Self { max_entries: 100_000, ..Self::default() }
///     }
///
///     fn check(&self, faults: &mut Faults) {
///         faults.within("max_entries", self.max_entries, 1..=10_000_000);
///         faults.within("ttl", self.ttl, Duration::from_millis(1)..=Duration::from_secs(86_400));
///     }
/// }
///
/// // `cache.sessions`, as it is asked for by `#[gone("*,sessions")]`.
/// let source = ConfigSource::hermetic().profile("production").set("cache.sessions.ttl", "5m");
/// let sessions: CacheConfig = source.read()?.instance("sessions")?;
/// assert_eq!((sessions.max_entries, sessions.ttl.as_secs()), (100_000, 300));
///
/// let error = ConfigSource::hermetic().set("cache.ttl", 0).read()?.instance::<CacheConfig>("").err().unwrap();
/// assert_eq!(error.to_string(), "config key `cache.ttl`: bad value `0`, set by the program; expected 1ms to 86400s");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Section: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The key of the section, such as `cache`.
    const NAME: &'static str;

    /// The defaults of the profile `production`. Those of `development` are the type's [`Default`].
    fn production() -> Self {
        Self::default()
    }

    /// Puts down everything in the section that cannot be used, in the order of the fields. No I/O.
    fn check(&self, faults: &mut Faults);

    /// The fields that a profile of another name than `development` and `production` has to set, see [`Settings::instance`]: those in
    /// which these two differ, unless said.
    const OPEN: Option<&'static [&'static str]> = None;

    /// Puts into the defaults what a variable says that the component knows by a name of its own ([`Settings::variable`]).
    /// Nothing, unless said.
    fn adjust(&mut self, settings: &Settings) {
        _ = settings;
    }

    /// The defaults of a profile, `"development"` or `"production"`.
    ///
    /// # Errors
    ///
    /// [`SectionFault::UnknownProfile`], with the name that was probably meant.
    fn for_profile(profile: &str) -> Result<Self, SectionError> {
        match profile {
            "development" => Ok(Self::default()),
            "production" => Ok(Self::production()),
            _ => Err(SectionFault::UnknownProfile(UnknownName::new("profile", profile, PROFILES)).into()),
        }
    }

    /// Checks every value against its bounds. No I/O.
    ///
    /// # Errors
    ///
    /// All that is wrong, in the order of the fields.
    fn validate(&self) -> Result<(), SectionError> {
        let mut faults = Faults(Vec::new());
        self.check(&mut faults);
        if faults.0.is_empty() { Ok(()) } else { Err(SectionError { faults: faults.0 }) }
    }
}

impl Settings {
    /// Reads and checks the section of a component over its defaults for the profile: the section itself (`db`) for the empty
    /// name, else the instance of that name (`db.sessions`), which must be there.
    ///
    /// A profile of another name than `development` and `production` has the defaults of `development`, provided that the
    /// section says itself what those two differ in: so a misspelt name is an error, and `staging` decides for itself.
    ///
    /// # Errors
    ///
    /// As [`component`](Self::component); of values that can be read, all that [`Section::check`] has put down, each with the
    /// place where it is set; [`ErrorKind::Unusable`] for a profile that leaves something open.
    pub fn instance<S: Section>(&self, name: &str) -> Result<S, ConfigErrors> {
        let defaults: S = self.defaults(name)?;
        let section = self.component(S::NAME, name, &defaults)?;
        section.validate().map_err(|error| self.located::<S>(name, &error))?;
        Ok(section)
    }

    /// What the section of an instance falls back to, as [`instance`](Self::instance) has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unusable`] for a profile that leaves something open.
    pub fn defaults<S: Section>(&self, name: &str) -> Result<S, ConfigErrors> {
        let mut defaults = S::for_profile(self.profile()).or_else(|error| {
            let section = key_of::<S>(name);
            let open = match S::OPEN {
                Some(fields) => fields.iter().map(|field| (*field).to_owned()).collect(),
                None => differences::<S>(),
            };
            let open: Vec<String> = open
                .into_iter()
                .map(|field| format!("{section}.{field}"))
                .filter(|key| self.origin(key).is_none())
                .collect();
            if open.is_empty() {
                return Ok(S::default());
            }
            let reason = format!("{error}. A profile of another name has to set `{}` in the config", open.join("`, `"));
            Err(ConfigErrors::from(ConfigError::new(ErrorKind::Unusable { reason }).keyed(section)))
        })?;
        defaults.adjust(self);
        Ok(defaults)
    }

    /// What is wrong with a section, as what is wrong with its keys: with where they are set.
    pub(crate) fn located<S: Section>(&self, name: &str, error: &SectionError) -> ConfigErrors {
        let section = key_of::<S>(name);
        error.faults.iter().map(|fault| self.key_error(&section, fault.clone())).collect()
    }

    fn key_error(&self, section: &str, fault: SectionFault) -> ConfigError {
        let Some(field) = fault.field() else {
            return ConfigError::new(ErrorKind::Unusable { reason: fault.to_string() }).keyed(section);
        };
        let path: Vec<String> = section.split('.').chain(field.split('.')).map(str::to_owned).collect();
        // As it is written, where it is: `0` and not `0ns`.
        let written = |value: String| match self.find(&path) {
            Ok(Some(written)) => written.into_owned(),
            _ => Value::from(value),
        };
        match fault {
            SectionFault::OutOfBounds { value, bounds, .. } => {
                self.invalid(&path, &written(value), None, None).expecting(bounds)
            }
            SectionFault::Unfit { value: Some(value), reason, .. } => {
                self.invalid(&path, &written(value), Some(reason), None)
            }
            SectionFault::Missing { expected, .. } => self.missing_at(&path).expecting(expected),
            fault => {
                let reason = match fault {
                    SectionFault::Unfit { reason, .. } => reason,
                    SectionFault::Scheme { error, .. } => error.to_string(),
                    other => other.to_string(),
                };
                self.invalid(&path, &Value::from(""), Some(reason), None).without_value()
            }
        }
    }
}

fn key_of<S: Section>(name: &str) -> String {
    if name.is_empty() { S::NAME.to_owned() } else { format!("{}.{name}", S::NAME) }
}

/// The fields in which the defaults of the two profiles differ.
fn differences<S: Section>() -> Vec<String> {
    let fields = |defaults: S| match Value::serialize(defaults) {
        Ok(Value::Dict(_, fields)) => fields,
        _ => Default::default(),
    };
    let (development, production) = (fields(S::default()), fields(S::production()));
    let differs = |(name, value): &(String, Value)| development.get(name) != Some(value);
    production.into_iter().filter(differs).map(|(name, _)| name).collect()
}

/// Where [`Section::check`] puts down what is wrong.
#[derive(Debug)]
pub struct Faults(Vec<SectionFault>);

impl Faults {
    /// A number or a duration is to be within its bounds.
    pub fn within<T: PartialOrd + fmt::Debug>(&mut self, field: &'static str, value: T, bounds: RangeInclusive<T>) {
        if !bounds.contains(&value) {
            let bounds = format!("{:?} to {:?}", bounds.start(), bounds.end());
            self.push(SectionFault::OutOfBounds { field, value: format!("{value:?}"), bounds });
        }
    }

    /// A text is to have so many characters.
    pub fn length(&mut self, field: &'static str, text: &str, bounds: RangeInclusive<usize>) {
        let length = text.chars().count();
        if !bounds.contains(&length) {
            let bounds = format!("{} to {} characters", bounds.start(), bounds.end());
            self.push(SectionFault::OutOfBounds { field, value: format!("{length} characters long"), bounds });
        }
    }

    /// A URL is to have the scheme of a backend that is compiled in, which is returned with what stands after the colon.
    pub fn scheme<'u>(
        &mut self,
        field: &'static str,
        url: &'u BackendUrl,
        known: &[Scheme],
    ) -> Option<(&'static str, &'u str)> {
        url.choose(known).map_err(|error| self.push(SectionFault::Scheme { field, error })).ok()
    }

    /// Anything else.
    pub fn push(&mut self, fault: SectionFault) {
        self.0.push(fault);
    }
}

/// A config section cannot be used: all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionError {
    faults: Vec<SectionFault>,
}

impl SectionError {
    /// What is wrong, in the order of the fields; at least one.
    pub fn faults(&self) -> &[SectionFault] {
        &self.faults
    }
}

/// Of the field `url`.
impl From<UnknownScheme> for SectionError {
    fn from(error: UnknownScheme) -> Self {
        SectionFault::Scheme { field: "url", error }.into()
    }
}

impl From<SectionFault> for SectionError {
    fn from(fault: SectionFault) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for SectionError {}

/// One value of a config section that cannot be used. Names the field, the value and what would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SectionFault {
    /// A value is out of its bounds.
    #[error("`{field}` is {value}; it must be {bounds}")]
    OutOfBounds {
        /// The field; one in a table of the section by its path, `tls.ca_file`.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        bounds: String,
    },
    /// A value has another form than it must have.
    #[error("`{field}`{}: {reason}", value.as_ref().map_or(String::new(), |value| format!(" is {value}")))]
    Unfit {
        /// The field.
        field: &'static str,
        /// What it is; `None` where it may be a secret, or is too long to be told.
        value: Option<String>,
        /// What is wrong with it, and what would do, as a sentence.
        reason: String,
    },
    /// A value is needed and not set.
    #[error("`{field}` is not set; it must be {expected}")]
    Missing {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: String,
    },
    /// No backend of this build serves a URL.
    #[error("`{field}`: {error}")]
    Scheme {
        /// The field.
        field: &'static str,
        /// Why none does.
        error: UnknownScheme,
    },
    /// A profile that has no defaults.
    #[error(transparent)]
    UnknownProfile(UnknownName),
}

impl SectionFault {
    /// The field that is to blame; `None` for a profile.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::OutOfBounds { field, .. }
            | Self::Unfit { field, .. }
            | Self::Missing { field, .. }
            | Self::Scheme { field, .. } => Some(field),
            Self::UnknownProfile(_) => None,
        }
    }

    /// A value that has another form than it must have, told with the value.
    pub fn unfit(field: &'static str, value: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self::Unfit { field, value: Some(value.to_string()), reason: reason.into() }
    }

    /// As [`unfit`](Self::unfit), where the value is not told: it may hold a secret.
    pub fn hidden(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Unfit { field, value: None, reason: reason.into() }
    }
}
