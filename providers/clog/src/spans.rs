//! What a span lends to the lines inside it.

use crate::encode::Parts;
use crate::fields::Written;

/// What a span lends, as each log of the subscriber writes it.
#[derive(Default)]
pub(crate) struct Lent(Vec<(usize, SpanText)>);

/// What a span lends to the lines of one log.
#[derive(Default)]
pub(crate) struct SpanText {
    trace_id: String,
    namespace: String,
    /// Each with its key as it is written, and its value.
    fields: Vec<(String, String)>,
}

impl Lent {
    pub(crate) fn of(&self, log: usize) -> Option<&SpanText> {
        self.0.iter().find(|(of, _)| *of == log).map(|(_, text)| text)
    }

    /// Takes over what was read of a span; a value that is there already is replaced.
    pub(crate) fn take(&mut self, log: usize, parts: &Parts) {
        let at = match self.0.iter().position(|(of, _)| *of == log) {
            Some(at) => at,
            None => {
                self.0.push((log, SpanText::default()));
                self.0.len() - 1
            }
        };
        let text = &mut self.0[at].1;
        for (from, into) in [(&parts.trace_id, &mut text.trace_id), (&parts.namespace, &mut text.namespace)] {
            if !from.is_empty() {
                from.clone_into(into);
            }
        }
        for (key, value) in parts.fields.iter() {
            match text.fields.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => value.clone_into(known),
                None => text.fields.push((key.to_owned(), value.to_owned())),
            }
        }
    }
}

impl SpanText {
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Lends the line what it does not have. Fields beyond `most` bytes are counted and not written.
    pub(crate) fn lend(&self, parts: &mut Parts, takes_namespace: bool, most: usize) {
        if parts.trace_id.is_empty() {
            parts.trace_id.push_str(&self.trace_id);
        }
        if takes_namespace && parts.namespace.is_empty() {
            parts.namespace.push_str(&self.namespace);
        }
        for (key, value) in &self.fields {
            if parts.fields.has(key) {
                continue;
            }
            if parts.fields.text.len() > most {
                parts.cut += key.len() + value.len();
            } else {
                Written::copy(&mut parts.fields, (key, value));
            }
        }
    }
}
