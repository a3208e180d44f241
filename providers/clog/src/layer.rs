//! From `tracing` to a line.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::callsite::{Callsite, Origin};
use crate::clog::Core;
use crate::encode::Parts;
use crate::kept::Found;
use crate::place::push_below;
use crate::reader::{ByNamespace, Reader};
use crate::sampling::{Notice, Verdict};
use crate::spans::Lent;
use crate::time::{LocalTime, second_of};
use crate::trace_id;

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

    fn log(&self) -> usize {
        Arc::as_ptr(&self.core).addr()
    }

    fn callsite(&self, metadata: &'static Metadata<'static>, is_log: impl Fn() -> bool) -> Found<'_, Callsite> {
        let key = (std::ptr::from_ref(metadata).addr(), 0);
        self.core.lines.callsites.find(key, || Callsite::new(metadata, is_log(), &self.core))
    }

    /// Reads what a span lends to the lines inside it, and keeps it with the span.
    fn keep<S>(&self, id: &Id, context: &Context<'_, S>, read: impl FnOnce(&mut Reader<'_>))
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(span) = context.span(id) else { return };
        let mut scratch = Scratch::take();
        let callsite = self.callsite(span.metadata(), || false);
        if callsite.may_name_namespace {
            self.core.levels.spans_name_namespaces();
        }
        read(&mut Reader { callsite: &callsite, parts: &mut scratch.parts, style: self.core.style() });
        if !self.core.lines.span_fields {
            scratch.parts.fields.clear();
        }
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Lent>() {
            Some(lent) => lent.take(self.log(), &scratch.parts),
            None => {
                let mut lent = Lent::default();
                lent.take(self.log(), &scratch.parts);
                extensions.insert(lent);
            }
        }
        drop(extensions);
        scratch.give_back();
    }

    /// Whether an event is written, told by its target and its namespace before anything of it is
    /// formatted.
    fn passes<S>(&self, callsite: &Callsite, event: &Event<'_>, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (levels, level) = (&self.core.levels, callsite.level);
        if callsite.may_name_namespace {
            let mut own = ByNamespace { callsite, levels, passes: None, longest: self.core.lines.max_name };
            event.record(&mut own);
            if let Some(passes) = own.passes {
                return passes;
            }
        }
        if callsite.origin == Origin::Log {
            let record = event.normalized_metadata();
            let target = record.as_ref().map_or("", |record| record.target());
            let mut namespace = String::new();
            push_below(&mut namespace, &self.core.service, target);
            return levels.passes_by_target(level, target, &namespace);
        }
        let target = event.metadata().target();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(lent) = span.extensions().get::<Lent>()
                && let Some(text) = lent.of(self.log())
                && !text.namespace().is_empty()
            {
                return levels.passes_by_target(level, target, text.namespace());
            }
        }
        levels.passes_by_target(level, target, &callsite.namespace)
    }
}

impl Debug for ClogLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClogLayer").field("core", &self.core).finish()
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
        if !attributes.metadata().fields().is_empty() {
            self.keep(id, &context, |reader| attributes.record(reader));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.keep(id, &context, |reader| values.record(reader));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let core = &*self.core;
        let callsite = &*self.callsite(event.metadata(), || event.is_log());
        if core.levels.has_rules() && !self.passes(callsite, event, &context) {
            return;
        }
        let mut scratch = Scratch::take();
        let Scratch { parts, line, local } = &mut *scratch;
        event.record(&mut Reader { callsite, parts, style: core.style() });
        let is_macro = callsite.origin == Origin::Macro;
        if callsite.origin == Origin::Log {
            push_below(&mut parts.namespace, &core.service, &parts.target);
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(lent) = span.extensions().get::<Lent>()
                && let Some(text) = lent.of(self.log())
            {
                text.lend(parts, is_macro, core.lines.max_line);
            }
        }
        if parts.trace_id.is_empty() {
            trace_id::with_current(|id| parts.trace_id.push_str(id));
        }
        parts.locate(core, callsite);

        let now = core.lines.clock.wall();
        if let Some(sampler) = &core.lines.sampler {
            let second = second_of(now);
            let untold = sampler.untold(second, false);
            match sampler.judge(callsite.level, &parts.message, &parts.caller, second, || parts.place.clone()) {
                Verdict::LeftOut => {
                    scratch.give_back();
                    return core.tell(untold);
                }
                Verdict::Written { suppressed } => parts.suppressed = suppressed,
            }
            core.tell(untold);
        }
        parts.write(line, core, callsite.level, local, now);
        core.sink.write_line(callsite.level, line.as_bytes());
        scratch.give_back();
    }
}

impl Core {
    /// Writes lines about those that sampling left out and that are not told yet.
    pub(crate) fn tell_suppressed(&self) {
        if let Some(sampler) = &self.lines.sampler {
            self.tell(sampler.untold(second_of(self.lines.clock.wall()), true));
        }
    }

    fn tell(&self, notices: Vec<Notice>) {
        for Notice { about, suppressed } in notices {
            let mut scratch = Scratch::take();
            let Scratch { parts, line, local } = &mut *scratch;
            parts.message.push_str("lines left out: ");
            parts.message.push_str(&about.message);
            parts.caller.push_str(&about.caller);
            parts.place.push_str(&about.place);
            parts.suppressed = suppressed;
            parts.write(line, self, about.level, local, self.lines.clock.wall());
            self.sink.write_line(about.level, line.as_bytes());
            scratch.give_back();
        }
    }
}

/// The buffers of a line, kept from one line of a thread to the next.
#[derive(Default)]
struct Scratch {
    parts: Parts,
    line: String,
    local: LocalTime,
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
        if self.line.capacity() > KEPT || self.parts.is_larger_than(KEPT) {
            return;
        }
        self.parts.clear();
        self.line.clear();
        // A thread that is ending keeps nothing.
        let _ = SCRATCH.try_with(|scratch| scratch.replace(Some(self)));
    }
}
