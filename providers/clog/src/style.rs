//! How values are written.

use std::borrow::Cow;

use crate::escape::{Escape, console_word, json_string, push, push_capped};
use crate::kept::Kept;
use crate::secrets::{BUILT_IN, Secrets};

/// How values are written: for which format, how much of each, and which are hidden.
#[derive(Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) as_json: bool,
    /// The most bytes of one value, before it is escaped.
    pub(crate) longest: usize,
    pub(crate) secrets: &'a Secrets,
    /// Where the keys that stand in the program are kept as they are written.
    pub(crate) keys: Option<&'a Kept<WrittenKey>>,
}

/// A key as it is written.
#[derive(Debug)]
pub(crate) struct WrittenKey {
    pub(crate) text: String,
    pub(crate) is_secret: bool,
}

/// How many keys a log keeps.
pub(crate) const MOST_KEYS: usize = 512;

impl Style<'static> {
    /// Where the log is not known: in full, and with those hidden that every log hides.
    pub(crate) fn uncapped(as_json: bool) -> Self {
        Self { as_json, longest: usize::MAX, secrets: &BUILT_IN, keys: None }
    }
}

impl Style<'_> {
    /// For what is cut already.
    pub(crate) fn in_full(self) -> Self {
        Self { longest: usize::MAX, ..self }
    }

    /// How a message is escaped.
    pub(crate) fn escape(self) -> Escape {
        if self.as_json { Escape::Json } else { Escape::Plain }
    }

    /// Writes a text as a value.
    pub(crate) fn text(self, out: &mut String, text: &str) {
        if self.as_json {
            out.push('"');
            push_capped(out, text, Escape::Json, self.longest);
            out.push('"');
        } else if text.len() <= self.longest {
            console_word(out, text);
        } else {
            // The mark has spaces, so that the word is quoted.
            out.push('"');
            push_capped(out, text, Escape::Quoted, self.longest);
            out.push('"');
        }
    }

    /// Writes `,"key":` or ` key=`; the first JSON field of all has a comma too, for the keys of
    /// the line itself stand before it.
    pub(crate) fn key(self, out: &mut String, key: &str) {
        if self.as_json {
            out.push(',');
            json_string(out, key);
            out.push(':');
        } else {
            out.push(' ');
            console_word(out, key);
            out.push('=');
        }
    }

    /// Writes the key of a field, and tells whether its value is to be hidden.
    #[expect(clippy::ptr_arg, reason = "a key that stands in the program is kept")]
    pub(crate) fn field(self, out: &mut String, key: &Cow<'static, str>) -> bool {
        if let (Some(keys), Cow::Borrowed(key)) = (self.keys, key) {
            let written = keys.find((key.as_ptr().addr(), key.len()), || {
                let mut text = String::new();
                self.key(&mut text, key);
                WrittenKey { text, is_secret: self.secrets.hides(key) }
            });
            out.push_str(&written.text);
            return written.is_secret;
        }
        self.key(out, key);
        self.secrets.hides(key)
    }

    /// Makes a value of many parts, which begins at `begin`, a text where it is too long.
    pub(crate) fn cap_whole(self, out: &mut String, begin: usize) {
        if out.len() - begin > self.longest {
            let whole = out.split_off(begin);
            self.text(out, &whole);
        }
    }

    /// Writes what stands between the quotes of a text, or on a console as it is.
    pub(crate) fn bare(self, out: &mut String, text: &str, longest: usize) {
        if text.len() <= longest {
            push(out, text, self.escape());
        } else {
            push_capped(out, text, self.escape(), longest);
        }
    }
}
