//! How values are written.

use crate::escape::{Escape, json_string, push, push_capped};
use crate::secrets::{BUILT_IN, Secrets};

/// How values are written: for which format, how much of each, and which are hidden.
#[derive(Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) as_json: bool,
    /// The most bytes of one value, before it is escaped.
    pub(crate) longest: usize,
    pub(crate) secrets: &'a Secrets,
}

impl Style<'static> {
    /// Where the log is not known: in full, and with those hidden that every log hides.
    pub(crate) fn uncapped(as_json: bool) -> Self {
        Self { as_json, longest: usize::MAX, secrets: &BUILT_IN }
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
            crate::escape::console_word(out, text);
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
            crate::escape::console_word(out, key);
            out.push('=');
        }
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
