//! How lines wait for the output.

use std::ops::RangeInclusive;
use std::time::Duration;

use gone_config::{Faults, SectionFault};
use gone_kit::named;
use serde::{Deserialize, Serialize};

use crate::level::Level;

/// How lines wait for the output, and what happens when they come faster than it takes them.
///
/// Every line is either written or counted as lost, and a count of lost lines is told in the log
/// itself: by a line at `warn` under the namespace `<service>.clog`, whatever the levels are, at the
/// latest one second after the output takes lines again.
///
/// # The two modes
///
/// [`Direct`](QueueMode::Direct), the default of `development`: a line has been handed to the
/// operating system when the call that logs it returns. Nothing is lost by `std::process::exit` or a
/// signal. A call takes as long as the output does. Only when the output fails, or another thread is
/// stuck in it for [`max_wait`](Self::max_wait), do lines wait in the queue as in the other mode.
///
/// [`Queued`](QueueMode::Queued), the default of `production`: a line is put into a queue, and a
/// thread of the log writes. What waits in the queue is lost when the process ends without
/// [`flush`](crate::Clog::flush) or [`close`](crate::Clog::close): by `std::process::exit`, by a
/// signal nobody handles, by an abort. A [guard](crate::Clog::guard) flushes at the end of `main`,
/// the container flushes in its stop, and a panic flushes once the log is
/// [installed](crate::Clog::install). A line at `error` or `fatal` is waited for, up to
/// [`error_wait`](Self::error_wait): it is written when its call returns, unless the output is
/// behind.
///
/// # When the queue is full
///
/// The default is [`Block`](Overflow::Block), as with most logging libraries: a log that drops lines
/// of its own accord is found out when the lines are needed. The wait blocks the thread, also one that
/// runs async tasks. A service that would rather lose lines than wait for a stalled output says
/// `drop_newest` or `drop_below`; then lines that may be dropped never wait for a stalled output. No
/// policy drops a line at `error` or above: such lines have a part of the queue for themselves, and
/// wait when that is full. A stall costs them `error_wait` once for being written and once for room;
/// what finds no room after that is lost, and counted.
///
/// An output that fails (a full disk) is not waited for in any policy: lines of every level wait in the
/// queue while it has room, and are counted as lost when it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Queue {
    /// `direct` or `queued`.
    pub mode: QueueMode,
    /// `block`, `drop_newest` or `drop_below`: what a line does that finds the queue full.
    pub overflow: Overflow,
    /// With the overflow `drop_below`: lines below this level are dropped. `info`, `warn` or `error`.
    pub drop_below: Level,
    /// How many lines may wait, those being written included. 1 to 100,000,000. Lines at `error` and
    /// above may take a quarter more.
    pub max_lines: u64,
    /// How many bytes they may have. 64 KiB to 1 GiB; lines at `error` and above may take a quarter
    /// more. The memory that is used may reach two and a half times this, and is at least twice 1 MiB of
    /// address space.
    pub max_bytes: u64,
    /// How long a line waits for room under the overflow `block`, and for the lines of other threads
    /// in the mode `direct`; then it is lost, respectively left in the queue. Once an output took
    /// nothing for so long, lines that find no room are lost without a wait until it takes one
    /// again. 1 ms to 10 min.
    #[serde(with = "gone_config::DurationText")]
    pub max_wait: Duration,
    /// How long a line that may not be dropped waits for room under the other policies, and how long
    /// a line at `error` or above waits to be written in the mode `queued`. A line that waited so
    /// long for room is lost, and counted; one that waited so long to be written stays in the queue.
    /// 0 to 1 min; 0 is no wait.
    #[serde(with = "gone_config::DurationText")]
    pub error_wait: Duration,
}

named! {
    /// Who writes a line.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum QueueMode ("queue mode") {
        /// The thread that logs it, before its call returns.
        Direct = "direct",
        /// A thread of the log, soon after.
        Queued = "queued",
    }
}

