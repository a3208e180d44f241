//! What must not be read in a log.

use serde::{Deserialize, Serialize};

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// Which fields are hidden by their keys, besides those that always are.
///
/// A field is hidden, its value written as `***`, when its key looks secret. Letters count without
/// case, and `-`, `.`, a space and the hump of `camelCase` count as `_`:
///
/// | where in the key | |
/// |---|---|
/// | anywhere | `password`, `passwd`, `passphrase`, `secret`, `credential`, `authorization`, `cookie`, `apikey`, `api_key`, `private_key` |
/// | as a word | `pass`, `pwd`, `token`, `tokens`, `dsn`, `jwt`, `bearer` |
/// | at its end | `access_key`, `signing_key`, `encryption_key`, `account_key` |
///
/// This holds for the fields of loggers, lines and spans, for those of `tracing`'s macros, and for
/// the keys inside of a [`Value::json`](crate::Value::json). Messages and the texts of errors are not looked through: a
/// secret has no place in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        self.keys.iter().any(is_empty).then_some("has a key without a letter or a digit in `keys`")
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

/// Found anywhere in a name, these make it secret.
const FRAGMENTS: [&[u8]; 10] = [
    b"password",
    b"passwd",
    b"passphrase",
    b"private_key",
    b"secret",
    b"credential",
    b"cookie",
    b"authorization",
    b"api_key",
    b"apikey",
];
/// As a whole word of a name, these make it secret.
const WORDS: [&[u8]; 7] = [b"pass", b"pwd", b"token", b"tokens", b"dsn", b"jwt", b"bearer"];
/// At the end of a name, these make it secret.
const ENDINGS: [&[u8]; 4] = [b"access_key", b"signing_key", b"encryption_key", b"account_key"];

/// A longer name is looked at by its end: a key of this length is none that somebody chose.
const LONGEST: usize = 128;

/// The letters of a name as a set, of which each letter is one bit.
const fn letter_set(name: &[u8]) -> u32 {
    let (mut set, mut at) = (0, 0);
    while at < name.len() {
        // Both cases of a letter have the same five bits; other characters may look like one, which
        // only means that the name is looked at.
        set |= 1 << (name[at] & 31);
        at += 1;
    }
    set
}

/// The letters that a name must have at the least, for each of those above. Separators are left
/// out: they have several spellings.
const NEEDED: [u32; 16] = [
    letter_set(b"password"),
    letter_set(b"passwd"),
    letter_set(b"passphrase"),
    letter_set(b"privatekey"),
    letter_set(b"secret"),
    letter_set(b"credential"),
    letter_set(b"cookie"),
    letter_set(b"authorization"),
    letter_set(b"apikey"),
    letter_set(b"pas"),
    letter_set(b"pwd"),
    letter_set(b"token"),
    letter_set(b"dsn"),
    letter_set(b"jwt"),
    letter_set(b"bearer"),
    // All the endings.
    letter_set(b"key"),
];

fn looks_secret(name: &str) -> bool {
    let bytes = name.as_bytes();
    let letters = letter_set(bytes);
    if !NEEDED.iter().any(|needed| letters & needed == *needed) {
        return false;
    }
    let mut plain = [0_u8; 2 * LONGEST];
    let (mut length, mut after_lower) = (0, false);
    for byte in &bytes[bytes.len().saturating_sub(LONGEST)..] {
        if byte.is_ascii_uppercase() && after_lower {
            plain[length] = b'_';
            length += 1;
        }
        after_lower = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        plain[length] = match byte {
            b'-' | b'.' | b' ' => b'_',
            byte => byte.to_ascii_lowercase(),
        };
        length += 1;
    }
    let plain = &plain[..length];
    let has_fragment = (0..length).any(|at| {
        matches!(plain[at], b'p' | b's' | b'c' | b'a') && FRAGMENTS.iter().any(|part| plain[at..].starts_with(part))
    });
    has_fragment
        || ENDINGS.iter().any(|end| plain.ends_with(end))
        || plain.split(|byte| *byte == b'_').any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_looks_secret_is_hidden_whatever_its_spelling() {
        for key in [
            "password",
            "Password",
            "db_password",
            "userPassword",
            "password_hash",
            "DB_PASSWD",
            "clientSecret",
            "secrets",
            "token",
            "access_token",
            "accessToken",
            "refresh-token",
            "Authorization",
            "proxy-authorization",
            "x-api-key",
            "apiKey",
            "apikey",
            "private_key",
            "set-cookie",
            "aws.access_key",
            "jwt",
            "pwd",
            "user.pass",
            "credentials",
            "dsn",
            "bearer",
        ] {
            assert!(BUILT_IN.hides(key), "{key}");
        }
        for key in [
            "user",
            "id",
            "passenger",
            "compass",
            "tokenizer",
            "key",
            "cache_key",
            "keyspace",
            "author",
            "path",
            "",
            "é",
        ] {
            assert!(!BUILT_IN.hides(key), "{key}");
        }
        let long = format!("{}.password", "x".repeat(10_000));
        assert!(BUILT_IN.hides(&long));
    }

    #[test]
    fn no_name_that_is_to_be_hidden_is_taken_for_harmless_by_its_letters() {
        for needle in FRAGMENTS.iter().chain(&WORDS).chain(&ENDINGS) {
            let needle = std::str::from_utf8(needle).unwrap();
            for name in [needle.to_owned(), needle.to_uppercase(), needle.replace('_', "-"), needle.replace('_', ".")] {
                assert!(looks_secret(&name), "{name}");
            }
        }
    }

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
