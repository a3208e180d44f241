//! A log: its layer, its writer, and what it does when a program cannot go on.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use tracing::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{ClogConfig, Colour, Format, Output};
use crate::error::ClogError;
use crate::layer::ClogLayer;
use crate::levels::{LevelSettings, Levels, LevelsFilter};
use crate::lines::Lines;
use crate::logger::Logger;
use crate::sink::{FlushReport, Sink, open_file};
use crate::time::Clock;

/// Called with the exit code after a fatal line; see [`ClogBuilder::on_fatal`].
pub type ExitHook = Arc<dyn Fn(i32) + Send + Sync>;

/// An open log. Clones are the same log.
///
/// Lines are written and flushed one by one, each before the call that logs it returns.
#[derive(Clone, Debug)]
pub struct Clog {
    core: Arc<Core>,
}

/// What the layer, the loggers and the log itself share.
pub(crate) struct Core {
    pub(crate) format: Format,
    pub(crate) is_coloured: bool,
    pub(crate) add_source: bool,
    pub(crate) service: String,
    pub(crate) root_path: String,
    pub(crate) levels: Arc<Levels>,
    pub(crate) lines: Lines,
    pub(crate) sink: Sink,
    on_fatal: Option<ExitHook>,
    had_fatal: AtomicBool,
}

impl Core {
    /// What follows a fatal line.
    pub(crate) fn fatal(&self) {
        self.had_fatal.store(true, Ordering::Release);
        self.sink.flush();
        if let Some(hook) = &self.on_fatal {
            hook(1);
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("service", &self.service)
            .field("format", &self.format)
            .field("levels", &self.levels)
            .finish_non_exhaustive()
    }
}

/// What [`Clog::install`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// This log is the process's default subscriber now.
    AsDefault,
    /// There was a default subscriber already. It stays, and gets the lines of all loggers; this
    /// log writes only what is logged under its own [`subscriber`](Clog::subscriber) or
    /// [`layer`](Clog::layer).
    Joined,
}

impl Clog {
    /// Opens a log as the configuration says. Nothing is installed yet.
    ///
    /// # Errors
    ///
    /// [`ClogError::Invalid`] when the configuration does not [validate](ClogConfig::validate), and
    /// [`ClogError::Open`] when the file cannot be opened or its folder not be made.
    pub fn open(config: ClogConfig) -> Result<Self, ClogError> {
        Self::builder(config).open()
    }

    /// Opens a log that writes into `writer` in the place of the configured output.
    ///
    /// # Errors
    ///
    /// [`ClogError::Invalid`] when the configuration does not [validate](ClogConfig::validate).
    pub fn with_writer(config: ClogConfig, writer: impl Write + Send + 'static) -> Result<Self, ClogError> {
        Self::builder(config).writer(writer).open()
    }

    /// Begins a log with more than a configuration.
    pub fn builder(config: ClogConfig) -> ClogBuilder {
        ClogBuilder { config, writer: None, on_fatal: None, clock: Clock::System }
    }

    /// A logger at the root namespace of this log.
    pub fn logger(&self) -> Logger {
        Logger::with_core(self.core.service.clone(), Some(Arc::clone(&self.core)))
    }

