//! A URL in a message, without its password.
//!
//! Every doubt is decided for hiding: hiding too much costs a little comfort, hiding too little
//! costs a password.

use crate::HIDDEN;
use crate::scheme::is_scheme;

/// A parameter whose name holds one of these is hidden.
const SECRET_NAMES: [&str; 9] = ["pass", "pwd", "secret", "token", "key", "auth", "cred", "sig", "jwt"];

/// The URL as it may be shown: `***` in the place of its password, and of everything from the
/// value of the first secret-looking parameter (`password=`, `token=`, `api_key=` …) on.
///
/// Works on any text, also where it is no URL. A password may hold `@`, `/`, `?` and `#` as they
/// are, so everything from the first colon after the scheme to the last `@` is taken for it; a
/// port, a host or a path between those two is hidden with it. Where no `@` stands at all, what
/// follows a colon is shown only when it can be a port. A user's name stays; it is what stands
/// between `scheme://` and the first colon. Control characters
/// come out as `\u{…}`, so the result stands on one line.
pub fn redact_url(url: &str) -> String {
    let (scheme, rest, is_hierarchical) = split(url);
    let parameter = secret_parameter(rest);
    let (hidden_from, shown_again) = match rest.rfind('@') {
        Some(at) => {
            let user = &rest[..at];
            let begin = if is_hierarchical || scheme.is_empty() {
                // No user's name holds these as they are: what looks like one is something else.
                separator(user).or(user.contains(['/', '?', '#', ' ']).then_some(0))
            } else {
                // The scheme's own colon may be the one before the password.
                Some(0)
            };
            (begin, at)
        }
        None if is_hierarchical && !has_only_ports(rest) => (Some(separator(rest).unwrap_or(0)), rest.len()),
        None => (None, rest.len()),
    };
    let mut shown = String::with_capacity(url.len());
    shown.push_str(scheme);
    match (hidden_from, parameter) {
        (None, None) => shown.push_str(rest),
        (None, Some(value)) => shown.extend([&rest[..value], HIDDEN]),
        // The `@` may belong to the parameter's value, which has no sure end.
        (Some(begin), Some(value)) if value <= shown_again => {
            shown.extend([&rest[..begin.min(value)], HIDDEN]);
        }
        (Some(begin), Some(value)) => {
            shown.extend([&rest[..begin], HIDDEN, &rest[shown_again..value], HIDDEN]);
        }
        (Some(begin), None) => shown.extend([&rest[..begin], HIDDEN, &rest[shown_again..]]),
    }
    escape_control(&shown)
}

/// Scheme with what belongs to it, the rest, and whether the rest begins with a host.
fn split(url: &str) -> (&str, &str, bool) {
    if let Some(start) = url.find("://")
        && is_scheme(&url[..start])
    {
        let (scheme, rest) = url.split_at(start + 3);
        return (scheme, rest, true);
    }
    if let Some(rest) = url.strip_prefix("//") {
        return ("//", rest, true);
    }
    match url.find(':') {
        Some(colon) if is_scheme(&url[..colon]) => {
            let (scheme, rest) = url.split_at(colon + 1);
            (scheme, rest, false)
        }
        _ => ("", url, false),
    }
}

/// Where the password begins: after the first colon, plain or percent-encoded.
fn separator(text: &str) -> Option<usize> {
    let plain = text.find(':').map(|at| at + 1);
    let encoded = text.find("%3A").into_iter().chain(text.find("%3a")).min().map(|at| at + 3);
    match (plain, encoded) {
        (Some(plain), Some(encoded)) => Some(plain.min(encoded)),
        (plain, encoded) => plain.or(encoded),
    }
}

/// Whether every colon of the hosts, `h:1,[::1]:2`, has a port after it and nothing else.
fn has_only_ports(rest: &str) -> bool {
    let hosts = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
    hosts.split(',').all(|host| {
        let after_address = match host.strip_prefix('[').and_then(|text| text.split_once(']')) {
            Some((address, after)) if address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')) => {
                after
            }
            Some(_) => return false,
            None => host,
        };
        match after_address.split_once(':') {
            Some((_, port)) => port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()),
            None => separator(after_address).is_none(),
        }
    })
}

