//! What the threads that log and the one that writes share.

use std::time::{Duration, Instant};

use super::batch::{BatchWriter, Step};
use super::notice::Untold;
use crate::level::Level;
use crate::queue::Queue;

/// Between two notices.
const NOTICE_EVERY: Duration = Duration::from_millis(500);
/// Between two attempts at an output that fails.
const RETRY_EVERY: Duration = Duration::from_millis(100);
/// More events than this wait for a notice only as a number.
const MOST_EVENTS: usize = 16;

/// A buffer that a burst made larger than this is let go.
const KEPT: usize = 1024 * 1024;

/// Why a line was lost.
#[derive(Clone, Copy)]
pub(super) enum Loss {
    Overflow,
    Failed,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Lines are no longer taken; what waits is being written.
    Closing,
    Closed,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// Whole lines that no batch has yet.
    queue: Vec<u8>,
    queued_lines: u64,
    /// None while a thread writes, and after the close.
    pub(super) writer: Option<Box<BatchWriter>>,

    /// Lines that were ever put into the queue.
    pub(super) accepted: u64,
    /// Those of them whose fate is open, in the queue or in a batch.
    pub(super) pending_lines: u64,
    pub(super) pending_bytes: u64,
    pub(super) counts: Counts,

    /// What the next notice tells.
    pub(super) untold: Untold,
    lost_within: u64,
    last_notice: Option<Instant>,
    /// The next notice does not wait for its turn.
    pub(super) tell_now: bool,
    /// A notice is on its way into the output.
    pub(super) is_telling: bool,
    /// Those that came to their end.
    pub(super) tellings: u64,

    /// When the output began to fail, until it takes something again.
    pub(super) failing_since: Option<Instant>,
    retry_at: Option<Instant>,
    /// A line waited in vain for room while nothing was written: nobody waits for it again until
    /// something is.
    pub(super) is_stuck: bool,
    /// A line waited in vain to be written: nobody waits for it again until the queue was empty.
    pub(super) is_behind: bool,
    pub(super) reopen: bool,
    /// Every line is waited for.
    pub(super) is_ending: bool,

    pub(super) has_thread: bool,
    /// The writer thread waits for a wake-up.
    pub(super) is_parked: bool,
    /// It waits for a moment, and looks by itself.
    pub(super) is_napping: bool,
    pub(super) waiting_for_room: u64,
    pub(super) waiting_until_written: u64,
    /// Those of them that would write themselves.
    pub(super) waiting_to_write: u64,
}

/// What has happened since the log was opened.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) written: u64,
    pub(super) overflow: u64,
    pub(super) failed: u64,
    pub(super) closed: u64,
    pub(super) notices: u64,
    pub(super) write_failures: u64,
    pub(super) rotations: u64,
    pub(super) rotation_failures: u64,
    pub(super) reopenings: u64,
}

impl State {
    pub(super) fn new(writer: BatchWriter) -> Self {
        Self {
            phase: Phase::Open,
            queue: Vec::new(),
            queued_lines: 0,
            writer: Some(Box::new(writer)),
            accepted: 0,
            pending_lines: 0,
            pending_bytes: 0,
            counts: Counts::default(),
            untold: Untold::default(),
            lost_within: 0,
            last_notice: None,
            tell_now: false,
            is_telling: false,
            tellings: 0,
            failing_since: None,
            retry_at: None,
            is_stuck: false,
            is_behind: false,
            reopen: false,
            is_ending: false,
            has_thread: false,
            is_parked: false,
            is_napping: false,
            waiting_for_room: 0,
            waiting_until_written: 0,
            waiting_to_write: 0,
        }
    }

    /// How many lines of those that were ever put into the queue have met their fate: it meets them in
    /// their order.
    pub(super) fn done(&self) -> u64 {
        self.accepted - self.pending_lines
    }

