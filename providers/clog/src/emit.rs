//! From a logger into `tracing`, and how its lines are known again on the other side.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::panic::Location;
use std::sync::Arc;

use tracing::Metadata;

use crate::fields::{Entry, Fields, LineFields, Written};
use crate::level::Level;
use crate::style::Style;

/// The target of every line of a [`Logger`](crate::Logger).
const TARGET: &str = "clog";
/// The name of the callsite of lines at [`Level::Fatal`], which `tracing` has no level for.
const FATAL: &str = "fatal";

/// What a line carries into `tracing`.
pub(crate) struct Record<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) service: &'a str,
    pub(crate) caller: &'static Location<'static>,
    pub(crate) message: &'a dyn Display,
    pub(crate) error: Option<&'a (dyn Error + 'static)>,
}

/// One static callsite a level.
macro_rules! callsite {
    ($name:literal, $level:ident, $record:ident, $fields:ident) => {
        tracing::event!(
            name: $name,
            target: TARGET,
            tracing::Level::$level,
            namespace = $record.namespace,
            service = $record.service,
            caller.file = $record.caller.file(),
            caller.line = $record.caller.line(),
            error = $record.error,
            fields = $fields.hand_over(),
            "{}",
            $record.message
        )
    };
}

/// Gives a line to `tracing`. Nothing of it is formatted when nobody wants its level. Gives the
/// line's own fields back, for the next line to use their room.
pub(crate) fn emit(level: Level, record: &Record<'_>, bound: Option<&Arc<Fields>>, own: Vec<Entry>) -> Vec<Entry> {
    let fields = HandOver { bound, own: Cell::new(own), before: Cell::new(None) };
    match level {
        Level::Trace => callsite!("trace", TRACE, record, fields),
        Level::Debug => callsite!("debug", DEBUG, record, fields),
        Level::Info => callsite!("info", INFO, record, fields),
        Level::Warn => callsite!("warn", WARN, record, fields),
        Level::Error => callsite!("error", ERROR, record, fields),
        Level::Fatal => callsite!("fatal", ERROR, record, fields),
    }
    fields.take_back()
}

thread_local! {
    /// The fields of the line that this thread is giving to `tracing`, which carries no values of
    /// types that it does not know.
    static HANDED_OVER: RefCell<LineFields> = const { RefCell::new(LineFields::NONE) };
}

/// The fields of a line on their way; a line that is logged while another is formatted has its own.
struct HandOver<'a> {
    bound: Option<&'a Arc<Fields>>,
    own: Cell<Vec<Entry>>,
    /// Those of the line around this one, while these are handed over.
    before: Cell<Option<LineFields>>,
}

impl HandOver<'_> {
    /// Lays the fields out, and gives what shows them to whoever knows no more than `tracing`.
    fn hand_over(&self) -> Option<tracing::field::DebugValue<Shown>> {
        let own = self.own.take();
        if self.bound.is_none() && own.is_empty() {
            self.own.set(own);
            return None;
        }
        self.before.set(swap(LineFields { bound: self.bound.cloned(), own }));
        Some(tracing::field::debug(Shown))
    }

    fn take_back(self) -> Vec<Entry> {
        self.restore();
        self.own.take()
    }

    fn restore(&self) {
        if let Some(fields) = self.before.take().and_then(swap) {
            self.own.set(fields.own);
        }
    }
}

/// None on a thread that is ending: its last lines may come without their fields.
fn swap(fields: LineFields) -> Option<LineFields> {
    HANDED_OVER.try_with(|current| current.replace(fields)).ok()
}

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}

/// The fields of the line at hand, as a console shows them.
struct Shown;

impl Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Written::default();
        write_fields(&mut out, Style::uncapped(false));
        f.write_str(&out.text)
    }
}

/// Writes the fields of the logger's line at hand, which has some.
pub(crate) fn write_fields(out: &mut Written, style: Style<'_>) {
    let _ = HANDED_OVER.try_with(|fields| fields.borrow().write(out, style));
}

/// Whether some subscriber wants lines of a logger at this level.
pub(crate) fn is_enabled(level: Level) -> bool {
    match level {
        Level::Trace => tracing::enabled!(target: TARGET, tracing::Level::TRACE),
        Level::Debug => tracing::enabled!(target: TARGET, tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(target: TARGET, tracing::Level::INFO),
        Level::Warn => tracing::enabled!(target: TARGET, tracing::Level::WARN),
        Level::Error => tracing::enabled!(target: TARGET, tracing::Level::ERROR),
        Level::Fatal => true,
    }
}

/// Whether this is a callsite of this file.
pub(crate) fn is_logger(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET && metadata.module_path() == Some(module_path!())
}

/// The level of an event.
pub(crate) fn level_of(metadata: &Metadata<'_>) -> Level {
    if *metadata.level() == tracing::Level::ERROR && metadata.name() == FATAL && is_logger(metadata) {
        return Level::Fatal;
    }
    Level::of(*metadata.level())
}
