//! Text that stays on its line.

use std::fmt::{self, Write};

/// What is escaped, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Inside a JSON string.
    Json,
    /// On a console line, where quotes and backslashes stand as they are.
    Plain,
    /// Inside a quoted value of a console line.
    Quoted,
}

/// Writes text with what would break the line escaped.
pub(crate) struct Escaped<'a, W: ?Sized> {
    pub(crate) out: &'a mut W,
    pub(crate) escape: Escape,
}

impl<W: Write + ?Sized> Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut written = 0;
        for (at, c) in text.char_indices() {
            if !self.escape.concerns(c) {
                continue;
            }
            self.out.write_str(&text[written..at])?;
            written = at + c.len_utf8();
            match c {
                '\n' => self.out.write_str("\\n")?,
                '\r' => self.out.write_str("\\r")?,
                '\t' => self.out.write_str("\\t")?,
                '"' => self.out.write_str("\\\"")?,
                '\\' => self.out.write_str("\\\\")?,
                // Every other one lies below U+10000.
                _ if self.escape == Escape::Json => write!(self.out, "\\u{:04x}", u32::from(c))?,
                _ => write!(self.out, "\\u{{{:x}}}", u32::from(c))?,
            }
        }
        self.out.write_str(&text[written..])
    }
}

impl Escape {
    fn concerns(self, c: char) -> bool {
        match c {
            '"' | '\\' => self != Self::Plain,
            ' '..='~' => false,
            _ => breaks_a_line(c),
        }
    }
}

/// Control characters, line separators, and those that turn the direction of what follows: with
/// them a message could forge a line or hide one.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes `text` as a JSON string with its quotes.
pub(crate) fn json_string(out: &mut (impl Write + ?Sized), text: &str) -> fmt::Result {
    out.write_char('"')?;
    Escaped { out, escape: Escape::Json }.write_str(text)?;
    out.write_char('"')
}

/// Writes `text` as a value or a key of a console line: bare where it can be, else quoted.
pub(crate) fn console_word(out: &mut (impl Write + ?Sized), text: &str) -> fmt::Result {
    let is_bare = |c: char| !(c.is_whitespace() || matches!(c, '"' | '\\' | '=' | '(' | ')') || breaks_a_line(c));
    if !text.is_empty() && text.chars().all(is_bare) {
        return out.write_str(text);
    }
    out.write_char('"')?;
    Escaped { out, escape: Escape::Quoted }.write_str(text)?;
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: Escape, text: &str) -> String {
        let mut out = String::new();
        Escaped { out: &mut out, escape }.write_str(text).unwrap();
        out
    }

    #[test]
    fn a_json_string_reads_back_as_the_text() {
        let all: String = (0..0x3000).chain(0x1_f600..0x1_f610).filter_map(char::from_u32).collect();
        let mut json = String::new();
        json_string(&mut json, &all).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), all);
        assert!(!json.chars().any(breaks_a_line));
    }

    #[test]
    fn a_console_message_stands_as_it_is_but_for_what_breaks_a_line() {
        let plain = r#"tagConf->AGI "quoted" C:\dir é 日志 😀"#;
        assert_eq!(escaped(Escape::Plain, plain), plain);
        let broken = "a\nb\r\tc\u{1b}[31m\0\u{7f}\u{85}\u{2028}\u{202e}";
        assert_eq!(escaped(Escape::Plain, broken), "a\\nb\\r\\tc\\u{1b}[31m\\u{0}\\u{7f}\\u{85}\\u{2028}\\u{202e}");
    }

    #[test]
    fn a_console_value_is_quoted_when_it_could_be_mistaken() {
        for (text, shown) in [
            ("plain-1.5/x", "plain-1.5/x"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=b", "\"a=b\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("a\nb", "\"a\\nb\""),
            ("back\\slash", "\"back\\\\slash\""),
        ] {
            let mut out = String::new();
            console_word(&mut out, text).unwrap();
            assert_eq!(out, shown);
        }
    }
}
