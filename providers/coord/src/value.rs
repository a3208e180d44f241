//! Keys and values as they are stored.

use std::sync::Arc;

use gone_kit::HIDDEN;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::CoordError;
use crate::backend::Range;

/// The longest key.
const MAX_KEY: usize = 4 * 1024;
/// The longest value: what an etcd takes in one request by default is 1.5 MiB.
const MAX_VALUE: usize = 1024 * 1024;

/// A value as JSON.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Arc<[u8]>, CoordError> {
    let invalid = |reason| CoordError::Invalid { argument: "value", reason };
    let bytes = serde_json::to_vec(value).map_err(|error| invalid(format!("it cannot be written as JSON: {error}")))?;
    match bytes.len() {
        0..=MAX_VALUE => Ok(bytes.into()),
        length => Err(invalid(format!("it has {length} bytes; at most {MAX_VALUE} can be stored"))),
    }
}

/// What JSON says.
pub(crate) fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, CoordError> {
    serde_json::from_slice(bytes).map_err(|error| undecodable(key, &error))
}

/// The error for a value that cannot be read.
pub(crate) fn undecodable(key: &str, error: &serde_json::Error) -> CoordError {
    CoordError::Decode { key: key.to_owned(), reason: without_quotes(&error.to_string()) }
}

/// What a decoder says, without what it quotes of the value: text in double quotes, and, where it names the value that it has
/// met, the first text in backquotes.
fn without_quotes(message: &str) -> String {
    // Text may hold a double quote itself: only what follows the last one is sure to be the decoder's.
    let hidden = match (message.find('"'), message.rfind('"')) {
        (Some(begin), Some(end)) if begin < end => format!("{}{HIDDEN}{}", &message[..=begin], &message[end..]),
        _ => message.to_owned(),
    };
    let names_the_value = ["invalid type", "invalid value", "invalid length", "unknown variant"];
    if !names_the_value.iter().any(|begin| hidden.starts_with(begin)) {
        return hidden;
    }
    let mut parts = hidden.splitn(3, '`');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(before), Some(_), Some(after)) => format!("{before}`{HIDDEN}`{after}"),
        _ => hidden,
    }
}

/// Checks a key: absolute, of at most 4 KiB.
pub(crate) fn check_key(argument: &'static str, key: &str) -> Result<(), CoordError> {
    let invalid = |reason: String| Err(CoordError::Invalid { argument, reason });
    match key.len() {
        0 => invalid("it is empty".to_owned()),
        1..=MAX_KEY if key.starts_with('/') => Ok(()),
        1..=MAX_KEY => invalid(format!("{key:?} does not begin with a slash")),
        length => invalid(format!("it has {length} bytes; a key has at most {MAX_KEY}")),
    }
}

/// What a key stands for under watch: one that ends with a slash for all below it.
pub(crate) fn range_of(key: &str) -> Range {
    match key.ends_with('/') {
        true => Range::Prefix(key.to_owned()),
        false => Range::Key(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "only their decoding matters")]
    #[serde(deny_unknown_fields)]
    struct Server {
        port: u16,
        colour: Option<Colour>,
    }

    #[derive(Debug, serde::Deserialize)]
    enum Colour {
        Red,
    }

    #[test]
    fn an_error_quotes_nothing_of_the_value() {
        for (text, wanted) in [
            (r#"{"port": "hunter2"}"#, r#"invalid type: string "***", expected u16 at line 1 column 18"#),
            (r#"{"port": "hun\"ter2"}"#, r#"invalid type: string "***", expected u16 at line 1 column 20"#),
            (r#"{"port": 70000}"#, "invalid value: integer `***`, expected u16 at line 1 column 14"),
            (r#"{"port": 1, "colour": "hunter2"}"#, "unknown variant `***`, expected `Red` at line 1 column 31"),
            (r#"{}"#, "missing field `port` at line 1 column 2"),
            (r#"{"port""#, "EOF while parsing an object at line 1 column 7"),
        ] {
            match decode::<Server>("/a", text.as_bytes()) {
                Err(CoordError::Decode { key, reason }) => assert_eq!((key.as_str(), reason.as_str()), ("/a", wanted)),
                other => panic!("{other:?}"),
            }
        }
        let _ = Colour::Red;
    }

    #[test]
    fn a_key_is_absolute_and_not_without_end() {
        check_key("key", "/a").unwrap();
        check_key("key", &format!("/{}", "a".repeat(MAX_KEY - 1))).unwrap();
        for key in ["", "a", &format!("/{}", "a".repeat(MAX_KEY))] {
            assert!(matches!(check_key("key", key), Err(CoordError::Invalid { argument: "key", .. })), "{key}");
        }
    }

    #[test]
    fn a_value_is_not_without_end() {
        encode(&"a".repeat(MAX_VALUE - 2)).unwrap();
        assert!(matches!(encode(&"a".repeat(MAX_VALUE - 1)), Err(CoordError::Invalid { argument: "value", .. })));
    }
}
