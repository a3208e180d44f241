//! The fields of a logger and of a line.

use std::borrow::Cow;
use std::fmt::{self, Debug, Write};

use crate::escape::{console_word, json_string};
use crate::value::Value;

/// The keys that every line may have of itself.
const RESERVED: [&str; 9] =
    ["time", "level", "msg", "caller", "namespace", "service", "trace_id", "error", "error_chain"];

/// The key under which a field is written: its own, or `field.<key>` where that is reserved or
/// taken.
pub(crate) fn free_key(key: impl Into<Cow<'static, str>>, is_taken: impl Fn(&str) -> bool) -> Cow<'static, str> {
    let mut key = key.into();
    while key.is_empty() || RESERVED.contains(&&*key) || is_taken(&key) {
        key = format!("field.{key}").into();
    }
    key
}

/// Writes `,"key":` or ` key=`; the first JSON field of all has a comma too, for the keys of the
/// line itself stand before it.
pub(crate) fn write_key(out: &mut dyn Write, key: &str, as_json: bool) -> fmt::Result {
    if as_json {
        out.write_char(',')?;
        json_string(out, key)?;
        out.write_char(':')
    } else {
        out.write_char(' ')?;
        console_word(out, key)?;
        out.write_char('=')
    }
}

type Entry = (Cow<'static, str>, Value);

/// The fields that a logger puts on each of its lines, with their text ready.
#[derive(Clone, Default)]
pub(crate) struct Fields {
    entries: Vec<Entry>,
    json: String,
    console: String,
}

impl Fields {
    /// These fields and one more; it takes the place of one with the same key.
    pub(crate) fn with(&self, key: Cow<'static, str>, value: Value) -> Self {
        let mut entries = self.entries.clone();
        put(&mut entries, key, value);
        let (mut json, mut console) = (String::new(), String::new());
        // Writing into a `String` does not fail.
        let _ = write_entries(&mut json, &entries, true);
        let _ = write_entries(&mut console, &entries, false);
        Self { entries, json, console }
    }
}

/// Puts a field at the end, or in the place of the one with its key.
pub(crate) fn put(entries: &mut Vec<Entry>, key: Cow<'static, str>, value: Value) {
    let key = free_key(key, |_| false);
    match entries.iter_mut().find(|(other, _)| *other == key) {
        Some(entry) => entry.1 = value,
        None => entries.push((key, value)),
    }
}

fn write_entries(out: &mut dyn Write, entries: &[Entry], as_json: bool) -> fmt::Result {
    for (key, value) in entries {
        write_key(out, key, as_json)?;
        if as_json { value.write_json(out)? } else { value.write_console(out)? }
    }
    Ok(())
}

/// The fields of one line: those of its logger, and its own.
///
/// `{:?}` writes them for a console, as other subscribers show them; `{:#?}` writes them as members
/// of a JSON object, each with a comma before it.
pub(crate) struct LineFields<'a> {
    pub(crate) bound: &'a Fields,
    pub(crate) own: &'a [Entry],
}

impl LineFields<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.bound.entries.is_empty() && self.own.is_empty()
    }
}

impl Debug for LineFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let as_json = f.alternate();
        let is_hidden = |(key, _): &&Entry| self.own.iter().any(|(own, _)| own == key);
        if self.own.is_empty() || !self.bound.entries.iter().any(|entry| is_hidden(&entry)) {
            f.write_str(if as_json { &self.bound.json } else { &self.bound.console })?;
            return write_entries(f, self.own, as_json);
        }
        let mut entries = self.bound.entries.clone();
        for (key, value) in self.own {
            put(&mut entries, key.clone(), value.clone());
        }
        write_entries(f, &entries, as_json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(entries: &[(&'static str, i32)]) -> Fields {
        entries
            .iter()
            .fold(Fields::default(), |fields, (key, value)| fields.with(Cow::Borrowed(*key), Value::from(*value)))
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let bound = fields(&[("a", 1), ("b", 2), ("a", 3)]);
        let own = [("b".into(), Value::from(4)), ("c".into(), Value::from(5))];
        let line = LineFields { bound: &bound, own: &own };
        assert_eq!(format!("{line:?}"), " a=3 b=4 c=5");
        assert_eq!(format!("{line:#?}"), r#","a":3,"b":4,"c":5"#);
    }

    #[test]
    fn a_reserved_or_empty_key_is_renamed() {
        for key in RESERVED {
            assert_eq!(free_key(key, |_| false), format!("field.{key}"));
        }
        assert_eq!(free_key("", |_| false), "field.");
        assert_eq!(free_key("a", |key| key == "a" || key == "field.a"), "field.field.a");
        assert_eq!(free_key("a", |_| false), "a");
    }
}
