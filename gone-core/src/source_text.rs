//! The user's own source text, where it can be read: the line that a message is about, and what to mark in it.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::Location;

/// What stands at a place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The name of a declared type.
    Declaration(String),
    /// The type of the field of this name.
    Field(String),
    /// The name of a function that is called.
    Call,
}

/// A line with what is marked in it, as bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MarkedLine {
    /// Of a field whose tag stands above it: the lines from there.
    pub(crate) above: Vec<String>,
    pub(crate) text: String,
    pub(crate) mark: Range<usize>,
}

/// The files that were looked at, each read once.
#[derive(Default)]
pub(crate) struct SourceText {
    files: HashMap<&'static str, Option<String>>,
}

/// No more characters of a type are marked.
const MARKED: usize = 60;

/// Nobody writes longer source files by hand.
const LONGEST: u64 = 4 << 20;

impl SourceText {
    /// The line at a place with what is to be marked; none if the file cannot be read, or is not the one that was compiled.
    pub(crate) fn line(&mut self, at: Location, mark: &Mark) -> Option<MarkedLine> {
        let text = self.file(at.file())?;
        let line = text.lines().nth((at.line() as usize).checked_sub(1)?)?;
        let start = line.char_indices().nth((at.column() as usize).checked_sub(1)?)?.0;
        let range = marked(line, start, mark)?;
        let above = match mark {
            Mark::Field(_) => tag_above(text, at.line() as usize),
            Mark::Declaration(_) | Mark::Call => Vec::new(),
        };
        Some(MarkedLine { above, ..without_defaults(line, range) })
    }

    /// The whole text of the file in which a place is.
    pub(crate) fn file(&mut self, name: &'static str) -> Option<&str> {
        self.files.entry(name).or_insert_with(|| read(name)).as_deref()
    }
}

/// The compiler's paths are relative to the folder of the workspace: the one that the program runs in, or one above the package that
/// cargo runs.
fn read(name: &str) -> Option<String> {
    let name = Path::new(name);
    if name.extension().is_none_or(|extension| extension != "rs") {
        return None;
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let above = package.iter().flat_map(|package| package.ancestors()).map(|folder| folder.join(name));
    std::iter::once(name.to_path_buf()).chain(above).find_map(|path| {
        let length = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
        if length > LONGEST { None } else { std::fs::read_to_string(path).ok() }
    })
}

/// What is to be marked, if it stands there: a file that was changed since it was compiled shows nothing rather than something else.
fn marked(line: &str, start: usize, mark: &Mark) -> Option<Range<usize>> {
    let (before, rest) = line.split_at_checked(start)?;
    let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let length = match mark {
        Mark::Declaration(name) => (rest[..word] == *name).then_some(word)?,
        Mark::Call => (word > 0).then_some(word)?,
        Mark::Field(name) => {
            let positional = name.starts_with(|c: char| c.is_ascii_digit());
            let named = before.trim_end().strip_suffix(':').is_some_and(|it| it.trim_end().ends_with(name.as_str()));
            let length = (named || positional).then(|| type_length(rest)).filter(|length| *length > 0)?;
            // Of a long one the beginning is enough: a line is cut where nothing is marked.
            rest.char_indices().nth(MARKED).map_or(length, |(longest, _)| length.min(longest))
        }
    };
    Some(start..start + length)
}

/// The lines above one, from that on which the field's tag stands, if it says anything.
fn tag_above(text: &str, line: usize) -> Vec<String> {
    let before: Vec<&str> = text.lines().take(line.saturating_sub(1)).collect();
    // A line with a whole field on it is another field's.
    let stands_alone = |line: &str| line.starts_with("//") || (line.starts_with("#[") && line.ends_with(']'));
    let attributes = before.iter().rev().take_while(|line| stands_alone(line.trim())).count();
    let above = &before[before.len() - attributes..];
    let tag = above.iter().position(|line| line.contains("#[gone(") && line.contains(")]"));
    let from = tag.unwrap_or(above.len());
    above[from..].iter().map(|line| without_defaults(line, 0..0).text).collect()
}

/// How far the type goes with which a text begins.
fn type_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' if depth > 0 => depth -= 1,
            '>' | ')' | ']' | '}' | ',' | ';' | '=' if depth == 0 => {
                end = at;
                break;
            }
            '/' if before == '/' => {
                end = at - 1;
                break;
            }
            _ => {}
        }
        before = c;
    }
    text[..end].trim_end().len()
}

