//! What can go wrong when a log is opened.

use std::io;
use std::path::PathBuf;

use gone_config::SectionError;

/// A log that could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClogError {
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),

    /// A text names no output.
    #[error("the log's `output`: {problem}")]
    Output {
        /// What is wrong with it.
        problem: String,
    },

    /// The variable `RUST_LOG` cannot be read as a filter.
    #[error("the environment variable {}: {problem}", crate::filter::VARIABLE)]
    Filter {
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
