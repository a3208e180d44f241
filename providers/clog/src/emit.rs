//! From a logger into `tracing`, and how its lines are known again on the other side.

use std::error::Error;
use std::fmt::Display;
use std::panic::Location;

use tracing::Metadata;

use crate::fields::LineFields;
use crate::level::Level;

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
    pub(crate) fields: LineFields<'a>,
}

/// One static callsite a level. The layer decides by `namespace` and reads `error` before
/// `fields`, so their order here counts.
macro_rules! callsite {
    ($name:literal, $level:ident, $record:ident) => {
        tracing::event!(
            name: $name,
            target: TARGET,
            tracing::Level::$level,
            namespace = $record.namespace,
            service = $record.service,
            caller.file = $record.caller.file(),
            caller.line = $record.caller.line(),
            error = $record.error,
            fields = (!$record.fields.is_empty()).then(|| tracing::field::debug(&$record.fields)),
            "{}",
            $record.message
        )
    };
}

/// Gives a line to `tracing`. Nothing of it is formatted when nobody wants its level.
pub(crate) fn emit(level: Level, record: &Record<'_>) {
    match level {
        Level::Debug => callsite!("debug", DEBUG, record),
        Level::Info => callsite!("info", INFO, record),
        Level::Warn => callsite!("warn", WARN, record),
        Level::Error => callsite!("error", ERROR, record),
        Level::Fatal => callsite!("fatal", ERROR, record),
    }
}

/// Whether some subscriber wants lines of a logger at this level.
pub(crate) fn is_enabled(level: Level) -> bool {
    match level {
        Level::Debug => tracing::enabled!(target: TARGET, tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(target: TARGET, tracing::Level::INFO),
        Level::Warn => tracing::enabled!(target: TARGET, tracing::Level::WARN),
        Level::Error => tracing::enabled!(target: TARGET, tracing::Level::ERROR),
        Level::Fatal => true,
    }
}

/// Whether this is a callsite of this file: its `fields` are what [`LineFields`] writes.
pub(crate) fn is_logger(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET && metadata.module_path() == Some(module_path!())
}

/// The level of an event; none for those that are never written.
pub(crate) fn level_of(metadata: &Metadata<'_>) -> Option<Level> {
    if *metadata.level() == tracing::Level::ERROR && metadata.name() == FATAL && is_logger(metadata) {
        return Some(Level::Fatal);
    }
    Level::of(*metadata.level())
}
