//! What can go wrong when a log is opened.

use std::io;
use std::path::PathBuf;

use gone_kit::UnknownName;

/// A log that could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClogError {
    /// A name in the configuration is none of those allowed.
    #[error(transparent)]
    UnknownName(#[from] UnknownName),

    /// A value in the configuration cannot be used.
    #[error("the log setting `{key}` {problem}")]
    Invalid {
        /// The setting's key.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// The file of the log could not be opened, or its folder not be made.
    #[error("cannot open the log file {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
