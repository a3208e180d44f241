//! How much a line matters.

use gone_kit::named;

named! {
    /// How much a line matters, the least first.
    ///
    /// As a threshold it lets its own lines and all that matter more through.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Level ("log level") {
        /// Every step, to follow one thing through the code.
        Trace = "trace",
        /// What helps while something is being looked into.
        Debug = "debug",
        /// What happens in the normal course of things.
        Info = "info",
        /// What somebody should look at some time.
        Warn = "warn",
        /// What failed.
        Error = "error",
        /// What the program cannot go on after; see [`Logger::fatal`](crate::Logger::fatal).
        Fatal = "fatal",
    }
}

impl Level {
    /// The level of a `tracing` event.
    pub(crate) fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }

    /// The level under which `tracing` knows lines of this one.
    pub(crate) const fn in_tracing(self) -> tracing::Level {
        match self {
            Self::Trace => tracing::Level::TRACE,
            Self::Debug => tracing::Level::DEBUG,
            Self::Info => tracing::Level::INFO,
            Self::Warn => tracing::Level::WARN,
            Self::Error | Self::Fatal => tracing::Level::ERROR,
        }
    }
}
