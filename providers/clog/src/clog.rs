//! A log: its layer, its writer, and what it does when a program cannot go on.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gone_config::{Section, SectionError, SectionFault};
use gone_kit::Clock;
use tracing::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{ClogConfig, Colour, Format, Output};
use crate::error::ClogError;
use crate::guard::FlushGuard;
use crate::layer::ClogLayer;
use crate::levels::{LevelSettings, Levels, LevelsFilter};
use crate::lines::Lines;
use crate::logger::Logger;
use crate::panic_hook;
use crate::sink::{ClogStats, FlushReport, LogFile, NoticeStyle, Sink};

/// Called with the exit code after a fatal line; see [`ClogBuilder::on_fatal`].
pub type ExitHook = Arc<dyn Fn(i32) + Send + Sync>;

/// How long a fatal line is waited for before its hook is called.
const FATAL_FLUSH: Duration = Duration::from_secs(5);

/// An open log. Clones are the same log.
///
/// What becomes of a line, and when, is told at [`Queue`](crate::Queue). When the last handle of a log
/// is dropped (a `Clog`, a logger, a layer), what waits in its queue is written, for at most one
/// second; a log that is [installed](Self::install) is never dropped.
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
        self.sink.flush(FATAL_FLUSH);
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
#[non_exhaustive]
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
    /// [`ClogError::Config`] when the section does not [validate](Section::validate), and
    /// [`ClogError::Open`] when the file cannot be opened or its folder not be made.
    pub fn open(config: ClogConfig) -> Result<Self, ClogError> {
        Self::builder(config).open()
    }

    /// Opens a log that writes into `writer` in the place of the configured output.
    ///
    /// # Errors
    ///
    /// [`ClogError::Config`] when the section does not [validate](Section::validate).
    pub fn with_writer(config: ClogConfig, writer: impl Write + Send + 'static) -> Result<Self, ClogError> {
        Self::builder(config).writer(writer).open()
    }

    /// Begins a log with more than a configuration.
    pub fn builder(config: ClogConfig) -> ClogBuilder {
        ClogBuilder { config, writer: None, on_fatal: None, clock: Clock::system() }
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
    ///
    /// From then on a panic, on any thread, flushes this log, for at most one second: a hook is set once
    /// for the process, which first calls the hook that was there.
    pub fn install(&self) -> Installed {
        panic_hook::flush_on_panic(&self.core);
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
    pub(crate) fn replace_levels(&self, settings: &LevelSettings<'_>) -> Result<(), ClogError> {
        self.core.levels.replace(settings)
    }

    /// Waits until every line that was logged before is handed to the operating system, and what was
    /// lost is told in the log; at most for `limit`. Then tells what became of all lines so far.
    ///
    /// Lines are pending in the report when the time was over, and when the output failed for a second
    /// on end; they go on being tried. This call blocks its thread: in async code it belongs into
    /// `spawn_blocking`. A disk's own cache is not flushed.
    pub fn flush(&self, limit: Duration) -> FlushReport {
        self.core.tell_suppressed();
        self.core.sink.flush(limit)
    }

    /// Flushes as [`flush`](Self::flush) before the process ends; the lines that come after are each
    /// waited for as one at `error` is.
    pub(crate) fn flush_for_the_end(&self, limit: Duration) -> FlushReport {
        self.core.sink.expect_the_end();
        self.flush(limit)
    }

    /// Flushes as [`flush`](Self::flush), and closes the output. Lines that wait when the time is over
    /// are lost, and so are lines that come later; a later report counts them.
    ///
    /// Lines are pending in the report only when the output has them and does not return; whether they
    /// are written or lost is decided when it does. Also waits until old files are compressed, within the
    /// limit. Blocks its thread.
    pub fn close(&self, limit: Duration) -> FlushReport {
        self.core.tell_suppressed();
        self.core.sink.close(limit)
    }

    /// A guard that flushes when it is dropped, for the end of `main` in a program without the
    /// container.
    ///
    /// `limit` is how long it may take. `std::process::exit` drops no guard: what waits in the queue
    /// then is lost.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use gone_clog::{Clog, ClogConfig, Section};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let clog = Clog::open(ClogConfig::for_profile("production")?)?;
    ///     clog.install();
    ///     let _guard = clog.guard(Duration::from_secs(5));
    ///     tracing::info!("hello");
    ///     Ok(())
    /// }
    /// ```
    pub fn guard(&self, limit: Duration) -> FlushGuard {
        FlushGuard::new(self.clone(), limit)
    }

    /// What became of all lines so far. No I/O.
    pub fn lines(&self) -> FlushReport {
        self.core.sink.report()
    }

    /// How many lines [sampling](crate::Sampling) left out so far.
    pub fn suppressed(&self) -> u64 {
        self.core.lines.sampler.as_ref().map_or(0, crate::sampling::Sampler::suppressed)
    }

    /// The figures of this log. No I/O.
    pub fn stats(&self) -> ClogStats {
        self.core.sink.stats()
    }

    /// Opens the file of the log again, before the next line at the latest: for whoever rotates it from
    /// outside and tells so, for instance by SIGHUP, which a program takes with `tokio::signal::unix` and
    /// answers by this call. No line is lost.
    ///
    /// It is seldom needed: a file that is not at its path any more is noticed by the first line that
    /// comes a quarter of a second after the last look, and opened again with its folders. If that fails,
    /// lines go on into the file that was there before, and the log says so. An output that is no file
    /// stays as it is.
    pub fn reopen(&self) {
        self.core.sink.reopen();
    }

    /// Whether a fatal line was logged.
    pub fn had_fatal(&self) -> bool {
        self.core.had_fatal.load(Ordering::Acquire)
    }
}

/// Opens a [`Clog`].
#[must_use = "nothing is opened until `open`"]
pub struct ClogBuilder {
    config: ClogConfig,
    writer: Option<Box<dyn Write + Send>>,
    on_fatal: Option<ExitHook>,
    clock: Clock,
}

impl ClogBuilder {
    /// Calls `hook` with the exit code 1 after each fatal line, once it is written out, on the
    /// thread that logged it. Without a hook a fatal line is only remembered, see
    /// [`Clog::had_fatal`]. Nothing but the hook ends the process.
    pub fn on_fatal(mut self, hook: ExitHook) -> Self {
        self.on_fatal = Some(hook);
        self
    }

    /// Takes the time from the wall of `clock` in the place of the machine's: that of each line, and that
    /// by which files are rotated, named and deleted.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Writes into `writer` in the place of the configured output.
    ///
    /// It gets whole lines, one or more a call of `write`, and a flush after each of these. What it does
    /// not take of a call, or does not flush, is tried again. A [`BrokenPipe`](io::ErrorKind::BrokenPipe)
    /// loses what waits; after any other error it gets the same bytes again every tenth of a second. If
    /// it panics, the lines of that call count as lost. If it logs, that line does.
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
        if writer.is_some() && config.rotation.is_some() {
            let reason = "it is for files, and this log has a writer in the place of its file";
            return Err(SectionError::from(SectionFault::hidden("rotation", reason)).into());
        }
        let is_terminal = match (&writer, &config.output) {
            (None, Output::Stdout) => io::stdout().is_terminal(),
            (None, Output::Stderr) => io::stderr().is_terminal(),
            _ => false,
        };
        let is_coloured = config.format == Format::Console
            && match config.colour {
                Colour::Always => true,
                Colour::Never => false,
                Colour::Auto => is_terminal && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
            };
        let service = if config.service.is_empty() { program_name() } else { config.service.clone() };
        let style = NoticeStyle { format: config.format, is_coloured, service: service.clone(), clock: clock.clone() };
        let queue = config.queue.clone();
        let sink = match (writer, &config.output) {
            (Some(writer), _) => Sink::to_stream(writer, queue, style),
            (None, Output::Stdout) => Sink::to_stream(stdout(), queue, style),
            (None, Output::Stderr) => Sink::to_stream(Box::new(io::stderr()), queue, style),
            (None, Output::File(path)) => match LogFile::open(path, config.rotation.clone(), clock.clone()) {
                Ok(file) => Sink::to_file(file, queue, style),
                Err(source) => return Err(ClogError::Open { path: path.clone(), source }),
            },
        };
        let levels = Arc::new(Levels::new(&LevelSettings::of(&config), service.clone())?);
        let lines = Lines::new(&config, clock);
        let core = Core {
            format: config.format,
            is_coloured,
            add_source: config.add_source,
            service,
            root_path: config.root_path,
            levels,
            lines,
            sink,
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

/// Standard output without the buffer that the standard library puts before it: of what lies there
/// nobody knows whether it was written.
fn stdout() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;

        if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() {
            return Box::new(File::from(stdout));
        }
    }
    Box::new(io::stdout())
}

/// The name of the running program, for a log whose service has none.
fn program_name() -> String {
    // It does not change, and is asked of the system.
    static NAME: OnceLock<String> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        env::current_exe()
            .ok()
            .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "app".to_owned())
    });
    name.clone()
}
