//! What can go wrong.

use gone_config::{CallError, Outcome, SectionError};

/// Why a flag was not read or set.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlagsError {
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),
    /// The handle is closed, there was no answer in time, or the server refused.
    #[error("flags: {0}")]
    Call(#[from] CallError),
    /// There are as many flags as there may be.
    #[error("there are {max} flags in memory, and there may be no more")]
    Full {
        /// How many there may be.
        max: usize,
    },
}

impl FlagsError {
    /// What became of a flag whose setting ended so.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Call(error) => error.outcome(),
            _ => Outcome::NotApplied,
        }
    }
}
