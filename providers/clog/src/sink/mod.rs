//! Where finished lines go: a queue, and whoever writes it out.

mod backups;
mod batch;
mod file;
#[cfg(feature = "gzip")]
mod gzip;
mod notice;
mod report;
mod state;
#[cfg(test)]
mod tests;
mod thread;
mod tidy;

use std::cell::Cell;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use batch::{BatchWriter, Target};
pub(crate) use file::LogFile;
pub(crate) use notice::NoticeStyle;
pub use report::{ClogStats, FlushReport};
use state::{Loss, Phase, State};

use crate::level::Level;
use crate::queue::{Queue, QueueMode};

/// An output that refuses everything for so long is not waited for any more by a flush.
const GIVE_UP: Duration = Duration::from_secs(1);
/// How long a close waits for a write that is under way when its time is over.
const GRACE: Duration = Duration::from_millis(60);
/// Further away than anybody waits.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long the last handle of a log waits for what is in its queue.
const WAIT_AT_DROP: Duration = Duration::from_secs(1);

/// The output of a log, one line at a time.
pub(crate) struct Sink {
    shared: Arc<Shared>,
}

/// What the sink and its thread share. The lock is never held while the output is used.
struct Shared {
    limits: Queue,
    state: Mutex<State>,
    /// The thread of the log has something to do.
    work: Condvar,
    /// There is room in the queue.
    room: Condvar,
    /// Lines were written, or lost.
    done: Condvar,
}

type Guard<'a> = MutexGuard<'a, State>;

thread_local! {
    /// Whether this thread is inside a writer, which may log itself.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

impl Sink {
    pub(crate) fn to_stream(stream: Box<dyn Write + Send>, limits: Queue, style: NoticeStyle) -> Self {
        Self::new(Target::Stream(stream), limits, style)
    }

    pub(crate) fn to_file(file: LogFile, limits: Queue, style: NoticeStyle) -> Self {
        Self::new(Target::File(Box::new(file)), limits, style)
    }

    fn new(target: Target, limits: Queue, style: NoticeStyle) -> Self {
        let state = Mutex::new(State::new(BatchWriter::new(target, style)));
        let shared = Shared { limits, state, work: Condvar::new(), room: Condvar::new(), done: Condvar::new() };
        Self { shared: Arc::new(shared) }
    }

    /// Takes a line, which ends with its only line break. What became of it is counted; see [`Queue`].
    pub(crate) fn write_line(&self, level: Level, line: &[u8]) {
        debug_assert_eq!(memchr::memchr(b'\n', line), line.len().checked_sub(1), "one line");
        let shared = &self.shared;
        let mut state = shared.lock();
        if Writing::is_here() {
            // The line of a writer that logs would make it write again.
            return state.lose_within();
        }
        if state.phase == Phase::Open && !state.has_room(&shared.limits, level, line.len()) {
            match shared.wait_for_room(state, level, line.len()) {
                Some(with_room) => state = with_room,
                None => return,
            }
        }
        if state.phase != Phase::Open {
            return state.lose(Loss::Closed);
        }
        state.push(line);
        if shared.limits.mode == QueueMode::Direct && !state.is_failing() {
            shared.write_through(state);
        } else {
            shared.hand_over(state, level);
        }
    }

    /// Waits until all lines that were logged before are written, and what was lost is told, at most for
    /// `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> FlushReport {
        let mut state = self.shared.lock();
        if !Writing::is_here() {
            state = self.shared.wait_until_flushed(state, limit);
        }
        FlushReport::of(&state)
    }

    /// From now on every line is waited for as one at `error` is: the process may end after any of them.
    pub(crate) fn expect_the_end(&self) {
        self.shared.lock().is_ending = true;
    }

    /// As [`flush`](Self::flush), then gives up what is left and drops the output; lines that come later
    /// are lost, and counted.
    pub(crate) fn close(&self, limit: Duration) -> FlushReport {
        let now = Instant::now();
        let deadline = now.checked_add(limit).unwrap_or(now + FAR);
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.phase != Phase::Open || Writing::is_here() {
            return FlushReport::of(&state);
        }
        state.phase = Phase::Closing;
        shared.room.notify_all();
        state = shared.wait_until_flushed(state, limit);
        state.phase = Phase::Closed;
        state.discard_queue();
        // A write that is under way comes back soon, or its lines are told as pending.
        let is_under_way = |state: &mut State| state.writer.is_none() && state.pending_lines > 0;
        let waited = shared.done.wait_timeout_while(state, GRACE, is_under_way);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let writer = state.writer.take();
        let report = shared.discard(state, writer, deadline);
        shared.work.notify_all();
        shared.done.notify_all();
        report
    }

    /// Opens the file of the log again, with the next line at the latest.
    pub(crate) fn reopen(&self) {
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.phase != Phase::Open || Writing::is_here() {
            return;
        }
        state.reopen = true;
        match shared.limits.mode {
            QueueMode::Direct => {
                if let Some(writer) = state.writer.take() {
                    drop(shared.write_batch(state, writer));
                }
            }
            QueueMode::Queued => shared.wake(&mut state, true),
        }
    }

    /// What became of all lines so far.
    pub(crate) fn report(&self) -> FlushReport {
        FlushReport::of(&self.shared.lock())
    }

    pub(crate) fn stats(&self) -> ClogStats {
        ClogStats::of(&self.shared.lock(), &self.shared.limits)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.close(WAIT_AT_DROP);
    }
}

