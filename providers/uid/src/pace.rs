//! Waiting for the next millisecond, to the point.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gone_kit::Clock;
use tokio::sync::Notify;

/// How long the thread stays when nobody waits.
const IDLE: Duration = Duration::from_secs(1);

/// The timer of tokio counts whole milliseconds, and who waits for the next one by it misses every other.
const TICK: Duration = Duration::from_millis(1);

/// Wakes those who wait, at most a few, with the accuracy of a thread that sleeps.
///
/// The thread only makes it punctual: each waiter sleeps by the clock too, so that nobody is left waiting without it, and so
/// that a clock that a test moves decides. There is one thread for a handle whose milliseconds get used up; it ends when that
/// has not happened for a second.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    turn: Notify,
    asked: Mutex<Asked>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Asked {
    /// When the next turn is due, if anybody waits for one.
    due: Option<Instant>,
    /// Whether there is a thread.
    running: bool,
}

impl Pace {
    /// Waits for about as long, never much longer. A dropped future leaves nothing behind.
    pub(crate) async fn wait(self: &Arc<Self>, clock: &Clock, remaining: Duration) {
        let turn = self.turn.notified();
        tokio::pin!(turn);
        // From here on a turn is not missed.
        turn.as_mut().enable();
        self.ask(Instant::now() + remaining);
        tokio::select! {
            () = turn => {}
            () = clock.sleep(remaining.max(TICK)) => {}
        }
    }

    fn ask(self: &Arc<Self>, due: Instant) {
        let mut asked = self.asked();
        if asked.due.is_some_and(|earlier| earlier <= due) {
            return;
        }
        asked.due = Some(due);
        if asked.running {
            self.wake.notify_one();
            return;
        }
        let pace = Arc::clone(self);
        // Without a thread it is tokio's timer that wakes.
        match std::thread::Builder::new().name("gone-uid".into()).spawn(move || pace.run()) {
            Ok(_) => asked.running = true,
            // It is tokio's timer that wakes; the next one who waits tries again.
            Err(_) => asked.due = None,
        }
    }

    fn run(&self) {
        let mut asked = self.asked();
        loop {
            let wait = match asked.due {
                Some(due) => due.saturating_duration_since(Instant::now()),
                None => IDLE,
            };
            if wait.is_zero() {
                asked.due = None;
                drop(asked);
                self.turn.notify_waiters();
                asked = self.asked();
                continue;
            }
            let (back, timeout) = self.wake.wait_timeout(asked, wait).unwrap_or_else(PoisonError::into_inner);
            asked = back;
            if timeout.timed_out() && asked.due.is_none() {
                asked.running = false;
                return;
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