    pub(super) fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }

    /// Whether a line finds room. A line longer than the whole queue is let in when it is alone.
    pub(super) fn has_room(&self, limits: &Queue, level: Level, length: usize) -> bool {
        let most = |limit: u64| if level >= Level::Error { limit + limit.div_ceil(4) } else { limit };
        self.pending_lines == 0
            || self.pending_lines < most(limits.max_lines)
                && self.pending_bytes + length as u64 <= most(limits.max_bytes)
    }

    /// Whether enough is free again for those who wait to be woken.
    pub(super) fn has_freed(&self, limits: &Queue) -> bool {
        let is_freed = |pending: u64, most: u64| pending <= most - most.div_ceil(8);
        is_freed(self.pending_lines, limits.max_lines) && is_freed(self.pending_bytes, limits.max_bytes)
    }

    /// Whether so much waits that the writer should not nap.
    pub(super) fn is_filling(&self, limits: &Queue) -> bool {
        self.pending_lines >= limits.max_lines / 4 || self.pending_bytes >= limits.max_bytes / 4
    }

    /// Counts a line that an output logged while it wrote. It is told once another line comes: the
    /// notice alone would make the output log again.
    pub(super) fn lose_within(&mut self) {
        self.counts.failed += 1;
        self.lost_within += 1;
    }

    /// Puts a line into the queue.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.untold.failed += std::mem::take(&mut self.lost_within);
        make_buffer(&mut self.queue);
        self.queue.extend_from_slice(line);
        self.queued_lines += 1;
        self.accepted += 1;
        self.pending_lines += 1;
        self.pending_bytes += line.len() as u64;
    }

    /// Counts a line that is lost before it was in the queue.
    pub(super) fn lose(&mut self, loss: Loss) {
        self.count_lost(1, loss);
    }

    fn count_lost(&mut self, lines: u64, loss: Loss) {
        match loss {
            Loss::Overflow => {
                self.counts.overflow += lines;
                self.untold.overflow += lines;
            }
            Loss::Failed => {
                self.counts.failed += lines;
                self.untold.failed += lines;
            }
            // There will be no place to tell it.
            Loss::Closed => self.counts.closed += lines,
        }
    }

    /// Gives the lines that wait to a writer whose batch is done.
    pub(super) fn take_batch(&mut self, writer: &mut BatchWriter) {
        writer.swap(&mut self.queue);
        self.queued_lines = 0;
        // Here, where no line that comes next pays for it.
        make_buffer(&mut self.queue);
    }

    /// Counts what a writer did.
    pub(super) fn account(&mut self, step: Step) {
        self.counts.written += step.lines;
        self.settle(step.lines + step.lost, step.bytes);
        self.count_lost(step.lost, Loss::Failed);
        self.counts.notices += step.notices;
        self.counts.rotations += step.rotations;
        self.counts.rotation_failures += step.rotation_failures;
        self.counts.reopenings += step.reopenings;
        if step.notices > 0 || !step.untold.is_empty() {
            self.is_telling = false;
            self.tellings += 1;
        }
        self.untold.give_back(step.untold);
        for event in step.events {
            if self.untold.events.len() < MOST_EVENTS {
                self.untold.events.push(event);
            } else {
                self.untold.more_events += 1;
            }
        }
        match step.error {
            Some(error) => {
                self.counts.write_failures += 1;
                self.untold.write_failures += 1;
                self.untold.error = Some(error);
                let now = Instant::now();
                self.failing_since.get_or_insert(now);
                self.retry_at = Some(now + RETRY_EVERY);
            }
            None => {
                self.failing_since = None;
                self.retry_at = None;
            }
        }
        if step.lines + step.lost > 0 {
            self.is_stuck = false;
        }
    }

    fn settle(&mut self, lines: u64, bytes: u64) {
        self.pending_lines = self.pending_lines.saturating_sub(lines);
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
        if self.pending_lines == 0 {
            self.is_behind = false;
        }
    }

    /// Gives up what waits in the queue.
    pub(super) fn discard_queue(&mut self) {
        let (lines, bytes) = (self.queued_lines, self.queue.len() as u64);
        self.queue = Vec::new();
        self.queued_lines = 0;
        self.settle(lines, bytes);
        self.count_lost(lines, Loss::Closed);
    }

    /// Gives up what a writer has not written of its batch.
    pub(super) fn discard_batch(&mut self, writer: &mut BatchWriter) {
        let (lines, bytes) = writer.discard();
        self.settle(lines, bytes);
        self.count_lost(lines, Loss::Closed);
    }

    /// Takes what a notice is due to tell.
    pub(super) fn take_untold(&mut self) -> Option<Untold> {
        let at = self.notice_at()?;
        let now = Instant::now();
        if at > now {
            return None;
        }
        self.last_notice = Some(now);
        self.tell_now = false;
        self.is_telling = true;
        Some(std::mem::take(&mut self.untold))
    }

    /// When the next notice is due: none when there is nothing to tell, or nobody takes it.
    pub(super) fn notice_at(&self) -> Option<Instant> {
        if self.untold.is_empty() || self.is_failing() {
            return None;
        }
        let now = Instant::now();
        Some(match self.last_notice {
            Some(last) if !self.tell_now => last + NOTICE_EVERY,
            _ => now,
        })
    }

    /// When there is something to write: now, or later; none when somebody writes, or nothing is there.
    pub(super) fn work_at(&self) -> Option<Instant> {
        let writer = self.writer.as_ref()?;
        let batch = match self.retry_at {
            Some(at) if !writer.is_done() => Some(at),
            _ => (!writer.is_done() || !self.queue.is_empty() || self.reopen).then(Instant::now),
        };
        [batch, self.notice_at()].into_iter().flatten().min()
    }

    /// Lets go of memory that a burst needed.
    pub(super) fn shrink(&mut self) {
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue = Vec::new();
        }
        if let Some(writer) = &mut self.writer {
            writer.shrink(KEPT);
        }
    }
}

/// Makes a buffer at the size that is kept, if there is none. What is never used of it takes no memory.
fn make_buffer(buffer: &mut Vec<u8>) {
    if buffer.capacity() == 0 {
        buffer.reserve(KEPT);
    }
}
