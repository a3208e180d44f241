//! Keys: dotted snake_case names, and their environment variables.

use std::fmt;

use crate::error::{ConfigError, ErrorKind};

/// The longest key that is accepted, in bytes.
const KEY_LIMIT: usize = 255;
/// The most segments that a key may have.
const SEGMENT_LIMIT: usize = 16;

/// What every environment variable of ours begins with.
pub(crate) const PREFIX: &str = "GONE_";
/// The variable that names the profile.
pub(crate) const PROFILE_VARIABLE: &str = "GONE_PROFILE";
/// The variable that names the folder, or the file, to read.
pub(crate) const CONFIG_VARIABLE: &str = "GONE_CONFIG";

/// The name of a config value: snake_case segments joined by dots, such as `server.max_body`.
///
/// A segment holds `a` to `z`, `0` to `9` and single underscores inside it. `__` is kept for the
/// dot in environment variables, so every key has exactly one variable and the reverse. A key has
/// at most 16 segments and 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Reads a key from its text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadKey`] when the text is not a key; it says what is allowed, and offers the
    /// nearest spelling that is.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match fault_of(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => {
                let mut error = ConfigError::new(ErrorKind::BadKey { reason }).keyed(shorten(text));
                if let Some(near) = respelled(text) {
                    error = error.near_names([near]);
                }
                Err(error)
            }
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// The environment variable that sets this key: `server.max_body` is `GONE_SERVER__MAX_BODY`.
    ///
    /// `None` for the keys `profile` and `config`, whose variables are reserved.
    pub fn variable(&self) -> Option<String> {
        let name = format!("{PREFIX}{}", self.0.replace('.', "__").to_ascii_uppercase());
        (name != PROFILE_VARIABLE && name != CONFIG_VARIABLE).then_some(name)
    }

    pub(crate) fn path(&self) -> Vec<String> {
        self.segments().map(str::to_owned).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text)
    }
}

/// A path as text: segments joined by dots, those that are not plain names in quotes.
pub(crate) fn dotted(path: &[String]) -> String {
    let mut text = String::new();
    for (index, segment) in path.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        let plain = !segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if plain {
            text.push_str(segment);
        } else {
            text.push_str(&format!("{segment:?}"));
        }
    }
    text
}

fn fault_of(text: &str) -> Option<String> {
    const ALLOWED: &str = "a key is snake_case segments joined by dots, each of `a` to `z`, `0` to \
                           `9` and single underscores inside, such as `server.max_body`";
    if text.is_empty() {
        return Some(format!("the key is empty: {ALLOWED}"));
    }
    if text.len() > KEY_LIMIT || text.split('.').count() > SEGMENT_LIMIT {
        return Some(format!("the key is too long: at most {SEGMENT_LIMIT} segments and {KEY_LIMIT} bytes"));
    }
    text.split('.').find_map(|segment| {
        if segment.is_empty() {
            return Some(format!("a segment is empty: {ALLOWED}"));
        }
        if let Some(c) = segment.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')) {
            return Some(format!("{c:?} is not allowed: {ALLOWED}"));
        }
        let doubtful = segment.starts_with('_') || segment.ends_with('_') || segment.contains("__");
        doubtful.then(|| {
            format!(
                "`{segment}` could not be told from a dot, which is `__` in environment \
                 variables: {ALLOWED}"
            )
        })
    })
}

/// The text with the usual other spellings undone, if that makes a key of it.
fn respelled(text: &str) -> Option<String> {
    let near = text.trim().replace(['-', ' '], "_").to_ascii_lowercase();
    fault_of(&near).is_none().then_some(near)
}

/// The text, cut to what fits a message.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
