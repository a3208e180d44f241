//! The fields of a logger and of a line.

use std::borrow::Cow;
use std::sync::Arc;

use gone_kit::HIDDEN;

use crate::style::Style;
use crate::value::Value;

/// Whether this is a key that every line may have of itself.
fn is_reserved(key: &str) -> bool {
    matches!(
        key,
        "time"
            | "level"
            | "msg"
            | "caller"
            | "namespace"
            | "service"
            | "trace_id"
            | "error"
            | "error_chain"
            | "suppressed"
            | "cut_bytes"
    )
}

/// The key under which a field is written: its own, or `field.<key>` where that is reserved or
/// taken.
pub(crate) fn free_key(key: impl Into<Cow<'static, str>>, is_taken: impl Fn(&str) -> bool) -> Cow<'static, str> {
    let mut key = key.into();
    while key.is_empty() || is_reserved(&key) || is_taken(&key) {
        key = format!("field.{key}").into();
    }
    key
}

/// Fields as they are written: each begins with its key, and JSON ones with a comma.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    marks: Vec<Mark>,
}

/// Where a field begins, and where its value does.
#[derive(Clone, Copy, Debug)]
struct Mark {
    begin: usize,
    value: usize,
}

impl Written {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.marks.clear();
    }

    /// Begins a field with its key, written as `Style::key` does.
    pub(crate) fn begin(&mut self, written_key: &str) {
        let begin = self.text.len();
        self.text.push_str(written_key);
        self.marks.push(Mark { begin, value: self.text.len() });
    }

    /// Writes a field.
    #[expect(clippy::ptr_arg, reason = "a key that stands in the program is kept")]
    pub(crate) fn put(&mut self, key: &Cow<'static, str>, value: &Value, style: Style<'_>) {
        let begin = self.text.len();
        let is_secret = style.field(&mut self.text, key);
        self.marks.push(Mark { begin, value: self.text.len() });
        if is_secret {
            style.text(&mut self.text, HIDDEN);
        } else {
            value.write(&mut self.text, style);
        }
    }

    /// Adds a field of others.
    pub(crate) fn copy(&mut self, (key, value): (&str, &str)) {
        self.begin(key);
        self.text.push_str(value);
    }

    /// The fields, each as its key and its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let ends = self.marks.iter().skip(1).map(|mark| mark.begin).chain([self.text.len()]);
        self.marks.iter().zip(ends).map(|(mark, end)| (&self.text[mark.begin..mark.value], &self.text[mark.value..end]))
    }

    /// Whether there is a field with this key.
    pub(crate) fn has(&self, written_key: &str) -> bool {
        self.marks.iter().any(|mark| &self.text[mark.begin..mark.value] == written_key)
    }

    /// Takes the last field away, and tells how long it was.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        let Mark { begin, .. } = self.marks.pop()?;
        let length = self.text.len() - begin;
        self.text.truncate(begin);
        Some(length)
    }
}

pub(crate) type Entry = (Cow<'static, str>, Value);

/// The fields that a logger puts on each of its lines, with their text ready.
#[derive(Clone, Default)]
pub(crate) struct Fields {
    entries: Vec<Entry>,
    json: Written,
    console: Written,
}

impl Fields {
    /// These fields and one more; it takes the place of one with the same key.
    pub(crate) fn with(&self, key: Cow<'static, str>, value: Value) -> Self {
        let mut entries = self.entries.clone();
        put(&mut entries, key, value);
        let [mut json, mut console] = [Written::default(), Written::default()];
        for (key, value) in &entries {
            json.put(key, value, Style::uncapped(true));
            console.put(key, value, Style::uncapped(false));
        }
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

/// The fields of one line: those of its logger, and its own.
pub(crate) struct LineFields {
    pub(crate) bound: Option<Arc<Fields>>,
    pub(crate) own: Vec<Entry>,
}

impl LineFields {
    pub(crate) const NONE: Self = Self { bound: None, own: Vec::new() };

    pub(crate) fn write(&self, out: &mut Written, style: Style<'_>) {
        if let Some(bound) = &self.bound {
            let ready = if style.as_json { &bound.json } else { &bound.console };
            // The text that is ready knows nothing of what this log cuts and hides besides.
            let fits = ready.text.len() <= style.longest && !style.secrets.has_further();
            for (entry, written) in bound.entries.iter().zip(ready.iter()) {
                let (key, value) = entry;
                if self.own.iter().any(|(own, _)| own == key) {
                    continue;
                }
                if fits { out.copy(written) } else { out.put(key, value, style) }
            }
        }
        for (key, value) in &self.own {
            out.put(key, value, style);
        }
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
        let bound = Some(Arc::new(fields(&[("a", 1), ("b", 2), ("a", 3)])));
        let own = vec![("b".into(), Value::from(4)), ("c".into(), Value::from(5))];
        let line = LineFields { bound, own };
        for (as_json, text) in [(false, " a=3 b=4 c=5"), (true, r#","a":3,"b":4,"c":5"#)] {
            let mut out = Written::default();
            line.write(&mut out, Style::uncapped(as_json));
            assert_eq!(out.text, text);
            assert_eq!(out.iter().map(|(_, value)| value).collect::<Vec<_>>(), ["3", "4", "5"]);
        }
    }

    #[test]
    fn the_last_field_is_taken_away_whole() {
        let mut out = Written::default();
        let line = LineFields { bound: Some(Arc::new(fields(&[("a", 1), ("b", 2)]))), own: Vec::new() };
        line.write(&mut out, Style::uncapped(true));
        assert!(out.has(",\"b\":") && !out.has("b"));
        assert_eq!(out.pop(), Some(",\"b\":2".len()));
        assert!(!out.has(",\"b\":"));
        assert_eq!((out.pop(), out.pop()), (Some(6), None));
        assert_eq!(out.text, "");
    }

    #[test]
    fn a_reserved_or_empty_key_is_renamed() {
        for key in ["time", "level", "msg", "caller", "namespace", "service", "trace_id", "error", "error_chain"] {
            assert_eq!(free_key(key, |_| false), format!("field.{key}"));
        }
        assert_eq!(free_key("", |_| false), "field.");
        assert_eq!(free_key("a", |key| key == "a" || key == "field.a"), "field.field.a");
        assert_eq!(free_key("a", |_| false), "a");
    }
}