    /// The layer of this log with its levels, for a subscriber that has layers of its own. The
    /// levels concern this layer alone.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter = LevelsFilter(Arc::clone(&self.core.levels));
        ClogLayer::among_others(Arc::clone(&self.core)).with_filter(filter)
    }

    /// A subscriber of this log alone, for instance for `tracing::subscriber::with_default`.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        Registry::default().with(ClogLayer::alone(Arc::clone(&self.core)))
    }

    /// Makes this log the process's default subscriber, if there is none yet. As such it gets the
    /// records of the `log` crate too, if nobody else does yet.
    pub fn install(&self) -> Installed {
        // A subscriber is not made to be thrown away.
        if tracing::dispatcher::has_been_set() {
            return Installed::Joined;
        }
        match tracing::subscriber::set_global_default(self.subscriber()) {
            Ok(()) => {
                // An error: somebody else has them. The level of `tracing` decides on each record.
                let _ = tracing_log::LogTracer::init();
                Installed::AsDefault
            }
            Err(_) => Installed::Joined,
        }
    }

    /// Puts other levels in the place of those that hold now; see [`Levels::replace`].
    #[cfg_attr(not(test), expect(dead_code, reason = "a configuration that changes calls it"))]
    pub(crate) fn replace_levels(&self, settings: &LevelSettings<'_>) -> Result<(), ClogError> {
        self.core.levels.replace(settings)
    }

    /// Writes out what is pending, and tells what became of all lines so far.
    pub fn flush(&self) -> FlushReport {
        self.core.tell_suppressed();
        self.core.sink.flush()
    }

    /// What became of all lines so far. No I/O.
    pub fn lines(&self) -> FlushReport {
        self.core.sink.report()
    }

    /// How many lines [sampling](crate::Sampling) left out so far.
    pub fn suppressed(&self) -> u64 {
        self.core.lines.sampler.as_ref().map_or(0, crate::sampling::Sampler::suppressed)
    }

    /// Flushes and closes the output. Lines that come later are lost; a later report counts them.
    pub fn close(&self) -> FlushReport {
        self.core.tell_suppressed();
        self.core.sink.close()
    }

    /// Whether a fatal line was logged.
    pub fn had_fatal(&self) -> bool {
        self.core.had_fatal.load(Ordering::Acquire)
    }
}

/// Opens a [`Clog`].
pub struct ClogBuilder {
    config: ClogConfig,
    writer: Option<Box<dyn Write + Send>>,
    on_fatal: Option<ExitHook>,
    clock: Clock,
}

impl ClogBuilder {
    /// Takes the time of each line from `now` in the place of the system's clock.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::Given(Arc::new(now));
        self
    }

    /// Calls `hook` with the exit code 1 after each fatal line, once it is written out, on the
    /// thread that logged it. Without a hook a fatal line is only remembered, see
    /// [`Clog::had_fatal`]. Nothing but the hook ends the process.
    pub fn on_fatal(mut self, hook: ExitHook) -> Self {
        self.on_fatal = Some(hook);
        self
    }

    /// Writes into `writer` in the place of the configured output. It gets one line a call of
    /// `write_all`, and a flush after each.
    pub fn writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.writer = Some(Box::new(writer));
        self
    }

    /// Opens the log.
    ///
    /// # Errors
    ///
    /// As [`Clog::open`].
    pub fn open(self) -> Result<Clog, ClogError> {
        let Self { config, writer, on_fatal, clock } = self;
        config.validate()?;
        let (writer, is_terminal): (Box<dyn Write + Send>, bool) = match (writer, &config.output) {
            (Some(writer), _) => (writer, false),
            (None, Output::Stdout) => (Box::new(io::stdout()), io::stdout().is_terminal()),
            (None, Output::Stderr) => (Box::new(io::stderr()), io::stderr().is_terminal()),
            (None, Output::File(path)) => match open_file(path) {
                Ok(file) => (Box::new(file), false),
                Err(source) => return Err(ClogError::Open { path: path.clone(), source }),
            },
        };
        let service = if config.service.is_empty() { program_name() } else { config.service.clone() };
        let levels = Arc::new(Levels::new(&LevelSettings::of(&config), service.clone())?);
        let lines = Lines::new(&config, clock);
        let core = Core {
            format: config.format,
            is_coloured: config.format == Format::Console
                && match config.colour {
                    Colour::Always => true,
                    Colour::Never => false,
                    Colour::Auto => is_terminal && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
                },
            add_source: config.add_source,
            service,
            root_path: config.root_path,
            levels,
            lines,
            sink: Sink::new(writer),
            on_fatal,
            had_fatal: AtomicBool::new(false),
        };
        Ok(Clog { core: Arc::new(core) })
    }
}

impl fmt::Debug for ClogBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClogBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The name of the running program, for a log whose service has none.
fn program_name() -> String {
    env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "app".to_owned())
}