named! {
    /// What a line does that finds the queue full.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Overflow ("overflow policy") {
        /// It waits, up to [`Queue::max_wait`].
        Block = "block",
        /// It is dropped, unless it is at `error` or above.
        DropNewest = "drop_newest",
        /// It is dropped if it is below the level [`Queue::drop_below`], and waits if not.
        DropBelow = "drop_below",
    }
}

const BYTES: RangeInclusive<u64> = 64 * 1024..=1024 * 1024 * 1024;
const LINES: RangeInclusive<u64> = 1..=100_000_000;
const MAX_WAIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(600);
const ERROR_WAIT: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);

impl Queue {
    /// The defaults of the profile `production`.
    pub(crate) fn in_production() -> Self {
        Self { mode: QueueMode::Queued, ..Self::default() }
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        faults.within("queue.max_lines", self.max_lines, LINES);
        faults.within("queue.max_bytes", self.max_bytes, BYTES);
        faults.within("queue.max_wait", self.max_wait, MAX_WAIT);
        faults.within("queue.error_wait", self.error_wait, ERROR_WAIT);
        if !(Level::Info..=Level::Error).contains(&self.drop_below) {
            let reason = "it drops nothing that could be dropped: `info`, `warn` or `error`";
            faults.push(SectionFault::unfit("queue.drop_below", self.drop_below, reason));
        }
    }

    /// Whether a line of this level waits for room.
    pub(crate) fn waits(&self, level: Level) -> bool {
        match self.overflow {
            Overflow::Block => true,
            Overflow::DropNewest => level >= Level::Error,
            Overflow::DropBelow => level >= self.drop_below,
        }
    }

    /// How long it waits.
    pub(crate) fn wait_for_room(&self) -> Duration {
        match self.overflow {
            Overflow::Block => self.max_wait,
            Overflow::DropNewest | Overflow::DropBelow => self.error_wait,
        }
    }
}

impl Default for Queue {
    /// The defaults of the profile `development`.
    fn default() -> Self {
        Self {
            mode: QueueMode::Direct,
            overflow: Overflow::Block,
            drop_below: Level::Warn,
            max_lines: 100_000,
            max_bytes: 8 * 1024 * 1024,
            max_wait: Duration::from_secs(30),
            error_wait: Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use gone_config::Section;

    use super::*;
    use crate::ClogConfig;

    #[test]
    fn every_setting_has_bounds_and_its_error_names_it() {
        type Spoil = fn(&mut Queue);
        let cases: [(&str, Spoil); 6] = [
            ("queue.max_lines", |queue| queue.max_lines = 0),
            ("queue.max_bytes", |queue| queue.max_bytes = 1),
            ("queue.max_bytes", |queue| queue.max_bytes = u64::MAX),
            ("queue.max_wait", |queue| queue.max_wait = Duration::ZERO),
            ("queue.error_wait", |queue| queue.error_wait = Duration::from_secs(61)),
            ("queue.drop_below", |queue| queue.drop_below = Level::Fatal),
        ];
        for (setting, spoil) in cases {
            let mut config = ClogConfig::default();
            spoil(&mut config.queue);
            let error = config.validate().unwrap_err();
            assert_eq!(error.faults().iter().filter_map(SectionFault::field).collect::<Vec<_>>(), [setting]);
        }
        ClogConfig::default().validate().unwrap();
        ClogConfig { queue: Queue::in_production(), ..ClogConfig::default() }.validate().unwrap();
    }

    #[test]
    fn a_policy_says_which_lines_wait() {
        let mut queue = Queue::default();
        assert!(queue.waits(Level::Debug));
        queue.overflow = Overflow::DropNewest;
        assert!(!queue.waits(Level::Warn) && queue.waits(Level::Error) && queue.waits(Level::Fatal));
        queue.overflow = Overflow::DropBelow;
        assert!(!queue.waits(Level::Info) && queue.waits(Level::Warn));
    }
}