/// A default in a tag may be a secret: none on the line is shown. A tag goes to the last of what may close it before the mark or the next
/// tag, for a default may hold the same characters; one that is not closed there goes all the way.
fn without_defaults(line: &str, mark: Range<usize>) -> MarkedLine {
    const OPEN: &str = "#[gone(";
    const CLOSE: &str = ")]";
    let tags: Vec<usize> = line.match_indices(OPEN).map(|(at, _)| at).collect();
    let (mut text, mut shown, mut start) = (String::new(), 0, mark.start);
    for (number, &open) in tags.iter().enumerate() {
        let next = tags.get(number + 1).copied().unwrap_or(line.len());
        let end = if open < mark.start && mark.start < next { mark.start } else { next };
        let close = line[open..end].rfind(CLOSE).map_or(end, |at| open + at);
        let Some(from) = line[open..close].find('=').map(|at| open + at + 1) else { continue };
        let hidden = if line[from..close].ends_with('"') { "…\"" } else { "…" };
        text.push_str(&line[shown..from]);
        text.push_str(hidden);
        shown = close;
        if close <= mark.start {
            start = start + hidden.len() - (close - from);
        }
    }
    text.push_str(&line[shown..]);
    MarkedLine { above: Vec::new(), text, mark: start..start + mark.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(line: &'a str, at: &str, mark: Mark) -> Option<&'a str> {
        marked(line, line.find(at).unwrap(), &mark).map(|range| &line[range])
    }

    fn field(name: &str) -> Mark {
        Mark::Field(name.into())
    }

    #[test]
    fn the_type_of_a_field_is_marked_to_its_end_and_nothing_that_is_not_that_field() {
        assert_eq!(shown("    store: Arc<dyn Store>,", "Arc", field("store")), Some("Arc<dyn Store>"));
        assert_eq!(
            shown("struct A { #[gone] it: Option<Arc<u8>>, other: u8 }", "Option", field("it")),
            Some("Option<Arc<u8>>")
        );
        assert_eq!(shown("  call: fn(u8, u8) -> u16, // x", "fn", field("call")), Some("fn(u8, u8) -> u16"));
        assert_eq!(shown("struct A(#[gone] Arc<u8>);", "Arc", field("0")), Some("Arc<u8>"));
        assert_eq!(shown("    store: u8 // a comment", "u8", field("store")), Some("u8"));
        assert_eq!(shown("    store: Arc<dyn Store>,", "Arc", field("other")), None, "the file was changed");
        assert_eq!(shown("pub struct Store<T> {", "Store", Mark::Declaration("Store".into())), Some("Store"));
        assert_eq!(shown("pub struct Stores {", "Stores", Mark::Declaration("Store".into())), None);
        assert_eq!(shown("        .load(x())", "load", Mark::Call), Some("load"));
        assert_eq!(marked("short", 40, &Mark::Call), None);
    }

    #[test]
    fn a_default_in_a_tag_is_not_shown_and_the_mark_moves_with_the_text() {
        let line = r#"    #[gone("config,db.password=hunter2")] password: String,"#;
        let mark = marked(line, line.find("String").unwrap(), &field("password")).unwrap();
        let shown = without_defaults(line, mark);
        assert_eq!(shown.text, r#"    #[gone("config,db.password=…")] password: String,"#);
        assert_eq!(&shown.text[shown.mark], "String");
        let hidden = |line: &str, at: &str| {
            let start = line.find(at).unwrap();
            let shown = without_defaults(line, start..start + at.len());
            assert_eq!(&shown.text[shown.mark], at);
            shown.text
        };
        assert_eq!(hidden(r#"#[gone("config,k=a)]b")] k: String,"#, "String"), r#"#[gone("config,k=…")] k: String,"#);
        assert_eq!(
            hidden(r#"#[gone("c,a=one")] a: u8, #[gone("c,b=two")] b: u16"#, "u8"),
            r#"#[gone("c,a=…")] a: u8, #[gone("c,b=…")] b: u16"#
        );
        assert_eq!(hidden(r#"k: u8, #[gone("config,b=begins here"#, "u8"), r#"k: u8, #[gone("config,b=…"#);
        assert_eq!(hidden(r#"#[gone("x")] k: fn() -> u8 = 1"#, "fn() -> u8"), r#"#[gone("x")] k: fn() -> u8 = 1"#);
        let plain = without_defaults("    a: u8,", 7..9);
        assert_eq!((plain.text.as_str(), plain.mark), ("    a: u8,", 7..9));
    }

    #[test]
    fn the_tag_above_a_field_is_shown_if_it_says_anything_and_never_with_its_default() {
        let text =
            "struct A {\n    #[gone(\"config,key=hunter2\")]\n    // why\n    a: u8,\n    #[gone]\n    b: u8,\n}\n";
        assert_eq!(tag_above(text, 4), ["    #[gone(\"config,key=…\")]", "    // why"]);
        assert_eq!(
            tag_above("#[gone(\"config,key=hunter2\")]\na: u8,", 2),
            ["#[gone(\"config,key=…\")]"],
            "also unformatted"
        );
        assert_eq!(tag_above(text, 6), [""; 0]);
        assert_eq!(tag_above(text, 1), [""; 0]);
        assert_eq!(tag_above(text, 99), [""; 0]);
        let text = "struct A {\n    #[gone(\"one\")] a: u8,\n    #[gone(\"two\")] b: u8,\n}\n";
        assert_eq!(tag_above(text, 3), [""; 0]);
    }

    #[test]
    fn this_very_file_is_found_and_another_is_not() {
        let here = std::panic::Location::caller();
        let mut text = SourceText::default();
        let line = text.line(here, &Mark::Call);
        assert_eq!(line.map(|line| line.text[line.mark].to_owned()).as_deref(), Some("std"));
        assert_eq!(read("no/such/file.rs"), None);
        assert_eq!(read("Cargo.toml"), None, "it is no source text");
    }
}
