//! What a panicking thread logged is written before anything else happens to the process.

use std::panic;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::clog::Core;

/// How long a panic may take for all logs.
const LIMIT: Duration = Duration::from_secs(1);

/// The logs that are flushed.
static LOGS: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

/// Has every panic of the process flush this log. The hook is set once, before the one that is there.
pub(crate) fn flush_on_panic(core: &Arc<Core>) {
    static HOOK: Once = Once::new();
    {
        let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|log| log.strong_count() > 0);
        if !logs.iter().any(|log| log.as_ptr() == Arc::as_ptr(core)) {
            logs.push(Arc::downgrade(core));
        }
    }
    if thread::panicking() {
        // The hook cannot be set now.
        return;
    }
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // It may log the panic.
            before(info);
            let deadline = Instant::now() + LIMIT;
            let logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for core in logs.iter().filter_map(Weak::upgrade) {
                core.sink.flush(deadline.saturating_duration_since(Instant::now()));
            }
        }));
    });
}
