//! Compresses and deletes old log files, away from the thread that writes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use gone_kit::Clock;

use super::backups::Backups;
use super::batch::Step;
use crate::rotation::Rotation;

/// At most one thread at a time, which ends when nothing is left to do.
#[derive(Clone, Default)]
pub(super) struct Tidy(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    is_running: bool,
    /// What changed while it was running.
    next: Option<Job>,
    /// What it could not do, for a notice. At most a few of each job.
    problems: Vec<String>,
}

struct Job {
    backups: Backups,
    rotation: Rotation,
    clock: Clock,
}

/// More problems than this are not told.
const MOST_PROBLEMS: usize = 8;

impl Tidy {
    /// Begins, or begins again once the running one is through.
    pub(super) fn begin(&self, backups: Backups, rotation: Rotation, clock: Clock) {
        let mut state = self.0.lock();
        state.next = Some(Job { backups, rotation, clock });
        if state.is_running {
            return;
        }
        let shared = Arc::clone(&self.0);
        match thread::Builder::new().name("clog-tidy".to_owned()).spawn(move || shared.run()) {
            Ok(_) => state.is_running = true,
            // The next rotation tries again.
            Err(error) => state.problems.push(format!("old log files are not tidied up: {error}")),
        }
    }

    /// Takes what could not be done since the last time.
    pub(super) fn collect(&self, step: &mut Step) {
        let mut state = self.0.lock();
        step.rotation_failures += state.problems.len() as u64;
        step.events.append(&mut state.problems);
    }

    /// Waits until nothing is left to do, or the deadline has passed.
    pub(super) fn wait(&self, deadline: Instant) {
        let mut state = self.0.lock();
        while state.is_running {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.0.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        /// Lets those who wait go on, also when a clock panics.
        struct Ended<'a>(&'a Shared);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                if thread::panicking() {
                    self.0.lock().is_running = false;
                }
                self.0.ended.notify_all();
            }
        }
        let _ended = Ended(self);
        loop {
            let job = {
                let mut state = self.lock();
                match state.next.take() {
                    Some(job) => job,
                    None => {
                        // Under the lock, so that no job comes in between.
                        state.is_running = false;
                        return;
                    }
                }
            };
            let mut problems = job.run();
            let mut state = self.lock();
            problems.truncate(MOST_PROBLEMS.saturating_sub(state.problems.len()));
            state.problems.append(&mut problems);
        }
    }
}

impl Job {
    /// Deletes what is not kept, and compresses what is; gives what could not be done.
    fn run(&self) -> Vec<String> {
        let (kept, errors) = self.backups.clean(&self.rotation, self.clock.wall());
        #[cfg_attr(not(feature = "gzip"), expect(unused_mut, reason = "only compression adds to it"))]
        let mut problems: Vec<String> =
            errors.into_iter().map(|error| format!("cannot delete an old log file: {error}")).collect();
        #[cfg(feature = "gzip")]
        if self.rotation.compress {
            use super::backups::Form;

            for (backup, _) in kept.into_iter().filter(|(_, form)| *form == Form::Plain) {
                if let Err(error) = super::gzip::compress(&self.backups, backup) {
                    let path = self.backups.path(backup);
                    problems.push(format!("cannot compress the old log file {}: {error}", path.display()));
                }
            }
        }
        #[cfg(not(feature = "gzip"))]
        drop(kept);
        problems
    }
}
