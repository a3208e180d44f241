//! A value that is never shown.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// What is shown in the place of a secret, everywhere.
pub const HIDDEN: &str = "***";

/// The name under which a [`Secret`] asks a deserializer for its value, so that one that knows it can keep the value out of
/// its errors.
#[doc(hidden)]
pub const SECRET_NAME: &str = "gone::Secret";

/// A value that is never shown: a password, a token, a key.
///
/// It reads as a `T` does. `Debug` and `Display` show `***`, and so does what serde writes of it; an error about it does
/// not quote it, whatever its key is called. [`expose`](Self::expose) is the one way to the value.
///
/// ```
/// use gone_kit::Secret;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Login {
///     user: String,
///     phrase: Secret<String>,
/// }
///
/// let login: Login = serde_json::from_str(r#"{"user": "ada", "phrase": "hunter2"}"#)?;
/// assert_eq!(login.phrase.expose(), "hunter2");
/// assert_eq!(format!("{login:?}"), r#"Login { user: "ada", phrase: *** }"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Secrets are not compared: an `assert_eq!` that fails would show them.
///
/// ```compile_fail
/// use gone_kit::Secret;
///
/// assert!(Secret::new(1) == Secret::new(1));
/// ```
#[derive(Clone, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, taken out.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// That of the value.
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Secret_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<T>()
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET_NAME, SecretVisitor(PhantomData))
    }
}

struct SecretVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SecretVisitor<T> {
    type Value = Secret<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Secret<T>, D::Error> {
        // The error of `T` may quote the value.
        T::deserialize(deserializer).map(Secret).map_err(|_| de::Error::custom("a secret value does not fit its type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""***""#);
        assert_eq!(secret.into_exposed(), "hunter2");
    }

    #[test]
    fn an_error_about_a_secret_does_not_quote_it() {
        let error = serde_json::from_str::<Secret<u16>>(r#""hunter2""#).expect_err("no number");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        #[derive(Debug, serde::Deserialize)]
        enum Colour {
            Red,
        }
        let error = serde_json::from_str::<Secret<Colour>>(r#""hunter2""#).expect_err("no colour");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        let _ = Colour::Red;
    }
}