impl Shared {
    fn lock(&self) -> Guard<'_> {
        // No code of others runs under this lock: a panic leaves it as it should be.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for room as the policy says. None: the line is lost, and counted.
    fn wait_for_room<'a>(self: &'a Arc<Self>, mut state: Guard<'a>, level: Level, length: usize) -> Option<Guard<'a>> {
        let deadline = Instant::now() + self.limits.wait_for_room();
        let done = state.done();
        self.wake(&mut state, true);
        loop {
            if state.phase != Phase::Open || state.has_room(&self.limits, level, length) {
                return Some(state);
            }
            if state.is_failing() {
                state.lose(Loss::Failed);
                return None;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.is_stuck || left.is_zero() || !self.limits.waits(level) {
                if self.limits.waits(level) && state.done() == done {
                    state.is_stuck = true;
                }
                state.lose(Loss::Overflow);
                return None;
            }
            state.waiting_for_room += 1;
            state = self.room.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.waiting_for_room -= 1;
        }
    }

    /// Writes the line that was put into the queue last, and all before it, unless another thread does.
    fn write_through<'a>(self: &'a Arc<Self>, mut state: Guard<'a>) {
        let line = state.accepted;
        let mut deadline = None;
        while state.done() < line && !state.is_failing() {
            if let Some(writer) = state.writer.take() {
                state = self.write_batch(state, writer);
                continue;
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.limits.max_wait);
            let left = deadline.saturating_duration_since(Instant::now());
            if state.is_behind || left.is_zero() || state.phase == Phase::Closed {
                state.is_behind = true;
                break;
            }
            state.waiting_to_write += 1;
            state = self.wait_done(state, left);
            state.waiting_to_write -= 1;
        }
        // What others did not wait for, and what is to be told later, is for the thread.
        if state.waiting_to_write == 0 && state.work_at().is_some() {
            self.wake(&mut state, true);
        }
    }

    /// Leaves the line that was put into the queue last to the thread; one that matters is waited for.
    fn hand_over<'a>(self: &'a Arc<Self>, mut state: Guard<'a>, level: Level) {
        let line = state.accepted;
        let is_urgent = level >= Level::Error || state.is_ending;
        let is_filling = state.is_filling(&self.limits);
        self.wake(&mut state, is_urgent || is_filling);
        if !state.has_thread {
            return self.write_through(state);
        }
        if !is_urgent {
            return;
        }
        let deadline = Instant::now() + self.limits.error_wait;
        while state.done() < line && !state.is_failing() && !state.is_behind && state.phase != Phase::Closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.is_behind = true;
                return;
            }
            state = self.wait_done(state, left);
        }
    }

    /// Waits until what was logged by now is written and told, the output gave up, or the time is over.
    fn wait_until_flushed<'a>(self: &'a Arc<Self>, mut state: Guard<'a>, limit: Duration) -> Guard<'a> {
        let begun = Instant::now();
        let line = state.accepted;
        // The notice that is under way, and the one after it, tell what was lost by now.
        let notices = state.tellings + u64::from(state.is_telling) + u64::from(!state.untold.is_empty());
        loop {
            let is_told = state.tellings >= notices || state.is_failing();
            if (state.done() >= line && is_told) || state.phase == Phase::Closed {
                return state;
            }
            let now = Instant::now();
            let left = limit.saturating_sub(now - begun);
            let has_given_up = state.failing_since.is_some_and(|since| now - since.max(begun) >= GIVE_UP);
            if left.is_zero() || has_given_up {
                return state;
            }
            state.tell_now = !is_told;
            if state.work_at().is_some() {
                self.wake(&mut state, true);
            }
            // An output that fails is looked at now and then.
            let left = if state.is_failing() { left.min(GIVE_UP / 10) } else { left };
            state = self.wait_done(state, left);
        }
    }

    fn wait_done<'a>(&'a self, mut state: Guard<'a>, left: Duration) -> Guard<'a> {
        state.waiting_until_written += 1;
        state = self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        state.waiting_until_written -= 1;
        state
    }

    /// Writes until the lines that wait now are written or one write fails, then leaves the writer for
    /// whoever comes next.
    fn write_batch<'a>(&'a self, mut state: Guard<'a>, mut writer: Box<BatchWriter>) -> Guard<'a> {
        if writer.is_done() {
            state.take_batch(&mut writer);
        }
        loop {
            let untold = state.take_untold();
            let reopen = std::mem::take(&mut state.reopen);
            drop(state);
            let step = {
                let _writing = Writing::begin();
                writer.step(untold, reopen)
            };
            let has_failed = step.error.is_some();
            state = self.lock();
            state.account(step);
            if state.phase == Phase::Closed {
                // Nobody waits for the rest any more.
                self.discard(state, Some(writer), Instant::now());
                self.done.notify_all();
                return self.lock();
            }
            if state.waiting_until_written > 0 {
                self.done.notify_all();
            }
            if state.waiting_for_room > 0 && (has_failed || state.has_freed(&self.limits)) {
                self.room.notify_all();
            }
            if has_failed || writer.is_done() {
                state.writer = Some(writer);
                return state;
            }
        }
    }

    /// Gives up what a writer has left, and drops it outside of the lock.
    fn discard(&self, mut state: Guard<'_>, mut writer: Option<Box<BatchWriter>>, deadline: Instant) -> FlushReport {
        if let Some(writer) = &mut writer {
            state.discard_batch(writer);
        }
        let report = FlushReport::of(&state);
        drop(state);
        if let Some(writer) = writer {
            if let Target::File(file) = &writer.target {
                file.wait_for_tidy(deadline);
            }
            let _writing = Writing::begin();
            // A writer may panic in its drop.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || drop(writer)));
        }
        report
    }
}

/// Marks this thread as inside a writer, until dropped.
struct Writing(bool);

impl Writing {
    fn is_here() -> bool {
        WRITING.get()
    }

    fn begin() -> Self {
        Self(WRITING.replace(true))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.set(self.0);
    }
}
