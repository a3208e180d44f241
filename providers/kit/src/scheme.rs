//! A backend chosen by the scheme of a URL.

use std::fmt;

use crate::nearest;

/// A text in the place of a URL that has no scheme.
///
/// The message does not repeat the text: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL has no scheme: it must begin with one, as in `memory:` or `sqlite:data.db`")]
pub struct MalformedUrl;

/// The longest scheme that is taken for one.
const LONGEST: usize = 32;

/// The scheme of a URL: what stands before its first colon, as written there.
///
/// A scheme begins with a letter, goes on with letters, digits, `+`, `-` and `.`, and has 2 to 32
/// characters (a single letter is the drive of a Windows path). Schemes are compared without
/// regard to case.
///
/// # Errors
///
/// [`MalformedUrl`] when the text does not begin with a scheme and a colon.
pub fn scheme_of(url: &str) -> Result<&str, MalformedUrl> {
    let (scheme, _) = url.split_once(':').ok_or(MalformedUrl)?;
    if is_scheme(scheme) { Ok(scheme) } else { Err(MalformedUrl) }
}

pub(crate) fn is_scheme(text: &str) -> bool {
    (2..=LONGEST).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// A scheme that a component knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The scheme, in lower case, without the colon.
    pub name: &'static str,
    /// The cargo feature that compiles its backend in.
    pub feature: &'static str,
    /// Whether that feature is on: `cfg!(feature = "…")`.
    pub compiled: bool,
}

impl Scheme {
    /// A scheme that every build has: that of the embedded backend.
    pub const fn always(name: &'static str) -> Self {
        Self { name, feature: name, compiled: true }
    }

    /// A scheme behind the cargo feature of its name: `Scheme::feature("redis", cfg!(feature = "redis"))`.
    pub const fn feature(name: &'static str, compiled: bool) -> Self {
        Self { name, feature: name, compiled }
    }

    /// Whether this is the scheme that was written, without regard to case.
    pub fn is(&self, written: &str) -> bool {
        self.name.eq_ignore_ascii_case(written)
    }
}

/// The scheme of a URL among those that a component knows and has compiled in, and what stands after its colon.
///
/// ```
/// use gone_kit::{Scheme, choose};
///
/// const SCHEMES: [Scheme; 2] = [
///     Scheme::always("memory"),
///     Scheme::feature("redis", cfg!(feature = "redis")),
/// ];
/// assert_eq!(choose("memory:tests", &SCHEMES), Ok(("memory", "tests")));
/// let error = choose("redis://localhost", &SCHEMES).unwrap_err().to_string();
/// assert!(error.contains("turn on the cargo feature `redis`"));
/// ```
///
/// # Errors
///
/// [`UnknownScheme`], also for a URL without one. Its message does not repeat the URL: it may hold a password.
pub fn choose<'u>(url: &'u str, known: &[Scheme]) -> Result<(&'static str, &'u str), UnknownScheme> {
    let scheme = scheme_of(url).unwrap_or_default();
    match known.iter().find(|known| known.is(scheme) && known.compiled) {
        Some(known) => Ok((known.name, &url[scheme.len() + 1..])),
        None => Err(UnknownScheme::new(scheme, known)),
    }
}

/// A scheme for which no backend is compiled in, or none at all.
///
/// The message names the schemes that are compiled in, and the cargo features of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScheme {
    scheme: String,
    known: Vec<Scheme>,
}

impl UnknownScheme {
    /// No backend of `known` serves `scheme`, a result of [`scheme_of`]; empty where there is none.
    pub fn new(scheme: &str, known: &[Scheme]) -> Self {
        // Longer ones do not come from `scheme_of`; a message stays short all the same.
        Self { scheme: scheme.chars().take(LONGEST).collect(), known: known.to_vec() }
    }

    /// The scheme that was asked for; empty where there was none.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The schemes that are compiled in, in the order of the component's own list.
    pub fn compiled(&self) -> impl Iterator<Item = &'static str> {
        self.known.iter().filter(|scheme| scheme.compiled).map(|scheme| scheme.name)
    }

    /// The cargo feature that would compile this scheme in; none when no feature does.
    pub fn feature(&self) -> Option<&'static str> {
        self.known.iter().find(|known| !known.compiled && known.is(&self.scheme)).map(|known| known.feature)
    }
}

