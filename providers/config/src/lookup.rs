//! The extension text of a config tag: a key, and perhaps a default.

use crate::error::{ConfigError, ErrorKind};
use crate::key::{Key, shorten};

const FORMS: &str = "write `key`, `key=default` or `key,default=text`";

/// What a tag such as `#[gone("config,server.port=8080")]` asks for, read from the text after
/// `config,`: in the forms that [`ConfigProvider`](crate::ConfigProvider) lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    key: Key,
    default: Option<String>,
}

impl Lookup {
    /// Reads the extension text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadTag`] for an empty text, a missing key, or anything but `default=` after
    /// the key; [`ErrorKind::BadKey`] for a key that is none. No default is quoted.
    pub fn parse(extend: &str) -> Result<Self, ConfigError> {
        let (key, default) = match extend.find(['=', ',']) {
            None => (extend, None),
            Some(at) if extend[at..].starts_with('=') => (&extend[..at], Some(&extend[at + 1..])),
            Some(at) => (&extend[..at], Some(after_comma(&extend[..at], &extend[at + 1..])?)),
        };
        let key = key.trim();
        if key.is_empty() {
            return Err(bad(format!("it names no key; {FORMS}")));
        }
        Ok(Self { key: Key::parse(key)?, default: default.map(str::to_owned) })
    }

    /// The key that is asked for.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The default text, verbatim.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }
}

fn after_comma<'t>(key: &str, rest: &'t str) -> Result<&'t str, ConfigError> {
    if key.trim().is_empty() {
        return Err(bad(format!("it names no key; {FORMS}")));
    }
    let rest = rest.trim_start();
    if let Some(default) = rest.strip_prefix("default=") {
        return Ok(default);
    }
    // Only what comes before an `=` is quoted: after it may stand a secret.
    let extra = rest.split('=').next().unwrap_or_default().trim();
    Err(bad(if extra.is_empty() {
        format!("nothing follows the comma after `{}`; {FORMS}", shorten(key.trim()))
    } else {
        format!(
            "`{}` follows the key `{}`, and only one key is looked up; {FORMS}",
            shorten(extra),
            shorten(key.trim())
        )
    }))
}

fn bad(reason: String) -> ConfigError {
    ConfigError::new(ErrorKind::BadTag { reason })
}
