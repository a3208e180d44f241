//! What can go wrong.

use gone_config::SectionError;
use gone_kit::{LeaseEnd, Outcome};

/// Why an operation on `coord` did not do what was asked.
///
/// [`outcome`](Self::outcome) says what became of a write.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoordError {
    /// Nothing is stored under the key.
    #[error("nothing is stored under `{key}`")]
    NotFound {
        /// The key, as it was given.
        key: String,
    },
    /// The key is not in the state that was expected: somebody else changed it, holds it, or has created it.
    #[error("`{key}` {state}")]
    Conflict {
        /// The key, as it was given.
        key: String,
        /// What it is instead, in words that complete the sentence.
        state: String,
    },
    /// All numbers are taken.
    #[error("all {max} instance ids of `{service}` are taken")]
    Exhausted {
        /// The service whose ids they are.
        service: String,
        /// How many there are.
        max: u32,
    },
    /// An argument cannot be meant.
    #[error("{argument}: {reason}")]
    Invalid {
        /// The argument.
        argument: &'static str,
        /// What is wrong with it, and what it should be.
        reason: String,
    },
    /// A stored value is not what the caller's type wants.
    #[error("the value under `{key}` cannot be read: {reason}")]
    Decode {
        /// The key.
        key: String,
        /// What the decoder says, without anything that it quotes of the value: that may be a secret.
        reason: String,
    },
    /// The lease that the operation needs has ended.
    #[error("`{key}` is no longer held: {end}")]
    Lost {
        /// The key that was held.
        key: String,
        /// Why it ended.
        end: LeaseEnd,
    },
    /// No answer in time.
    #[error("{operation}: no answer within {after:?}")]
    Timeout {
        /// What was asked.
        operation: &'static str,
        /// How long was waited.
        after: std::time::Duration,
        /// What became of a write.
        outcome: Outcome,
    },
    /// The backend cannot be reached, or did not answer as it should.
    #[error("{operation}: {reason}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// What was met, without credentials.
        reason: String,
        /// What became of a write.
        outcome: Outcome,
        /// The client's own error.
        #[source]
        source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// The credentials or certificates were refused.
    #[error("{operation}: refused: {reason}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// What the backend said, without credentials.
        reason: String,
        /// The client's own error.
        #[source]
        source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// The backend has no such thing.
    #[error("{operation} is not supported by the backend `{backend}`")]
    Unsupported {
        /// What was asked.
        operation: &'static str,
        /// The backend's scheme.
        backend: &'static str,
    },
    /// The handle was closed.
    #[error("coord is closed")]
    Closed,
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),
}

impl CoordError {
    /// What became of the write that ended with this error. Reads are [`Outcome::NotApplied`].
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Timeout { outcome, .. } | Self::Unavailable { outcome, .. } => *outcome,
            _ => Outcome::NotApplied,
        }
    }
}
