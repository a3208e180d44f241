//! Which names are those of secrets.

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

/// Whether a name looks like that of a secret, so that its value must not be shown. Hiding too much costs a little comfort, hiding too
/// little costs a password, so every doubt is decided for hiding.
///
/// Letters count without case, and `-`, `.`, a space and the hump of `camelCase` count as `_`:
///
/// | where in the name | |
/// |---|---|
/// | anywhere | `password`, `passwd`, `passphrase`, `secret`, `credential`, `authorization`, `cookie`, `apikey`, `api_key`, `private_key` |
/// | as a word | `pass`, `pwd`, `token`, `tokens`, `dsn`, `jwt`, `bearer` |
/// | at its end | `access_key`, `signing_key`, `encryption_key`, `account_key` |
///
/// It allocates nothing.
pub fn looks_secret(name: &str) -> bool {
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
            assert!(looks_secret(key), "{key}");
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
            assert!(!looks_secret(key), "{key}");
        }
        let long = format!("{}.password", "x".repeat(10_000));
        assert!(looks_secret(&long));
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
}
