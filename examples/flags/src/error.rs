//! What can go wrong.

use std::sync::Arc;

use gone_config::SectionError;
use gone_kit::{Outcome, Refused};

/// Why a flag was not read or set.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlagsError {
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),
    /// The handle is closed, or there was no answer in time.
    #[error("flags: {0}")]
    Refused(#[from] Refused),
    /// There are as many flags as there may be.
    #[error("there are {max} flags in memory, and there may be no more")]
    Full {
        /// How many there may be.
        max: usize,
    },
    /// The server refused, or the connection to it broke.
    #[error("the server of the flags failed")]
    Server {
        /// Whether a flag was switched all the same.
        outcome: Outcome,
        /// The client's own error.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl FlagsError {
    /// What became of a flag whose setting ended so.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(refused) => refused.outcome(),
            Self::Server { outcome, .. } => *outcome,
            _ => Outcome::NotApplied,
        }
    }
}
