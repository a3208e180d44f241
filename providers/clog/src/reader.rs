//! The values of an event or a span.

use std::error::Error;
use std::fmt::{Debug, Display, Write};

use gone_kit::HIDDEN;
use tracing::field::{Field, Visit};

use crate::callsite::{Callsite, Origin, Role};
use crate::chain::{push_chain, sources};
use crate::emit;
use crate::encode::Parts;
use crate::escape::{Capped, Escape};
use crate::levels::Levels;
use crate::style::Style;
use crate::trace_id;
use crate::value::{Value, push_float};

/// Reads values into the parts of a line.
pub(crate) struct Reader<'a> {
    pub(crate) callsite: &'a Callsite,
    pub(crate) parts: &'a mut Parts,
    pub(crate) style: Style<'a>,
}

impl Reader<'_> {
    fn role(&self, field: &Field) -> &Role {
        self.callsite.roles.get(field.index()).unwrap_or(&Role::None)
    }

    /// A value that is written as it is read: a number, or a field that is hidden.
    fn plain(&mut self, field: &Field, write: impl FnOnce(&mut String)) {
        let callsite = self.callsite;
        match callsite.roles.get(field.index()) {
            Some(Role::Field { key, is_secret }) => {
                self.parts.fields.begin(key);
                if *is_secret {
                    self.style.text(&mut self.parts.fields.text, HIDDEN);
                } else {
                    write(&mut self.parts.fields.text);
                }
            }
            Some(Role::None) | None => {}
            // A number in the place of a text.
            Some(_) => {
                let mut text = String::new();
                write(&mut text);
                self.text(field, &text);
            }
        }
    }

    fn text(&mut self, field: &Field, text: &str) {
        self.text_in(field, text, self.style);
    }

    fn text_in(&mut self, field: &Field, text: &str, style: Style<'_>) {
        let callsite = self.callsite;
        let parts = &mut *self.parts;
        let into = match callsite.roles.get(field.index()) {
            Some(Role::Message) => {
                parts.message.clear();
                return style.bare(&mut parts.message, text, style.longest);
            }
            Some(Role::Error) => return write_error_text(parts, text, style),
            Some(Role::Field { .. }) => return self.plain(field, |out| style.text(out, text)),
            Some(Role::TraceId) => {
                parts.trace_id.clear();
                return parts.trace_id.push_str(trace_id::cut(text));
            }
            Some(Role::Namespace) => &mut parts.namespace,
            Some(Role::Service) => &mut parts.service,
            Some(Role::File) => &mut parts.file,
            Some(Role::Target) => &mut parts.target,
            Some(Role::LineNumber | Role::HandedOver | Role::None) | None => return,
        };
        into.clear();
        into.push_str(text);
    }

    /// What shows itself: written straight into its place, or by way of a text.
    fn shown(&mut self, field: &Field, value: &dyn Debug) {
        let (callsite, style) = (self.callsite, self.style);
        match callsite.roles.get(field.index()) {
            Some(Role::Message) => {
                self.parts.message.clear();
                write_capped(&mut self.parts.message, value, style.escape(), style.longest);
            }
            Some(Role::HandedOver) => emit::write_fields(&mut self.parts.fields, style),
            Some(Role::Field { is_secret: true, .. }) => self.plain(field, |_| {}),
            Some(Role::Field { .. }) if style.as_json => self.plain(field, |out| {
                out.push('"');
                write_capped(out, value, Escape::Json, style.longest);
                out.push('"');
            }),
            Some(Role::None) | None => {}
            Some(_) => {
                let mut spare = std::mem::take(&mut self.parts.spare[0]);
                spare.clear();
                write_capped(&mut spare, value, Escape::None, style.longest);
                self.text_in(field, &spare, style.in_full());
                self.parts.spare[0] = spare;
            }
        }
    }
}

fn write_capped(out: &mut String, value: &dyn Debug, escape: Escape, longest: usize) {
    let mut capped = Capped::new(out, escape, longest);
    // A value that cannot be shown shows what it has.
    let _ = write!(capped, "{value:?}");
    capped.finish();
}

/// The error that a line is about, as its key `error`.
fn write_error_text(parts: &mut Parts, text: &str, style: Style<'_>) {
    parts.error.clear();
    style.key(&mut parts.error, "error");
    style.text(&mut parts.error, text);
}

/// The error that a line is about, and its sources.
fn write_error(parts: &mut Parts, error: &(dyn Error + 'static), style: Style<'_>) {
    let mut text = String::new();
    let [last, next] = &mut parts.spare;
    push_chain(&mut text, error, Escape::None, style.longest, [last, next]);
    parts.error.clear();
    style.key(&mut parts.error, "error");
    style.in_full().text(&mut parts.error, &text);
    if !style.as_json {
        return;
    }
    parts.chain.clear();
    let mut before = ",\"error_chain\":[\"";
    for source in sources(error) {
        parts.chain.push_str(before);
        write_capped(&mut parts.chain, &Displayed(source), Escape::Json, style.longest);
        parts.chain.push('"');
        before = ",\"";
    }
    if before == ",\"" {
        parts.chain.push(']');
    }
}

/// `Debug` by `Display`.
struct Displayed<'a>(&'a dyn Display);

impl Debug for Displayed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Visit for Reader<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, |out| out.push_str(itoa::Buffer::new().format(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if let Role::LineNumber = self.role(field) {
            self.parts.line = Some(value);
        } else {
            self.plain(field, |out| out.push_str(itoa::Buffer::new().format(value)));
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.plain(field, |out| out.push_str(itoa::Buffer::new().format(value)));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.plain(field, |out| out.push_str(itoa::Buffer::new().format(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, |out| out.push_str(if value { "true" } else { "false" }));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.plain(field, |out| push_float(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let style = self.style;
        self.plain(field, |out| Value::bytes(value).write(out, style));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        if let Role::Error = self.role(field) {
            return write_error(self.parts, error, self.style);
        }
        let mut text = String::new();
        let [last, next] = &mut self.parts.spare;
        push_chain(&mut text, error, Escape::None, self.style.longest, [last, next]);
        self.text_in(field, &text, self.style.in_full());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.shown(field, value);
    }
}

/// Decides by the namespace that an event names itself.
pub(crate) struct ByNamespace<'a> {
    pub(crate) callsite: &'a Callsite,
    pub(crate) levels: &'a Levels,
    /// None: the event names no namespace.
    pub(crate) passes: Option<bool>,
    pub(crate) longest: usize,
}

impl ByNamespace<'_> {
    fn is_meant(&self, field: &Field) -> bool {
        matches!(self.callsite.roles.get(field.index()), Some(Role::Namespace))
    }

    fn decide(&mut self, namespace: &str) {
        // That of a logger may be empty, that of a macro is none then.
        if !namespace.is_empty() || self.callsite.origin == Origin::Logger {
            self.passes = Some(self.levels.passes(self.callsite.level, namespace));
        }
    }
}

impl Visit for ByNamespace<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_meant(field) {
            self.decide(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.is_meant(field) {
            let mut text = String::new();
            write_capped(&mut text, value, Escape::None, self.longest);
            self.decide(&text);
        }
    }
}