impl fmt::Display for UnknownScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.feature();
        match wanted {
            Some(feature) => {
                write!(f, "the scheme {:?} is not compiled in: turn on the cargo feature `{feature}`", self.scheme)?
            }
            None if self.scheme.is_empty() => f.write_str("it has no scheme")?,
            None => {
                write!(f, "unknown scheme {:?}", self.scheme)?;
                let names: Vec<&'static str> = self.known.iter().map(|known| known.name).collect();
                if let Some(near) = nearest(&self.scheme, &names) {
                    write!(f, ", did you mean `{near}`?")?;
                }
            }
        }
        f.write_str("; compiled in: ")?;
        let mut first = true;
        for name in self.compiled() {
            write!(f, "{}`{name}`", if first { "" } else { ", " })?;
            first = false;
        }
        if first {
            f.write_str("none")?;
        }
        let mut before = "; with a cargo feature: ";
        for known in &self.known {
            if !known.compiled && !known.is(&self.scheme) {
                write!(f, "{before}`{}` (feature `{}`)", known.name, known.feature)?;
                before = ", ";
            }
        }
        Ok(())
    }
}

impl std::error::Error for UnknownScheme {}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Scheme; 4] = [
        Scheme::always("memory"),
        Scheme::feature("sqlite", true),
        Scheme::feature("redis", false),
        Scheme { name: "rediss", feature: "redis-tls", compiled: false },
    ];

    #[test]
    fn the_scheme_is_what_stands_before_the_first_colon() {
        assert_eq!(scheme_of("memory:"), Ok("memory"));
        assert_eq!(scheme_of("sqlite::memory:"), Ok("sqlite"));
        assert_eq!(scheme_of("redis://:pw@host:6379/0"), Ok("redis"));
        assert_eq!(scheme_of("Redis+Sentinel://h"), Ok("Redis+Sentinel"));
    }

    #[test]
    fn a_text_without_a_scheme_is_refused_and_not_repeated() {
        let long = format!("{}:x", "a".repeat(33));
        for text in ["", ":", "hunter2", "://h", "9p://h", "re dis://h", "C:\\data", "日:x", &long] {
            assert_eq!(scheme_of(text), Err(MalformedUrl), "{text}");
        }
        assert!(!MalformedUrl.to_string().contains("hunter2"));
    }

    #[test]
    fn a_known_scheme_that_is_not_compiled_in_names_its_feature() {
        let error = UnknownScheme::new("rediss", &KNOWN);
        assert_eq!(error.feature(), Some("redis-tls"));
        assert_eq!(
            error.to_string(),
            "the scheme \"rediss\" is not compiled in: turn on the cargo feature `redis-tls`; \
             compiled in: `memory`, `sqlite`; with a cargo feature: `redis` (feature `redis`)"
        );
    }

    #[test]
    fn an_unknown_scheme_lists_those_compiled_in_and_the_features_of_the_rest() {
        let error = UnknownScheme::new("mongo", &KNOWN);
        assert_eq!(error.feature(), None);
        assert_eq!(
            error.to_string(),
            "unknown scheme \"mongo\"; compiled in: `memory`, `sqlite`; with a cargo feature: \
             `redis` (feature `redis`), `rediss` (feature `redis-tls`)"
        );
    }

    #[test]
    fn an_unknown_scheme_names_the_one_that_is_near() {
        let error = UnknownScheme::new("sqllite", &KNOWN).to_string();
        assert!(error.starts_with("unknown scheme \"sqllite\", did you mean `sqlite`?; compiled in: "), "{error}");
    }

    #[test]
    fn a_scheme_that_is_compiled_in_is_chosen_with_what_follows_it() {
        assert_eq!(choose("MEMORY:a:b", &KNOWN), Ok(("memory", "a:b")));
        assert_eq!(choose("redis://h", &KNOWN), Err(UnknownScheme::new("redis", &KNOWN)));
        let none = choose("hunter2", &KNOWN).unwrap_err().to_string();
        assert!(
            none.starts_with("it has no scheme; compiled in: `memory`, `sqlite`; with a cargo feature: "),
            "{none}"
        );
    }

    #[test]
    fn schemes_are_compared_without_regard_to_case() {
        assert_eq!(UnknownScheme::new("REDIS", &KNOWN).feature(), Some("redis"));
        assert!(KNOWN[0].is("Memory"));
    }

    #[test]
    fn with_nothing_compiled_in_the_message_says_so() {
        let error = UnknownScheme::new("redis", &KNOWN[2..3]);
        assert_eq!(
            error.to_string(),
            "the scheme \"redis\" is not compiled in: turn on the cargo feature `redis`; \
             compiled in: none"
        );
    }
}
