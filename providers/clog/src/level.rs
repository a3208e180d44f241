//! How much a line matters.

use crate::names::named;

named! {
    /// How much a line matters, the least first.
    ///
    /// As a threshold it lets its own lines and all that matter more through. Lines at `tracing`'s
    /// level `TRACE` matter less than all of these and are never written.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Level ("log level") {
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
    /// The level of a `tracing` event; none for `TRACE`.
    pub(crate) fn of(level: tracing::Level) -> Option<Self> {
        match level {
            tracing::Level::ERROR => Some(Self::Error),
            tracing::Level::WARN => Some(Self::Warn),
            tracing::Level::INFO => Some(Self::Info),
            tracing::Level::DEBUG => Some(Self::Debug),
            _ => None,
        }
    }

    /// The level under which `tracing` knows lines of this one.
    pub(crate) fn in_tracing(self) -> tracing::Level {
        match self {
            Self::Debug => tracing::Level::DEBUG,
            Self::Info => tracing::Level::INFO,
            Self::Warn => tracing::Level::WARN,
            Self::Error | Self::Fatal => tracing::Level::ERROR,
        }
    }
}
