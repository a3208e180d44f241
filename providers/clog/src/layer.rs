//! From `tracing` to a line.

use std::borrow::Cow;
use std::cell::RefCell;
use std::error::Error;
use std::fmt::{Debug, Write};
use std::sync::Arc;
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::clog::Core;
use crate::config::Format;
use crate::emit;
use crate::encode::Parts;
use crate::escape::{Escape, Escaped, console_word, json_string};
use crate::fields::{free_key, write_key};
use crate::trace_id;
use crate::value::{sources, write_chain, write_float};

/// The layer that writes the lines of a [`Clog`](crate::Clog).
///
/// It comes with its filter from [`Clog::layer`](crate::Clog::layer); the type is public so that a
/// subscriber can be asked whether it has one.
pub struct ClogLayer {
    core: Arc<Core>,
    /// Whether the levels hold for the whole subscriber, which then has no other layer. Cheaper
    /// than a filter for the one layer, and it answers `tracing::enabled!`.
    is_alone: bool,
}

impl ClogLayer {
    /// The only layer of a subscriber.
    pub(crate) fn alone(core: Arc<Core>) -> Self {
        Self { core, is_alone: true }
    }

    /// A layer among others: its filter stands around it.
    pub(crate) fn among_others(core: Arc<Core>) -> Self {
        Self { core, is_alone: false }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

impl Debug for ClogLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClogLayer").field("core", &self.core).finish()
    }
}

/// What a span lends to the lines inside it.
#[derive(Clone, Default)]
struct SpanContext {
    trace_id: String,
    namespace: String,
}

impl Visit for SpanContext {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "trace_id" => trace_id::cut(value).clone_into(&mut self.trace_id),
            "namespace" => value.clone_into(&mut self.namespace),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), "trace_id" | "namespace") {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

impl<S> Layer<S> for ClogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if !self.is_alone || self.core.levels.may_pass(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        !self.is_alone || self.core.levels.may_pass(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.is_alone.then(|| self.core.levels.most_verbose())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let fields = attributes.metadata().fields();
        if fields.field("trace_id").is_none() && fields.field("namespace").is_none() {
            return;
        }
        let mut found = SpanContext::default();
        attributes.record(&mut found);
        if let Some(span) = context.span(id) {
            // Another log in the same subscriber puts the same here.
            span.extensions_mut().replace(found);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(found) = span.extensions_mut().get_mut::<SpanContext>()
        {
            values.record(found);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let core = &*self.core;
        let metadata = event.metadata();
        let Some(level) = emit::level_of(metadata) else { return };
        let is_logger = emit::is_logger(metadata);

        let mut scratch = Scratch::take();
        let Scratch { parts, keys, line } = &mut *scratch;
        let mut inherited = SpanContext::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(found) = span.extensions().get::<SpanContext>() {
                if inherited.trace_id.is_empty() {
                    inherited.trace_id.clone_from(&found.trace_id);
                }
                if inherited.namespace.is_empty() {
                    inherited.namespace.clone_from(&found.namespace);
                }
            }
        }

        if core.levels.has_rules() {
            // Asked before anything of the line is formatted.
            let mut own = Namespace(String::new());
            event.record(&mut own);
            let by_target =
                if own.0.is_empty() && !is_logger { core.levels.of_target(metadata.target()) } else { None };
            let named = [own.0, inherited.namespace.clone()].into_iter().find(|namespace| !namespace.is_empty());
            let passes = match by_target {
                Some(least) => level >= least,
                None => {
                    let namespace = named.unwrap_or_else(|| unnamed(&core.service, metadata.target()));
                    core.levels.passes(level, &namespace)
                }
            };
            if !passes {
                return scratch.give_back();
            }
        }

        let as_json = core.format == Format::Json;
        if is_logger {
            event.record(&mut LoggerLine { parts, as_json });
        } else {
            event.record(&mut AnyLine { parts, keys, as_json });
            if parts.file.is_empty() {
                parts.file.push_str(metadata.file().unwrap_or_default());
                parts.line = metadata.line().map(u64::from);
            }
            if parts.namespace.is_empty() {
                parts.namespace = match inherited.namespace.is_empty() {
                    true => unnamed(&core.service, metadata.target()),
                    false => inherited.namespace,
                };
            }
        }
        if parts.trace_id.is_empty() {
            parts.trace_id = inherited.trace_id;
        }
        if parts.trace_id.is_empty()
            && let Some(id) = trace_id::trace_id()
        {
            parts.trace_id.push_str(id.as_str());
        }

        parts.write(line, core, level, SystemTime::now());
        core.sink.write_line(level, line.as_bytes());
        scratch.give_back();
    }
}

/// The namespace of a line that names none: the service's own; of a line of Gone's own crates that of the component under it, so that
/// `gone_db` logs as `service.db` and the container as `service.gone`.
fn unnamed(service: &str, target: &str) -> String {
    let krate = target.split("::").next().unwrap_or_default();
    match krate.strip_prefix("gone_").or((krate == "gone").then_some(krate)) {
        Some(component) if !component.is_empty() && !service.is_empty() => format!("{service}.{component}"),
        _ => service.to_owned(),
    }
}

/// The buffers of a line, kept from one line of a thread to the next.
#[derive(Default)]
struct Scratch {
    parts: Parts,
    /// The keys of the line's fields.
    keys: Vec<Cow<'static, str>>,
    line: String,
}

/// A buffer that a long line made longer than this is not kept.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Option<Box<Scratch>>> = const { RefCell::new(None) };
}

impl Scratch {
    /// The thread's own, or new ones where a line is logged while another is formatted.
    fn take() -> Box<Self> {
        SCRATCH.try_with(|scratch| scratch.take()).ok().flatten().unwrap_or_default()
    }

    fn give_back(mut self: Box<Self>) {
        if self.line.capacity() > KEPT {
            return;
        }
        self.parts.clear();
        self.keys.clear();
        self.line.clear();
        // A thread that is ending keeps nothing.
        let _ = SCRATCH.try_with(|scratch| scratch.replace(Some(self)));
    }
}

/// Reads the namespace that an event names itself.
struct Namespace(String);

impl Visit for Namespace {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "namespace" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "namespace" {
            self.0 = format!("{value:?}");
        }
    }

    fn record_error(&mut self, _: &Field, _: &(dyn Error + 'static)) {}
}

fn write_message(parts: &mut Parts, message: &dyn Debug, as_json: bool) {
    let escape = if as_json { Escape::Json } else { Escape::Plain };
    parts.message.clear();
    let _ = write!(Escaped { out: &mut parts.message, escape }, "{message:?}");
}

/// The error that a line is about, as its key `error`, and its sources.
fn write_error(parts: &mut Parts, error: &(dyn Error + 'static), as_json: bool) {
    let mut chain = String::new();
    let _ = write_chain(&mut chain, error);
    write_error_text(parts, &chain, as_json);
    if !as_json {
        return;
    }
    let mut before = ",\"error_chain\":[";
    for source in sources(error) {
        parts.error.push_str(before);
        let _ = json_string(&mut parts.error, &source);
        before = ",";
    }
    if before == "," {
        parts.error.push(']');
    }
}

fn write_error_text(parts: &mut Parts, text: &str, as_json: bool) {
    let out = &mut parts.error;
    out.clear();
    let _ = write_key(out, "error", as_json);
    let _ = if as_json { json_string(out, text) } else { console_word(out, text) };
}

/// Reads a line of a [`Logger`](crate::Logger); its fields come written.
struct LoggerLine<'a> {
    parts: &'a mut Parts,
    as_json: bool,
}

impl Visit for LoggerLine<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "namespace" => self.parts.namespace.push_str(value),
            "service" => self.parts.service.push_str(value),
            "caller.file" => self.parts.file.push_str(value),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "caller.line" {
            self.parts.line = Some(value);
        }
    }

    fn record_error(&mut self, _: &Field, error: &(dyn Error + 'static)) {
        write_error(self.parts, error, self.as_json);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write_message(self.parts, value, self.as_json),
            "fields" if self.as_json => _ = write!(self.parts.fields, "{value:#?}"),
            "fields" => _ = write!(self.parts.fields, "{value:?}"),
            _ => {}
        }
    }
}

