//! What components log with.

use std::borrow::Cow;
use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Display};
use std::panic::Location;
use std::sync::Arc;

use crate::clog::Core;
use crate::emit::{self, Record};
use crate::fields::{Entry, Fields, put};
use crate::layer::ClogLayer;
use crate::level::Level;
use crate::value::Value;

/// Logs lines under a namespace, with fields of its own. Cheap to clone.
///
/// Lines go through `tracing` to the subscriber that is current where they are logged: a
/// [`Clog`](crate::Clog), or any other. Each call names its caller. A message is formatted only
/// when somebody wants its level.
#[derive(Clone)]
pub struct Logger(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    service: Arc<str>,
    namespace: Arc<str>,
    /// None: no fields.
    fields: Option<Arc<Fields>>,
    /// The log that gave this logger out, if one did.
    core: Option<Arc<Core>>,
}

impl Logger {
    /// A logger at the root namespace `service`, bound to no log:
    /// [`fatal`](Self::fatal) reaches the hook of the [`Clog`](crate::Clog) that is current then.
    pub fn root(service: impl Into<String>) -> Self {
        Self::with_core(service.into(), None)
    }

    pub(crate) fn with_core(service: String, core: Option<Arc<Core>>) -> Self {
        let service: Arc<str> = service.into();
        let namespace = Arc::clone(&service);
        Self(Arc::new(Inner { service, namespace, fields: None, core }))
    }

    /// A logger one level down: `name` after this one's namespace and a dot. To any depth; this
    /// logger stays as it is. An empty name changes nothing.
    #[must_use = "this logger stays as it is"]
    pub fn namespace(&self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        if name.is_empty() {
            return self.clone();
        }
        let namespace = match &*self.0.namespace {
            "" => name.into(),
            parent => format!("{parent}.{name}").into(),
        };
        Self(Arc::new(Inner { namespace, ..(*self.0).clone() }))
    }

    /// A logger with one more field on each of its lines; this logger stays as it is.
    ///
    /// A field with the same key is replaced. A key that lines have of themselves (`time`, `level`,
    /// `msg`, `caller`, `namespace`, `service`, `trace_id`, `error`, `error_chain`) is written as
    /// `field.<key>`.
    #[must_use = "this logger stays as it is"]
    pub fn with(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        let bound = self.0.fields.as_deref();
        let fields = bound.unwrap_or(&Fields::default()).with(key.into(), value.into());
        let fields = Some(Arc::new(fields));
        Self(Arc::new(Inner { fields, ..(*self.0).clone() }))
    }

    /// The namespace in full, the service first.
    pub fn path(&self) -> &str {
        &self.0.namespace
    }

    /// The root of the namespace.
    pub fn service(&self) -> &str {
        &self.0.service
    }

    /// Whether a line of this logger would be written at this level: worth asking before something
    /// costly is worked out for it. Lines at [`Level::Fatal`] always are.
    ///
    /// The current [`Clog`](crate::Clog) answers; where there is none, the current subscriber.
    pub fn enabled(&self, level: Level) -> bool {
        if level == Level::Fatal {
            return true;
        }
        if is_out(level) {
            return false;
        }
        // A subscriber with filters for single layers must not be asked by `enabled!`: its answer
        // is kept for an event that then does not come.
        tracing::dispatcher::get_default(|current| {
            let layer = current.downcast_ref::<ClogLayer>()?;
            Some(layer.core().levels.passes(level, self.path()))
        })
        .unwrap_or_else(|| emit::is_enabled(level))
    }

    /// Logs a step, to follow one thing through the code.
    #[track_caller]
    #[inline]
    pub fn trace(&self, message: impl Display) {
        self.emit(Level::Trace, Location::caller(), &message, None, Vec::new());
    }

    /// Logs what helps while something is being looked into.
    #[track_caller]
    #[inline]
    pub fn debug(&self, message: impl Display) {
        self.emit(Level::Debug, Location::caller(), &message, None, Vec::new());
    }

    /// Logs what happens in the normal course of things.
    #[track_caller]
    #[inline]
    pub fn info(&self, message: impl Display) {
        self.emit(Level::Info, Location::caller(), &message, None, Vec::new());
    }

    /// Logs what somebody should look at some time.
    #[track_caller]
    #[inline]
    pub fn warn(&self, message: impl Display) {
        self.emit(Level::Warn, Location::caller(), &message, None, Vec::new());
    }

    /// Logs what failed.
    #[track_caller]
    #[inline]
    pub fn error(&self, message: impl Display) {
        self.emit(Level::Error, Location::caller(), &message, None, Vec::new());
    }

