//! A value that is never shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::secrets::HIDDEN;
use crate::value::Value;

/// A value that is in use and never in a log: `Debug`, `Display`, serde and a field show `***`.
///
/// ```
/// use gone_clog::Secret;
///
/// let card = Secret::new("4000 0012 3456 7899".to_owned());
/// tracing::info!(%card, "paid"); // card: "***"
/// assert_eq!(format!("{card:?}"), "***");
/// assert!(card.expose().ends_with("7899"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Keeps a value from being shown.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, given away.
    pub fn into_inner(self) -> T {
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

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(HIDDEN)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self)
    }
}

impl<T> From<Secret<T>> for Value {
    fn from(_: Secret<T>) -> Self {
        Value::secret()
    }
}

impl<T> From<&Secret<T>> for Value {
    fn from(_: &Secret<T>) -> Self {
        Value::secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_its_value() {
        let secret: Secret<String> = serde_json::from_str("\"swordfish\"").unwrap();
        assert_eq!(secret.expose(), "swordfish");
        for shown in [
            format!("{secret}"),
            format!("{secret:?}"),
            format!("{:#?}", Some(&secret)),
            serde_json::to_string(&secret).unwrap(),
            format!("{:?}", Value::from(&secret)),
            format!("{:?}", Value::json(&[&secret])),
        ] {
            assert!(!shown.contains("swordfish"), "{shown}");
        }
    }
}
