//! Keeping secrets out of messages.
//!
//! Hiding too much costs a little comfort, hiding too little costs a password, so every doubt is
//! decided for hiding.

use figment::value::Value;
use gone_kit::looks_secret;

use crate::key::shorten;
use crate::secrets::Secrets;
use crate::value::{json, leaf_text};

pub(crate) use gone_kit::HIDDEN;

/// Whether what stands under this path is to be hidden: one of its names looks secret.
pub(crate) fn is_secret(path: &[String]) -> bool {
    path.iter().any(|segment| looks_secret(segment))
}

/// A text value as it may be shown.
pub(crate) fn shown(path: &[String], text: &str) -> String {
    if is_secret(path) {
        return HIDDEN.to_owned();
    }
    // JSON text holds names of its own; with a secret one among them none of it is shown.
    if text.trim_start().starts_with(['{', '[']) && words_of(text).any(looks_secret) {
        return HIDDEN.to_owned();
    }
    shorten(&hide_parameters(&hide_url_passwords(text)))
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
}

/// `scheme://user:password@host` with the password hidden.
///
/// A password may itself hold `/`, `?` or `@`, so all from the first colon after `//` to the last
/// `@` of the word goes.
fn hide_url_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        let end = after.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(after.len());
        let (word, tail) = after.split_at(end);
        shown.push_str(before);
        match (word.find(':'), word.rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                shown.push_str(&word[..=colon]);
                shown.push_str(HIDDEN);
                shown.push_str(&word[at..]);
            }
            _ => shown.push_str(word),
        }
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

/// `name=value` pairs, as in a query or a connection string, with secret ones hidden.
fn hide_parameters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| matches!(c, '?' | '&' | ';' | ',') || c.is_whitespace()) {
        let name = part.split('=').next().unwrap_or_default();
        if name.len() < part.len() && looks_secret(name) {
            let end = part.trim_end_matches(|c: char| matches!(c, '?' | '&' | ';' | ',') || c.is_whitespace());
            shown.push_str(name);
            shown.push('=');
            shown.push_str(HIDDEN);
            shown.push_str(&part[end.len()..]);
        } else {
            shown.push_str(part);
        }
    }
    shown
}

/// A message from a type's own code, with every secret of the value that it read taken out.
///
/// `None` when the whole value is secret: such a message could quote any part of it.
pub(crate) fn cleaned(path: &[String], value: &Value, message: &str, known: &Secrets) -> Option<String> {
    if is_secret(path) {
        return None;
    }
    let mut secrets = Vec::new();
    collect(&mut path.to_vec(), value, known, &mut secrets);
    // Longest first: a secret may be a part of another.
    secrets.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let mut message = message.to_owned();
    for (raw, shown) in &secrets {
        message = message.replace(raw.as_str(), shown);
        message = message.replace(&raw.escape_debug().to_string(), shown);
    }
    Some(shorten(&message))
}

fn collect(path: &mut Vec<String>, value: &Value, known: &Secrets, secrets: &mut Vec<(String, String)>) {
    match value {
        Value::Dict(_, entries) => {
            for (name, value) in entries {
                path.push(name.clone());
                collect(path, value, known, secrets);
                path.pop();
            }
        }
        Value::Array(_, elements) => {
            for (index, value) in elements.iter().enumerate() {
                path.push(index.to_string());
                collect(path, value, known, secrets);
                path.pop();
            }
        }
        other => {
            // The type may have read JSON text as the table or list that it holds.
            if let Value::String(_, text) = other
                && text.trim_start().starts_with(['{', '['])
                && let Ok(inner @ (Value::Dict(..) | Value::Array(..))) = json(text)
            {
                collect(path, &inner, known, secrets);
            }
            let raw = leaf_text(other);
            let shown = if known.touch(path) { HIDDEN.to_owned() } else { shown(path, &raw) };
            if !raw.is_empty() && shown != raw {
                secrets.push((raw, shown));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn names_that_look_secret_are_hidden_and_others_are_not() {
        for name in [
            "db.password",
            "db.dbpassword",
            "a.client_secret",
            "a.token",
            "a.access_token",
            "a.api_key",
            "a.apiKey",
            "a.dsn",
            "a.credentials",
            "secrets.stripe",
            "a.pwd",
            "a.aws_access_key",
            "a.private_key_file",
            "tls.Private-Key",
        ] {
            assert_eq!(shown(&path(name), "hunter2"), HIDDEN, "{name}");
        }
        for name in ["server.port", "a.key", "a.compass", "a.keyspace", "a.passive", "a.host"] {
            assert_eq!(shown(&path(name), "hunter2"), "hunter2", "{name}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_hidden_and_the_rest_is_shown() {
        for (text, wanted) in [
            ("redis://app:hunter2@h:6379/0", "redis://app:***@h:6379/0"),
            ("redis://:hunter2@h", "redis://:***@h"),
            ("postgres://u:hun/ter?2@h/db", "postgres://u:***@h/db"),
            ("a://u:hunter2@h b://u:hunter2@i", "a://u:***@h b://u:***@i"),
            ("http://host:80/path", "http://host:80/path"),
            ("http://host/x?token=hunter2&n=1", "http://host/x?token=***&n=1"),
            ("host=h password=hunter2 user=u", "host=h password=*** user=u"),
        ] {
            assert_eq!(shown(&path("db.url"), text), wanted);
        }
    }

    #[test]
    fn json_text_that_names_a_secret_is_hidden_whole() {
        assert_eq!(shown(&path("db"), r#"{"password":"hunter2""#), HIDDEN);
        assert_eq!(shown(&path("db"), r#"{"port": x"#), r#"{"port": x"#);
    }
}
