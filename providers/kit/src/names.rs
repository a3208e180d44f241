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
    /// `value` is none of those allowed; `what` is what it should have been, such as `log level`.
    pub fn new(what: &'static str, value: &str, allowed: &'static [&'static str]) -> Self {
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

    /// The allowed name that is [nearest](nearest()) to the value, if one is near.
    pub fn near(&self) -> Option<&'static str> {
        nearest(&self.value, self.allowed)
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} {:?}", self.what, self.value)?;
        match self.near() {
            Some(near) => write!(f, ", did you mean `{near}`?")?,
            None => f.write_str(".")?,
        }
        for (index, name) in self.allowed.iter().enumerate() {
            write!(f, "{}`{name}`", if index == 0 { " Allowed: " } else { ", " })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownName {}

/// The known name nearest to a wrong one: within two edits, or where one begins as the other. Ties go by the alphabet.
///
/// Case and space around the name do not count. Two edits turn any short word into any other, so at least half of both must
/// stay; three letters are needed to begin alike.
///
/// ```
/// use gone_kit::nearest;
///
/// assert_eq!(nearest("Prodction", &["development", "production"]), Some("production"));
/// assert_eq!(nearest("dev", &["development", "production"]), Some("development"));
/// assert_eq!(nearest("staging", &["development", "production"]), None);
/// ```
pub fn nearest(wrong: &str, known: &[&'static str]) -> Option<&'static str> {
    let wrong = wrong.trim().to_lowercase();
    known
        .iter()
        .filter_map(|name| {
            let edits = edit_distance(&wrong, name);
            let shorter = wrong.len().min(name.len());
            let begins = shorter >= 3 && (wrong.starts_with(name) || name.starts_with(&wrong));
            let close = edits <= 2 && edits * 2 <= shorter;
            (begins || close).then_some((edits, *name))
        })
        .min()
        .map(|(_, name)| name)
}

/// An enum whose variants stand in a configuration as names: `Display`, `FromStr` with [`UnknownName`], serde as text, and where
/// the crate has a feature `schema`, `schemars::JsonSchema`.
///
/// ```
/// gone_kit::named! {
///     /// Which statements are logged.
///     #[derive(Clone, Copy, Debug, PartialEq)]
///     pub enum Statements ("log level") {
///         /// None.
///         Silent = "silent",
///         /// All.
///         All = "all",
///     }
/// }
///
/// assert_eq!("all".parse(), Ok(Statements::All));
/// let error = "loud".parse::<Statements>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown log level \"loud\". Allowed: `silent`, `all`");
/// ```
#[macro_export]
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
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $text => Ok(Self::$variant), )+
                    _ => Err($crate::UnknownName::new($what, text, Self::NAMES)),
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
                <String as serde::Deserialize>::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }

        #[allow(unexpected_cfgs, reason = "the crate may have no such feature")]
        const _: () = {
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
    };
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_two_edits_away_or_begins_alike() {
        let names = ["debug", "info", "warn", "error", "fatal"];
        for (wanted, near) in [
            ("INFO", Some("info")),
            ("inof", Some("info")),
            ("warning", Some("warn")),
            ("err", Some("error")),
            ("dbug", Some("debug")),
            ("wran", Some("warn")),
            ("verbose", None),
            ("en", None),
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
        let error = UnknownName::new("log level", "loud", &["debug"]);
        assert_eq!(error.to_string(), "unknown log level \"loud\". Allowed: `debug`");
    }
}
