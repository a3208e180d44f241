//! Where a backend is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Scheme, UnknownScheme, choose, redact_url};

/// Where a backend is: a URL of which the scheme chooses the backend, for a field `url` of a config section.
///
/// `Debug` shows it without credentials, as [`redacted`](Self::redacted) does; [`as_str`](Self::as_str) and what it serializes to
/// are complete.
///
/// ```
/// use gone_kit::BackendUrl;
///
/// let url: BackendUrl = "redis://:hunter2@cache:6379".into();
/// assert_eq!(url.redacted(), "redis://:***@cache:6379");
/// assert_eq!(url.as_str(), "redis://:hunter2@cache:6379");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackendUrl(String);

impl BackendUrl {
    /// The whole URL, with its credentials.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it may be shown, see [`redact_url`].
    pub fn redacted(&self) -> String {
        redact_url(&self.0)
    }

    /// Its scheme among those that a component knows, and what stands after the colon: see [`choose`].
    ///
    /// # Errors
    ///
    /// [`UnknownScheme`].
    pub fn choose(&self, known: &[Scheme]) -> Result<(&'static str, &str), UnknownScheme> {
        choose(&self.0, known)
    }
}

impl From<&str> for BackendUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl From<String> for BackendUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted().fmt(f)
    }
}

/// That of a text.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for BackendUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BackendUrl".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_without_its_password_and_serialized_with_it() {
        let url = BackendUrl::from("etcd://me:hunter2@host");
        assert_eq!(format!("{url:?}"), "\"etcd://me:***@host\"");
        assert_eq!(serde_json::to_string(&url).unwrap(), "\"etcd://me:hunter2@host\"");
        assert_eq!(serde_json::from_str::<BackendUrl>("\"etcd://me:hunter2@host\"").unwrap(), url);
    }
}