/// Where the value of the first `name=` begins whose name looks secret.
///
/// The value may be quoted, escaped or neither, so no end of it is sure but that of the text.
fn secret_parameter(text: &str) -> Option<usize> {
    text.match_indices('=').map(|(equals, _)| equals).find_map(|equals| {
        let before =
            text[..equals].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '%'));
        let name = text[before.len()..equals].to_ascii_lowercase();
        SECRET_NAMES.iter().any(|secret| name.contains(secret)).then_some(equals + 1)
    })
}

fn escape_control(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            escaped.extend(c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_password_stays_as_it_is() {
        for url in [
            "",
            "memory:",
            "sqlite::memory:",
            "sqlite:data/app.db?mode=rwc",
            "sqlite:///var/lib/app.db",
            "redis://localhost",
            "redis://localhost:6379/0",
            "redis://[::1]:6379/0",
            "postgres://app@db.internal:5432/orders?sslmode=require",
            "kafka://a:9092,b:9092,[fe80::1]:9092/topic",
            "https://search.internal/index/a:b",
            "not a url",
        ] {
            assert_eq!(redact_url(url), url);
        }
    }

    #[test]
    fn the_password_is_hidden_and_the_rest_stays() {
        for (url, shown) in [
            ("redis://:pw@h:6379/0", "redis://:***@h:6379/0"),
            ("postgres://u:pw@h:5432/db?sslmode=require", "postgres://u:***@h:5432/db?sslmode=require"),
            ("u:pw@tcp(h:3306)/db", "u:***@tcp(h:3306)/db"),
            ("postgres://u:@h/db", "postgres://u:***@h/db"),
            ("//u:pw@h", "//u:***@h"),
            ("mysql:u:pw@h/db", "mysql:***@h/db"),
            ("host=h user=u password='a b' port=1", "host=h user=u password=***"),
            ("redis://h/0?timeout=1&Password=x&db=1", "redis://h/0?timeout=1&Password=***"),
            ("es://h:9200/?api_key=a=b&c", "es://h:9200/?api_key=***"),
        ] {
            assert_eq!(redact_url(url), shown);
        }
    }

    #[test]
    fn no_part_of_a_nasty_password_is_shown() {
        // Each is built of these two words, with one of the separators between and around them.
        let between = [
            "",
            "@",
            "/",
            "?",
            "#",
            ":",
            "//",
            "://",
            "%40",
            "%3A",
            "&",
            "=",
            " ",
            "\\",
            "\n",
            "\0",
            "[",
            "]",
            ",",
            "@/",
            "/@",
            "?password=",
            "&token=",
            "é",
            "\u{2028}",
            "12/",
            "80/@",
        ];
        let urls = [
            ("redis://:", "@h:6379/0"),
            ("postgres://user:", "@h/db?sslmode=require"),
            ("postgres://user:", "@[::1]:5432/db"),
            ("mysql:user:", "@h/db"),
            ("user:", "@tcp(h:3306)/db"),
            ("user:", "@h"),
            ("//user:", "@h"),
            ("REDIS://user:", "@"),
            ("redis://user%3A", "@h"),
            ("redis://a:x@h,b:", "@h2"),
            ("redis://h/?password=", ""),
            ("redis://h/?password=", "&db=1"),
            ("redis://h:1/?x=1&access_token=", "#top"),
            ("h#secret=", ""),
            ("password=", " host=h"),
            // The host was forgotten, or eaten by a template.
            ("redis://user:p", ""),
            ("redis://:p", "/0"),
        ];
        for (head, tail) in urls {
            for first in between {
                for second in between {
                    // `user://…` is a URL like any other: its scheme is `user`.
                    if head == "user:" && first.starts_with("//") {
                        continue;
                    }
                    // Without a host, what follows an `@` of the password is the host.
                    let host_forgotten = head.starts_with("redis://") && head.ends_with(":p");
                    if host_forgotten && (first.contains('@') || second.contains('@')) {
                        continue;
                    }
                    let url = format!("{head}{first}swordfish{second}hunter2{first}{tail}");
                    let shown = redact_url(&url);
                    assert!(!shown.contains("swordfish"), "{url:?} shown as {shown:?}");
                    assert!(!shown.contains("hunter2"), "{url:?} shown as {shown:?}");
                }
            }
        }
    }

    #[test]
    fn control_characters_do_not_come_through() {
        assert_eq!(redact_url("redis://a\nb\u{2028}"), "redis://a\\u{a}b\\u{2028}");
    }
}
