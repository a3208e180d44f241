//! What can go wrong on the bench.

use std::fmt;

/// Why a server or a child process did not do what was asked: a sentence, and where it helps the end of its log.
///
/// `Debug` prints the same as `Display`, so that an `unwrap()` in a test is readable.
#[derive(Clone, PartialEq, Eq)]
pub struct BenchError(String);

/// What a call on the bench gives.
pub type Result<T> = std::result::Result<T, BenchError>;

impl BenchError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// With the words for what was being done.
    pub(crate) fn of(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BenchError {}
