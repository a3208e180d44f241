//! The thread of a log.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::state::{Phase, State};
use super::{Guard, Shared};

/// While lines come, the thread looks for them so often by itself, so that few lines have to wake it.
const NAP: Duration = Duration::from_millis(1);

impl Shared {
    /// Sees to it that the thread looks at the queue: at once, or soon enough for a line that does not
    /// matter much. The first call starts the thread.
    pub(super) fn wake(self: &Arc<Self>, state: &mut State, at_once: bool) {
        if !state.has_thread {
            let shared = Arc::clone(self);
            // Without a thread the next line tries again, and a line in the mode `direct` writes itself.
            state.has_thread =
                thread::Builder::new().name("clog-writer".to_owned()).spawn(move || shared.run()).is_ok();
        } else if state.is_parked || (state.is_napping && at_once) {
            state.is_parked = false;
            state.is_napping = false;
            self.work.notify_one();
        }
    }

    fn run(self: &Arc<Self>) {
        let mut state = self.lock();
        // The queue was empty when the thread looked last.
        let mut was_idle = false;
        while state.phase != Phase::Closed {
            let work_at = state.work_at();
            let now = Instant::now();
            if work_at.is_some_and(|at| at <= now)
                && let Some(writer) = state.writer.take()
            {
                was_idle = false;
                state = self.write_batch(state, writer);
                continue;
            }
            let wait = work_at.map(|at| at.saturating_duration_since(now));
            state = match wait {
                Some(wait) => self.park(state, Some(wait)),
                None if was_idle => {
                    state.shrink();
                    self.park(state, None)
                }
                None => self.nap(state),
            };
            was_idle = true;
        }
    }

    fn nap<'a>(&'a self, mut state: Guard<'a>) -> Guard<'a> {
        state.is_napping = true;
        state = self.work.wait_timeout(state, NAP).unwrap_or_else(PoisonError::into_inner).0;
        state.is_napping = false;
        state
    }

    fn park<'a>(&'a self, mut state: Guard<'a>, wait: Option<Duration>) -> Guard<'a> {
        state.is_parked = true;
        state = match wait {
            Some(wait) => self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0,
            None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.is_parked = false;
        state
    }
}
