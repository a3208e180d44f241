//! What must not be read in a log.

use gone_kit::looks_secret;
use serde::{Deserialize, Serialize};

/// Which fields are hidden by their keys, besides those that always are.
///
/// A field is hidden, its value written as `***`, when its key [looks secret](gone_kit::looks_secret).
///
/// This holds for the fields of loggers, lines and spans, for those of `tracing`'s macros, and for
/// the keys inside of a [`Value::json`](crate::Value::json). Messages and the texts of errors are not looked through: a
/// secret has no place in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Redaction {
    /// Further keys, such as `iban`: the whole key, or what follows its last dot. Case, `_` and
    /// `-` make no difference. They are hidden on the lines of this log; another subscriber beside
    /// it knows only those that always are.
    pub keys: Vec<String>,
}

impl Redaction {
    /// What is wrong with it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let is_empty = |key: &String| letters(key).next().is_none();
        self.keys.iter().any(is_empty).then_some("it has a key without a letter or a digit in `keys`")
    }
}

/// Knows which keys are secret.
#[derive(Debug)]
pub(crate) struct Secrets {
    further: Vec<String>,
}

/// Those that always are, and no further ones.
pub(crate) static BUILT_IN: Secrets = Secrets { further: Vec::new() };

impl Secrets {
    pub(crate) fn new(redaction: &Redaction) -> Self {
        Self { further: redaction.keys.clone() }
    }

    /// Whether there are keys besides those that always are secret.
    pub(crate) fn has_further(&self) -> bool {
        !self.further.is_empty()
    }

    pub(crate) fn hides(&self, key: &str) -> bool {
        looks_secret(key) || self.further.iter().any(|further| is_same(further, key))
    }
}

/// Whether `key`, or what follows its last dot, is the same name but for case and separators.
fn is_same(further: &str, key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    letters(key).eq(letters(further)) || letters(last).eq(letters(further))
}

fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_keys_hide_the_whole_key_or_its_last_part() {
        let secrets = Secrets::new(&Redaction { keys: vec!["iban".to_owned(), "Phone-Number".to_owned()] });
        for key in ["iban", "IBAN", "user.iban", "phone_number", "phoneNumber"] {
            assert!(secrets.hides(key), "{key}");
        }
        for key in ["iban_country", "phone", "caliban"] {
            assert!(!secrets.hides(key), "{key}");
        }
    }
}
