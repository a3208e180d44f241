//! What became of the lines of a log.

use super::state::State;
use crate::queue::Queue;

/// What became of the lines of a log so far. The three together are all lines that were logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Lines that were handed to the output in full.
    pub written: u64,
    /// Lines that were not, and never will be.
    pub lost: u64,
    /// Lines whose fate was open when the report was made.
    pub pending: u64,
}

impl FlushReport {
    pub(super) fn of(state: &State) -> Self {
        let counts = &state.counts;
        Self {
            written: counts.written,
            lost: counts.overflow + counts.failed + counts.closed,
            pending: state.pending_lines,
        }
    }
}

/// The figures of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClogStats {
    /// Lines that were handed to the output in full.
    pub written: u64,
    /// Lines that were lost because the queue was full.
    pub lost_by_overflow: u64,
    /// Lines that were lost because the output failed, and lines that an output logged while it wrote.
    pub lost_by_failure: u64,
    /// Lines that came after the close, or were left when its time was over.
    pub lost_by_close: u64,
    /// Lines that wait in the queue, those being written included.
    pub pending: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// How many lines may wait; see [`Queue::max_lines`].
    pub max_pending: u64,
    /// How many bytes they may have; see [`Queue::max_bytes`].
    pub max_pending_bytes: u64,
    /// Lines of the log about itself; they are not among the others.
    pub notices: u64,
    /// Writes that failed; what is tried again counts again.
    pub write_failures: u64,
    /// How many times a new file was begun.
    pub rotations: u64,
    /// Rotations, compressions and deletions of old files that failed.
    pub rotation_failures: u64,
    /// How many times the file was opened again because another one, or none, was at its path.
    pub reopenings: u64,
}

impl ClogStats {
    pub(super) fn of(state: &State, limits: &Queue) -> Self {
        let counts = &state.counts;
        Self {
            written: counts.written,
            lost_by_overflow: counts.overflow,
            lost_by_failure: counts.failed,
            lost_by_close: counts.closed,
            pending: state.pending_lines,
            pending_bytes: state.pending_bytes,
            max_pending: limits.max_lines,
            max_pending_bytes: limits.max_bytes,
            notices: counts.notices,
            write_failures: counts.write_failures,
            rotations: counts.rotations,
            rotation_failures: counts.rotation_failures,
            reopenings: counts.reopenings,
        }
    }
}
