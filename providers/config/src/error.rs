//! What is wrong with a config, as data and as a sentence.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::key::{Key, dotted};
use crate::nearness;
use crate::origin::Origin;

/// One thing that is wrong with the config: what, where it was set, and what was wanted.
///
/// No message and no field of it holds a secret: see [`value`](Self::value).
#[derive(Debug)]
pub struct ConfigError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    key: Option<String>,
    value: Option<Found>,
    origin: Option<Origin>,
    expected: Option<String>,
    near: Vec<NearKey>,
    overridden: Vec<Origin>,
}

/// What stood in the place of the value that was wanted.
#[derive(Debug)]
pub(crate) enum Found {
    /// Text that may be shown.
    Shown(String),
    /// A table or a list, in words.
    Shape(&'static str),
}

/// What kind of thing is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A key that is required is set nowhere.
    #[error("is missing")]
    Missing,
    /// A value cannot become the type that is wanted.
    #[error("has a bad value")]
    Invalid {
        /// Why not, where more can be said than what was expected. Never quotes a secret.
        reason: Option<String>,
    },
    /// A section cannot be used as a whole.
    #[error("{reason}")]
    Unusable {
        /// Why not.
        reason: String,
    },
    /// A section holds a key that its type does not know.
    #[error("is unknown")]
    UnknownKey,
    /// A key is set in a section of which others are asked for, and nobody asks for it.
    #[error("set, and nobody asks for it")]
    Unasked,
    /// A text is not a key.
    #[error("is not a key: {reason}")]
    BadKey {
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// The extension text of a tag cannot be read. The default in it is never quoted.
    #[error("the tag cannot be read: {reason}")]
    BadTag {
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// An environment variable of ours cannot be read.
    #[error("environment variable {variable} cannot be used: {reason}")]
    BadVariable {
        /// The variable's name; what is not Unicode in it is replaced.
        variable: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// Two environment variables set the same key, or one sets a key and another a part of it.
    #[error("environment variables {first} and {second} both set it; keep one of them")]
    Conflict {
        /// The variable of the shorter key.
        first: String,
        /// The other variable.
        second: String,
    },
    /// The profile's name is not usable as part of a file name.
    #[error("the profile {profile:?} is not a name of `a` to `z`, `0` to `9`, `-` and `_`")]
    BadProfile {
        /// The name as given.
        profile: String,
    },
    /// `GONE_CONFIG` names what does not exist.
    #[error("GONE_CONFIG names {}, which does not exist", path.display())]
    NotFound {
        /// The path, made absolute against the folder.
        path: PathBuf,
    },
    /// A config file cannot be read.
    #[error("config file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A config file that was there is gone.
    #[error("config file {} was there and is gone; its last good values stay", path.display())]
    Vanished {
        /// The file.
        path: PathBuf,
    },
    /// A file refers to an environment variable that is not set, without a default.
    #[error(
        "refers to the environment variable {variable}, which is not set; set it, or write `${{{variable}:default}}`"
    )]
    UnsetVariable {
        /// The variable's name.
        variable: String,
    },
    /// A reference to an environment variable cannot be read. The text around it is not quoted.
    #[error("{reason}")]
    BadReference {
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// A config file is larger than 1 MiB.
    #[error("config file {} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// A config file is not TOML.
    #[error("config file is not valid TOML: {reason}")]
    Syntax {
        /// What the parser says; it does not quote the line.
        reason: String,
    },
    /// A value that the program or a provider sets cannot be expressed in config.
    #[error("cannot be expressed as a config value")]
    Unserializable {
        /// What serde says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A key that is near one that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearKey {
    /// The key, in full.
    pub key: String,
    /// Where it is set; `None` when it is only allowed, not set.
    pub origin: Option<Origin>,
}

impl ConfigError {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            key: None,
            value: None,
            origin: None,
            expected: None,
            near: Vec::new(),
            overridden: Vec::new(),
        }))
    }

    pub(crate) fn keyed(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    pub(crate) fn found(mut self, value: Found) -> Self {
        self.0.value = Some(value);
        self
    }

    pub(crate) fn without_value(mut self) -> Self {
        self.0.value = None;
        self
    }

    pub(crate) fn at(mut self, origin: Option<Origin>) -> Self {
        self.0.origin = origin;
        self
    }

    pub(crate) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    pub(crate) fn near_keys(mut self, near: Vec<NearKey>) -> Self {
        self.0.near = near;
        self
    }

    pub(crate) fn near_names(self, names: impl IntoIterator<Item = String>) -> Self {
        let near = names.into_iter().map(|key| NearKey { key, origin: None });
        self.near_keys(near.collect())
    }

    /// The fields that are near the unknown last segment of `path`, as full keys.
    pub(crate) fn near_fields(self, path: &[String], fields: &[&str]) -> Self {
        let Some((last, table)) = path.split_last() else {
            return self;
        };
        let near = nearness::near(last, fields.iter().copied());
        let full = near.into_iter().map(|field| {
            let mut path = table.to_vec();
            path.push(field.to_owned());
            dotted(&path)
        });
        let full: Vec<String> = full.collect();
        self.near_names(full)
    }

    pub(crate) fn hiding(mut self, overridden: Vec<Origin>) -> Self {
        self.0.overridden = overridden;
        self
    }

    /// What kind of thing is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The key that it is about, dotted; `None` when it is about a whole file or the environment.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The value that was found, as text; tables and lists in words only.
    ///
    /// It reads `***` when a segment of the key looks secret (`password`, `token`, `dsn`, …), and
    /// when it was read into a [`Secret`](crate::Secret), whatever the key; the password in a URL is
    /// hidden in the same way. Long text is cut.
    pub fn value(&self) -> Option<&str> {
        match self.0.value.as_ref()? {
            Found::Shown(text) => Some(text),
            Found::Shape(shape) => Some(shape),
        }
    }

    /// Whether the value is text, and not a shape in words.
    pub(crate) fn shows_text(&self) -> bool {
        matches!(self.0.value, Some(Found::Shown(_)))
    }

    /// Where the value, the unknown key or the fault in a file stands.
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// What was expected in its place, in words.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// Keys that may have been meant, nearest first, at most five.
    pub fn near(&self) -> &[NearKey] {
        &self.0.near
    }

    /// Where else the key is set, in weaker layers, strongest first.
    pub fn overridden(&self) -> &[Origin] {
        &self.0.overridden
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, key, value, origin, expected, near, overridden } = &*self.0;
        if let Some(key) = key {
            write!(f, "config key `{key}`: ")?;
        }
        match (kind, key) {
            (ErrorKind::Invalid { .. }, _) => match value {
                Some(Found::Shown(text)) => write!(f, "bad value `{}`", text.escape_debug())?,
                Some(Found::Shape(shape)) => write!(f, "{shape} in its place")?,
                None => f.write_str("bad value")?,
            },
            (ErrorKind::Missing, _) => f.write_str("missing")?,
            (ErrorKind::UnknownKey, _) => f.write_str("unknown")?,
            (ErrorKind::Unasked, _) => f.write_str("set, and nobody asks for it")?,
            (kind, _) => write!(f, "{kind}")?,
        }
        if let Some(origin) = origin {
            match origin {
                Origin::Program | Origin::Override => write!(f, ", {origin}")?,
                _ => write!(f, ", from {origin}")?,
            }
        }
        if let Some(expected) = expected {
            write!(f, "; expected {expected}")?;
        }
        if let ErrorKind::Invalid { reason: Some(reason) } = kind {
            write!(f, ", but {reason}")?;
        }
        if let (ErrorKind::Missing, Some(key)) = (kind, key) {
            write!(f, "; set it in gone.toml")?;
            if let Some(variable) = Key::parse(key).ok().and_then(|key| key.variable()) {
                write!(f, " or as {variable}")?;
            }
        }
        for (index, NearKey { key, origin }) in near.iter().enumerate() {
            f.write_str(if index == 0 { "; near it: " } else { ", " })?;
            write!(f, "`{key}`")?;
            if let Some(origin) = origin {
                write!(f, " ({origin})")?;
            }
        }
        for (index, origin) in overridden.iter().enumerate() {
            f.write_str(if index == 0 { "; it overrides: " } else { ", " })?;
            write!(f, "{origin}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.kind)
    }
}

/// All that is wrong with a config, sorted by key and then by message.
#[derive(Debug, Default)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The errors, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none. [`ConfigSource::read`](crate::ConfigSource::read) never fails with
    /// none; a collection of one's own may be empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<ConfigError> for ConfigErrors {
    fn from_iter<I: IntoIterator<Item = ConfigError>>(errors: I) -> Self {
        let mut errors: Vec<ConfigError> = errors.into_iter().collect();
        errors.sort_by_cached_key(|error| (error.0.key.clone(), error.to_string()));
        Self(errors)
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