/// Reads a line of `tracing`'s own macros.
struct AnyLine<'a> {
    parts: &'a mut Parts,
    keys: &'a mut Vec<Cow<'static, str>>,
    as_json: bool,
}

impl AnyLine<'_> {
    /// Writes the key of a field, and gives the place for its value.
    fn key(&mut self, field: &Field) -> &mut String {
        let name = field.name();
        let name = name.strip_prefix("r#").unwrap_or(name);
        let key = free_key(name, |key| self.keys.iter().any(|taken| taken == key));
        let _ = write_key(&mut self.parts.fields, &key, self.as_json);
        self.keys.push(key);
        &mut self.parts.fields
    }

    fn text(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => write_message(self.parts, &format_args!("{text}"), self.as_json),
            "namespace" => text.clone_into(&mut self.parts.namespace),
            "trace_id" => trace_id::cut(text).clone_into(&mut self.parts.trace_id),
            "error" => write_error_text(self.parts, text, self.as_json),
            _ => {
                let as_json = self.as_json;
                let out = self.key(field);
                let _ = if as_json { json_string(out, text) } else { console_word(out, text) };
            }
        }
    }
}

impl Visit for AnyLine<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        let _ = write!(self.key(field), "{value}");
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let _ = write!(self.key(field), "{value}");
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        let _ = write!(self.key(field), "{value}");
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        let _ = write!(self.key(field), "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let _ = write!(self.key(field), "{value}");
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let _ = write_float(self.key(field), value);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let as_json = self.as_json;
        let out = self.key(field);
        let bytes = crate::Value::bytes(value);
        let _ = if as_json { bytes.write_json(out) } else { bytes.write_console(out) };
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        if field.name() == "error" {
            return write_error(self.parts, error, self.as_json);
        }
        let mut chain = String::new();
        let _ = write_chain(&mut chain, error);
        self.text(field, &chain);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write_message(self.parts, value, self.as_json),
            _ => self.text(field, &format!("{value:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unnamed;

    #[test]
    fn a_component_of_gone_logs_under_its_own_name() {
        for (target, expected) in [
            ("gone_db::pool", "app.db"),
            ("gone", "app.gone"),
            ("gone_", "app"),
            ("gonery::x", "app"),
            ("app::main", "app"),
        ] {
            assert_eq!(unnamed("app", target), expected, "{target}");
        }
        assert_eq!(unnamed("", "gone_db"), "");
    }
}