    /// Logs what failed, and why: the error and its sources stand under `error`, and the sources
    /// one by one under `error_chain`.
    #[track_caller]
    #[inline]
    pub fn error_with(&self, message: impl Display, error: &(dyn Error + 'static)) {
        self.emit(Level::Error, Location::caller(), &message, Some(error), Vec::new());
    }

    /// Logs what somebody should look at, and the error that it is about.
    #[track_caller]
    #[inline]
    pub fn warn_with(&self, message: impl Display, error: &(dyn Error + 'static)) {
        self.emit(Level::Warn, Location::caller(), &message, Some(error), Vec::new());
    }

    /// Logs what the program cannot go on after, writes out what is pending, and calls the
    /// [exit hook](crate::ClogBuilder::on_fatal) with code 1.
    ///
    /// The hook is that of the log that gave this logger out, or else of the one that is current
    /// here. This function returns when the hook does: it ends no process by itself.
    #[track_caller]
    #[inline]
    pub fn fatal(&self, message: impl Display) {
        self.emit(Level::Fatal, Location::caller(), &message, None, Vec::new());
        self.after_fatal();
    }

    /// Begins a line with fields of its own.
    ///
    /// ```
    /// # let log = gone_clog::Logger::root("orders");
    /// # let error = std::io::Error::other("refused");
    /// log.at(gone_clog::Level::Warn).field("attempt", 3).error(&error).write("trying again");
    /// ```
    pub fn at(&self, level: Level) -> Line<'_> {
        Line { logger: self, level, fields: SPARE.try_with(Cell::take).unwrap_or_default(), error: None }
    }

    #[inline]
    fn emit(
        &self,
        level: Level,
        caller: &'static Location<'static>,
        message: &dyn Display,
        error: Option<&(dyn Error + 'static)>,
        own: Vec<Entry>,
    ) {
        if !is_out(level) {
            self.emit_wanted(level, caller, message, error, own);
        }
    }

    fn emit_wanted(
        &self,
        level: Level,
        caller: &'static Location<'static>,
        message: &dyn Display,
        error: Option<&(dyn Error + 'static)>,
        own: Vec<Entry>,
    ) {
        let Inner { namespace, service, fields, .. } = &*self.0;
        let mut spare = emit::emit(level, &Record { namespace, service, caller, message, error }, fields.as_ref(), own);
        if (1..=MOST_KEPT).contains(&spare.capacity()) {
            spare.clear();
            let _ = SPARE.try_with(|kept| kept.set(spare));
        }
    }

    fn after_fatal(&self) {
        let core = self.0.core.clone().or_else(|| {
            tracing::dispatcher::get_default(|current| {
                current.downcast_ref::<ClogLayer>().map(|layer| Arc::clone(layer.core()))
            })
        });
        // Outside of the dispatcher: the hook may log.
        if let Some(core) = core {
            core.fatal();
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fields' values may be anything, so they are not shown.
        f.debug_struct("Logger").field("namespace", &self.path()).finish_non_exhaustive()
    }
}

thread_local! {
    /// Room for the fields of a line, kept from one line of a thread to the next.
    static SPARE: Cell<Vec<Entry>> = const { Cell::new(Vec::new()) };
}

/// Room for more fields than this is not kept.
const MOST_KEPT: usize = 64;

/// Whether no subscriber of the process wants lines at this level.
#[inline]
fn is_out(level: Level) -> bool {
    level.in_tracing() > tracing::level_filters::LevelFilter::current()
}

/// A line that is being put together; see [`Logger::at`]. Nothing is logged before
/// [`write`](Self::write).
#[must_use = "a line is logged by `write`"]
pub struct Line<'a> {
    logger: &'a Logger,
    level: Level,
    fields: Vec<Entry>,
    error: Option<&'a (dyn Error + 'static)>,
}

impl<'a> Line<'a> {
    /// Adds a field, under the rules of [`Logger::with`].
    pub fn field(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        if !is_out(self.level) {
            put(&mut self.fields, key.into(), value.into());
        }
        self
    }

    /// Sets the error that the line is about; the last one counts.
    pub fn error(mut self, error: &'a (dyn Error + 'static)) -> Self {
        self.error = Some(error);
        self
    }

    /// Logs the line. At [`Level::Fatal`] the rest of [`Logger::fatal`] follows.
    #[track_caller]
    #[inline]
    pub fn write(self, message: impl Display) {
        let Self { logger, level, fields, error } = self;
        logger.emit(level, Location::caller(), &message, error, fields);
        if level == Level::Fatal {
            logger.after_fatal();
        }
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("logger", self.logger).field("level", &self.level).finish_non_exhaustive()
    }
}
