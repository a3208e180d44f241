//! `${VARIABLE}` in the text of a file.

use std::ffi::OsString;

/// Text in which variables were put in the place of references.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// The variables that were read, in order; not those that gave way to a default.
    pub(crate) variables: Vec<String>,
}

/// Why a reference cannot be followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unset(String),
    Bad(String),
}

const FORM: &str = "write `${VARIABLE}` or `${VARIABLE:default}`, and `$${` for the characters themselves";

/// Puts the values of variables in the place of `${NAME}` and `${NAME:default}`; `$${` stands for `${`.
///
/// A default goes to the next `}`. What a variable holds is not looked through again. `None` for a text without references.
pub(crate) fn expand(text: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<Expanded>, Fault> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut expanded = Expanded { text: String::with_capacity(text.len()), variables: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            expanded.text.push_str(before);
            expanded.text.push_str("${");
            rest = &reference[2..];
            continue;
        }
        expanded.text.push_str(before);
        let Some(end) = reference.find('}') else {
            return Err(Fault::Bad(format!("a reference is not closed: {FORM}")));
        };
        let (name, default) = match reference[2..end].split_once(':') {
            Some((name, default)) => (name, Some(default)),
            None => (&reference[2..end], None),
        };
        check(name)?;
        match (variable(name), default) {
            (Some(value), _) => {
                let not_text = |_| Fault::Bad(format!("the environment variable {name} is not valid Unicode"));
                expanded.text.push_str(&value.into_string().map_err(not_text)?);
                expanded.variables.push(name.to_owned());
            }
            (None, Some(default)) => expanded.text.push_str(default),
            (None, None) => return Err(Fault::Unset(name.to_owned())),
        }
        rest = &reference[end + 1..];
    }
    expanded.text.push_str(rest);
    Ok(Some(expanded))
}

/// The name is quoted only when it is one: what stands there in its place may be a secret.
fn check(name: &str) -> Result<(), Fault> {
    let first = name.bytes().next();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && first.is_some_and(|b| !b.is_ascii_digit()) && name.len() <= 255 {
        return Ok(());
    }
    Err(Fault::Bad(format!(
        "a reference names no variable, which is letters, digits and `_`, and begins with no digit: {FORM}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Fault> {
        let variable = |name: &str| match name {
            "HOST" => Some("db.internal".into()),
            "EMPTY" => Some("".into()),
            "REFERENCE" => Some("${HOST}".into()),
            _ => None,
        };
        expand(text, &variable).map(|expanded| expanded.map_or_else(|| text.to_owned(), |expanded| expanded.text))
    }

    #[test]
    fn references_stand_alone_or_inside_longer_text() {
        for (text, wanted) in [
            ("plain $ {text} $HOST", "plain $ {text} $HOST"),
            ("${HOST}", "db.internal"),
            ("a://${HOST}:${PORT:5432}/x", "a://db.internal:5432/x"),
            ("${HOST:other}", "db.internal"),
            ("${EMPTY:other}|${EMPTY}", "|"),
            ("${PORT:}", ""),
            ("${URL:a://b:c}", "a://b:c"),
            ("$${HOST}", "${HOST}"),
            ("$${", "${"),
            ("$$${HOST}", "$${HOST}"),
            ("cost: 5$ ${HOST}", "cost: 5$ db.internal"),
            ("${REFERENCE}", "${HOST}"),
            ("é${HOST}é", "édb.internalé"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_followed_says_why_and_quotes_no_text() {
        assert_eq!(expanded("x ${PORT}"), Err(Fault::Unset("PORT".to_owned())));
        for text in ["${", "a ${HOST", "${}", "${:x}", "${1A}", "${hunter2!}", "${ HOST }", "${${HOST}}"] {
            let Err(Fault::Bad(reason)) = expanded(text) else { panic!("{text} was taken") };
            assert!(reason.contains("`${VARIABLE:default}`") && !reason.contains("hunter2"), "{reason}");
        }
    }

    #[test]
    fn the_variables_that_were_read_are_named() {
        let read = |name: &str| (name == "A").then(|| "1".into());
        let expanded = expand("${A}${B:2}${A}", &read).expect("sound").expect("references");
        assert_eq!(
            (expanded.text.as_str(), expanded.variables.as_slice()),
            ("121", ["A".to_owned(), "A".to_owned()].as_slice())
        );
    }
}
