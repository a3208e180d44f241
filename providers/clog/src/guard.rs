//! A flush at the end of a scope.

use std::time::Duration;

use crate::Clog;

/// Flushes its log when it is dropped; from [`Clog::guard`].
///
/// It must be bound to a name such as `_guard`: what is bound to `_` alone is dropped at once.
#[derive(Debug)]
#[must_use = "a guard that is not bound to a name flushes at once, and never again"]
pub struct FlushGuard {
    log: Clog,
    limit: Duration,
}

impl FlushGuard {
    pub(crate) fn new(log: Clog, limit: Duration) -> Self {
        Self { log, limit }
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        self.log.flush(self.limit);
    }
}
