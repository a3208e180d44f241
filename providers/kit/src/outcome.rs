//! What became of a remote write.

use std::fmt;

/// What became of a remote write that did not end well: the answer that decides whether it may be tried again.
///
/// A write that was answered is [`Applied`](Self::Applied). One whose answer never came is [`Unknown`](Self::Unknown): it may
/// have been applied, now or later, so it is tried again only if applying it twice is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Applied,
    /// It was not done, and will not be.
    NotApplied,
    /// It may or may not have been done, or may still be.
    Unknown,
}

impl Outcome {
    /// Whether the same write may be sent again without a check.
    pub fn may_retry(self) -> bool {
        self == Self::NotApplied
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::NotApplied => "not applied",
            Self::Unknown => "unknown whether applied",
        })
    }
}
