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
    /// Nothing: the text is escaped later.
    None,
}

/// Whether a character that begins with this byte may have to be escaped.
static MAY_CONCERN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        // 0xC2 begins U+0080 to U+00BF, 0xE2 begins U+2000 to U+2FFF.
        table[byte] = byte < 0x20 || matches!(byte as u8, b'"' | b'\\' | 0x7f | 0xc2 | 0xe2);
        byte += 1;
    }
    table
};

/// Writes text with what would break the line escaped.
pub(crate) fn push(out: &mut String, text: &str, escape: Escape) {
    if escape == Escape::None {
        return out.push_str(text);
    }
    let bytes = text.as_bytes();
    let (mut written, mut at) = (0, 0);
    while let Some(next) = bytes[at..].iter().position(|byte| MAY_CONCERN[usize::from(*byte)]) {
        at += next;
        let Some(c) = text[at..].chars().next() else { break };
        let end = at + c.len_utf8();
        if escape.concerns(c) {
            out.push_str(&text[written..at]);
            push_escaped(out, c, escape);
            written = end;
        }
        at = end;
    }
    out.push_str(&text[written..]);
}

fn push_escaped(out: &mut String, c: char, escape: Escape) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        // Every other one lies below U+10000. Writing into a `String` does not fail.
        _ if escape == Escape::Json => _ = write!(out, "\\u{:04x}", u32::from(c)),
        _ => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
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

/// Text of which no more than so many bytes are taken; a mark tells how many were not.
pub(crate) struct Capped<'a> {
    out: &'a mut String,
    escape: Escape,
    left: usize,
    cut: usize,
}

impl<'a> Capped<'a> {
    pub(crate) fn new(out: &'a mut String, escape: Escape, longest: usize) -> Self {
        Self { out, escape, left: longest, cut: 0 }
    }

    pub(crate) fn push(&mut self, text: &str) {
        if text.len() <= self.left {
            self.left -= text.len();
            return push(self.out, text, self.escape);
        }
        let kept = text.floor_char_boundary(self.left);
        push(self.out, &text[..kept], self.escape);
        self.cut += text.len() - kept;
        // What comes after a gap is not shown.
        self.left = 0;
    }

    /// Counts what was cut before it came here.
    pub(crate) fn skip(&mut self, bytes: usize) {
        if bytes > 0 {
            self.cut += bytes;
            self.left = 0;
        }
    }

    /// How many bytes were cut; no mark is written.
    pub(crate) fn cut(self) -> usize {
        self.cut
    }

    /// Writes the mark, if something was cut.
    pub(crate) fn finish(self) {
        if self.cut > 0 {
            let _ = write!(self.out, "…({} bytes cut)", self.cut);
        }
    }
}

impl Write for Capped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

/// Writes text of which no more than `longest` bytes are taken.
pub(crate) fn push_capped(out: &mut String, text: &str, escape: Escape, longest: usize) {
    if text.len() <= longest {
        return push(out, text, escape);
    }
    let mut capped = Capped::new(out, escape, longest);
    capped.push(text);
    capped.finish();
}

/// Writes `text` as a JSON string with its quotes.
pub(crate) fn json_string(out: &mut String, text: &str) {
    out.push('"');
    push(out, text, Escape::Json);
    out.push('"');
}

/// Writes `text` as a value or a key of a console line: bare where it can be, else quoted.
pub(crate) fn console_word(out: &mut String, text: &str) {
    let is_bare = |c: char| !(c.is_whitespace() || matches!(c, '"' | '\\' | '=' | '(' | ')') || breaks_a_line(c));
    if !text.is_empty() && text.chars().all(is_bare) {
        return out.push_str(text);
    }
    out.push('"');
    push(out, text, Escape::Quoted);
    out.push('"');
}

/// The longest beginning of an escaped text that is no longer than `room` and ends with no half of
/// an escape or of a character.
pub(crate) fn cut_escaped(text: &str, room: usize) -> usize {
    let end = text.floor_char_boundary(room);
    if end == text.len() {
        return end;
    }
    // Backslashes come in escapes only: the last one that begins an escape is found from the start.
    let (bytes, mut at) = (text.as_bytes(), 0);
    while let Some(next) = bytes[at..end].iter().position(|byte| *byte == b'\\') {
        let begin = at + next;
        let length = if bytes.get(begin + 1) == Some(&b'u') { 6 } else { 2 };
        if begin + length > end {
            return begin;
        }
        at = begin + length;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: Escape, text: &str) -> String {
        let mut out = String::new();
        push(&mut out, text, escape);
        out
    }

    #[test]
    fn a_json_string_reads_back_as_the_text() {
        let all: String = (0..0x3000).chain(0x1_f600..0x1_f610).filter_map(char::from_u32).collect();
        let mut json = String::new();
        json_string(&mut json, &all);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), all);
        assert!(!json.chars().any(breaks_a_line));
    }

    #[test]
    fn every_character_that_breaks_a_line_is_escaped_wherever_it_stands() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| breaks_a_line(*c)) {
            for escape in [Escape::Json, Escape::Plain, Escape::Quoted] {
                for text in [format!("{c}"), format!("a{c}"), format!("é日{c}b"), format!("{c}{c}")] {
                    let shown = escaped(escape, &text);
                    assert!(shown.is_ascii() || !shown.chars().any(breaks_a_line), "{c:?} {escape:?}: {shown:?}");
                    assert!(!shown.contains(c), "{c:?} {escape:?}: {shown:?}");
                }
            }
        }
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
            console_word(&mut out, text);
            assert_eq!(out, shown);
        }
    }

    #[test]
    fn a_capped_text_tells_how_many_bytes_are_missing() {
        let capped = |pieces: &[&str], longest| {
            let mut out = String::new();
            let mut capped = Capped::new(&mut out, Escape::Json, longest);
            pieces.iter().for_each(|piece| capped.push(piece));
            capped.finish();
            out
        };
        assert_eq!(capped(&["abc", "def"], 6), "abcdef");
        assert_eq!(capped(&["abc", "def"], 4), "abcd…(2 bytes cut)");
        // A character is kept whole or not at all, and nothing follows a gap.
        assert_eq!(capped(&["aéb", "c"], 2), "a…(4 bytes cut)");
        assert_eq!(capped(&["\n\n"], 1), "\\n…(1 bytes cut)");
    }

    #[test]
    fn an_escaped_text_is_cut_between_its_escapes() {
        let text = "a\\n\\u001b\\\\é\\\"z";
        for room in 0..=text.len() {
            let kept = &text[..cut_escaped(text, room)];
            assert!(kept.len() <= room);
            assert!(serde_json::from_str::<String>(&format!("\"{kept}\"")).is_ok(), "{room}: {kept}");
        }
        assert_eq!(cut_escaped(text, text.len()), text.len());
    }
}
