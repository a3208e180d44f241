//! Names that stand in a configuration, and the mistakes made in them.

use std::fmt;

use gone_core::edit_distance;

/// A name that is not one of those allowed in its place.
///
/// The message names the value, the allowed ones, and the one that is near it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    what: &'static str,
    value: String,
    allowed: &'static [&'static str],
}

/// How much of a wrong value is kept for the message, in characters.
const KEPT: usize = 64;

impl UnknownName {
    pub(crate) fn new(what: &'static str, value: &str, allowed: &'static [&'static str]) -> Self {
        Self { what, value: value.chars().take(KEPT).collect(), allowed }
    }

    /// The value as written, cut after 64 characters.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The names that are allowed here.
    pub fn allowed(&self) -> &'static [&'static str] {
        self.allowed
    }

    /// The allowed name that is near the value: within two edits, or the one begins as the other.
    pub fn near(&self) -> Option<&'static str> {
        nearest(&self.value, self.allowed)
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} {:?}", self.what, self.value)?;
        if let Some(near) = self.near() {
            write!(f, ", did you mean `{near}`?")?;
        }
        for (index, name) in self.allowed.iter().enumerate() {
            write!(f, "{}`{name}`", if index == 0 { " Allowed: " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownName {}

/// The name nearest to `wanted`, without regard to case.
pub(crate) fn nearest(wanted: &str, names: &[&'static str]) -> Option<&'static str> {
    let wanted = wanted.trim().to_lowercase();
    names
        .iter()
        .filter_map(|name| {
            let edits = edit_distance(&wanted, name);
            let shorter = wanted.len().min(name.len());
            let begins = shorter >= 3 && (wanted.starts_with(name) || name.starts_with(&wanted));
            // Edits must leave something of the name, or anything is near anything.
            let close = edits <= 2 && edits < shorter;
            (begins || close).then_some((edits, *name))
        })
        .min()
        .map(|(_, name)| name)
}

/// An enum whose variants are written as names: `Display`, `FromStr`, serde as text.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident ($what:literal) {
            $( $(#[$variant_attribute:meta])* $variant:ident = $text:literal, )+
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $( $(#[$variant_attribute])* $variant, )+
        }

        impl $name {
            const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name as it is written in a configuration.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $text => Ok(Self::$variant), )+
                    _ => Err($crate::names::UnknownName::new($what, text, Self::NAMES)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": Self::NAMES })
            }
        }
    };
}
pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_two_edits_away_or_begins_the_same() {
        let names = ["debug", "info", "warn", "error", "fatal"];
        for (wanted, near) in [
            ("INFO", Some("info")),
            ("inof", Some("info")),
            ("warning", Some("warn")),
            ("err", Some("error")),
            ("dbug", Some("debug")),
            ("verbose", None),
            ("in", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, &names), near, "{wanted}");
        }
    }

    #[test]
    fn the_message_names_the_value_the_near_name_and_all_allowed_ones() {
        let error = UnknownName::new("log level", "warning", &["debug", "warn"]);
        assert_eq!(error.to_string(), "unknown log level \"warning\", did you mean `warn`? Allowed: `debug`, `warn`");
        let error = UnknownName::new("log level", &"x".repeat(1_000), &["debug"]);
        assert_eq!(error.value().len(), KEPT);
        assert_eq!(error.near(), None);
    }
}
