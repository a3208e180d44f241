//! Where snowflakes come from: one number that only grows, and what must hold for it to grow.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gone_kit::{Clock, Lease, LeaseEnd};
use tokio::sync::Notify;

use crate::UidError;
use crate::layout::{END_OF_TIME, Epoch, LAST_SEQUENCE, compose, instance_of, ms_of, sequence_of};
use crate::timeline::{CHECKED_FOR, Timeline};

const MS: i64 = 1_000_000;

/// The state when no instance id is held: no id, and full for ever.
const NONE: u64 = u64::MAX;

/// The sequence of a millisecond begins below this number, by chance; so that also those who need one id now and then do
/// not always get the same one modulo the number of their shards. Three quarters of a millisecond's ids remain, and all of
/// them after a millisecond that was used up.
const BEGINNINGS: u64 = 1024;

/// Makes ids, without a lock.
///
/// `last` is the last id that was given out; the next one is that or a later millisecond's, with the same instance. Whoever
/// takes one compares and swaps, so that no two get the same. What an instance's ids must stay below, `limit`, was
/// confirmed by coordination before; it is what the next holder of that instance begins at. So ids do not repeat even where
/// a thread stands still between the check of the lease and the swap for as long as it likes.
#[derive(Debug)]
pub(crate) struct Generator {
    /// On a cache line of its own: it is written with each id.
    last: Line,
    /// Up to which reading of the monotonic clock the last check holds.
    checked: AtomicI64,
    /// The first millisecond since the epoch that this instance may not use.
    limit: AtomicU64,
    timeline: Timeline,
    epoch: Epoch,
    tolerance: Duration,
    holding: Mutex<Holding>,
    figures: Figures,
    /// Wakes who raises the limit.
    reached: Notify,
}

#[derive(Debug)]
#[repr(align(128))]
struct Line(AtomicU64);

/// What the ids hang on.
#[derive(Debug)]
struct Holding {
    state: State,
    /// The first millisecond since the epoch that has not been used, when none is held.
    unused: u64,
    /// How far the wall clock was behind the last id when it was last looked at, if that was too far.
    behind: Option<Duration>,
    /// Whether ids were refused because of the limit since it was last raised.
    limited: bool,
}

#[derive(Debug)]
enum State {
    /// There never was an instance id, and there will not be one.
    Without,
    /// The lease of this instance's id.
    Held(u16, Lease),
    /// It ended.
    Lost(u16, LeaseEnd),
    Closed,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Figures {
    full: AtomicU64,
    clock_backwards: AtomicU64,
    refused: AtomicU64,
}

/// How a generator does, for health and stats.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// The instance id, when it is held.
    pub(crate) instance: Option<u16>,
    /// How long its lease lasts without being renewed.
    pub(crate) remaining: Duration,
    /// How far the clock is behind the last id, if too far.
    pub(crate) behind: Option<Duration>,
    /// Whether ids are refused because of the limit.
    pub(crate) limited: bool,
    pub(crate) full: u64,
    pub(crate) clock_backwards: u64,
    pub(crate) refused: u64,
}

/// Ids that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u64,
    pub(crate) count: u32,
}

/// Why there are no ids.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The next ones come with the next millisecond, in so long.
    Full(Duration),
    Not(UidError),
}

impl Generator {
    pub(crate) fn new(clock: Clock, epoch: Epoch, tolerance: Duration) -> Self {
        Self {
            last: Line(AtomicU64::new(NONE)),
            checked: AtomicI64::new(0),
            limit: AtomicU64::new(0),
            timeline: Timeline::new(clock, epoch.unix_ms()),
            epoch,
            tolerance,
            holding: Mutex::new(Holding { state: State::Without, unused: 0, behind: None, limited: false }),
            figures: Figures::default(),
            reached: Notify::new(),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.timeline.clock()
    }

    /// Takes up to `wanted` ids that follow one another, at least one. Never waits.
    #[inline]
    pub(crate) fn take(&self, wanted: u32) -> Result<Run, Refusal> {
        let mut nanos = self.timeline.nanos();
        if nanos >= self.checked.load(Ordering::Relaxed) {
            nanos = self.check().map_err(Refusal::Not)?;
        }
        let time = self.timeline.at(nanos);
        let ms = (time.max(0) / MS) as u64;
        // Acquired, so that an instance is never seen with the limit of the one before.
        let mut last = self.last.0.load(Ordering::Acquire);
        loop {
            let next = if ms > ms_of(last) {
                compose(ms, instance_of(last), beginning(ms, last))
            } else if sequence_of(last) < LAST_SEQUENCE {
                last + 1
            } else {
                return Err(self.full(last, time));
            };
            if ms_of(next) >= self.limit.load(Ordering::Relaxed) {
                return Err(self.limited(instance_of(next)));
            }
            let count = u64::from(wanted).min(LAST_SEQUENCE + 1 - sequence_of(next));
            match self.last.0.compare_exchange_weak(last, next + count - 1, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return Ok(Run { first: next, count: count as u32 }),
                Err(other) => last = other,
            }
        }
    }

    #[cold]
    fn limited(&self, instance: u16) -> Refusal {
        self.holding().limited = true;
        self.reached.notify_one();
        Refusal::Not(self.refused(UidError::Unconfirmed { instance }))
    }

    #[cold]
    fn full(&self, last: u64, time: i64) -> Refusal {
        if last == NONE {
            let holding = self.holding();
            return Refusal::Not(self.refused(holding.state.error()));
        }
        self.figures.full.fetch_add(1, Ordering::Relaxed);
        let next = (ms_of(last) as i64 + 1) * MS;
        Refusal::Full(Duration::from_nanos(u64::try_from(next - time).unwrap_or(0)))
    }

    /// Looks whether the instance is held, and follows the wall clock. Gives the reading that it holds for.
    #[cold]
    fn check(&self) -> Result<i64, UidError> {
        let mut holding = self.holding();
        let checked = self.look(&mut holding);
        drop(holding);
        checked.map_err(|error| self.refused(error))
    }

    fn look(&self, holding: &mut Holding) -> Result<i64, UidError> {
        let reading = self.timeline.read();
        let State::Held(instance, lease) = &holding.state else { return Err(holding.state.error()) };
        let until = match lease.deadline() {
            Some(deadline) if lease.is_held_at(reading.instant) => self.timeline.nanos_of(deadline),
            _ => {
                holding.state = State::Lost(*instance, lease.end().unwrap_or(LeaseEnd::Expired));
                self.stop(holding);
                return Err(holding.state.error());
            }
        };
        let epoch_ms = self.epoch.unix_ms();
        // A second early, so that no time within the next check can be out of range.
        if reading.wall < 0 || reading.wall / MS >= END_OF_TIME as i64 - 1_000 {
            return Err(UidError::OutOfRange { epoch_ms });
        }
        let used = ms_of(self.last.0.load(Ordering::Relaxed)) as i64 * MS;
        let behind = Duration::from_nanos(u64::try_from(used - reading.wall).unwrap_or(0));
        if behind > self.tolerance {
            if holding.behind.replace(behind).is_none() {
                self.figures.clock_backwards.fetch_add(1, Ordering::Relaxed);
            }
            return Err(UidError::ClockBackwards { behind, tolerance: self.tolerance });
        }
        holding.behind = None;
        self.timeline.set(reading, used);
        self.checked.store(until.min(reading.nanos + CHECKED_FOR), Ordering::Relaxed);
        Ok(reading.nanos)
    }

    fn refused(&self, error: UidError) -> UidError {
        self.figures.refused.fetch_add(1, Ordering::Relaxed);
        error
    }

    /// Gives out ids of an instance that has just been acquired, from one millisecond on and before another, both since the
    /// epoch. Those given out before are not reached again either. One that was closed stays so.
    pub(crate) fn hold(&self, instance: u16, lease: Lease, from: u64, limit: u64) {
        let mut holding = self.holding();
        self.stop(&mut holding);
        self.limit.store(limit, Ordering::Relaxed);
        let from = from.max(holding.unused).clamp(1, END_OF_TIME);
        if matches!(holding.state, State::Closed) {
            holding.unused = from;
            return;
        }
        // Full up to the millisecond before.
        self.last.0.store(compose(from - 1, instance, LAST_SEQUENCE), Ordering::Release);
        holding.state = State::Held(instance, lease);
        holding.behind = None;
        holding.limited = false;
    }

    /// Lets the ids of the instance that is held go further.
    pub(crate) fn raise(&self, limit: u64) {
        self.limit.fetch_max(limit, Ordering::Relaxed);
        self.holding().limited = false;
    }

    /// Waits until ids were refused because of the limit: when the wall clock has jumped ahead, or the machine was suspended.
    pub(crate) async fn limit_reached(&self) {
        self.reached.notified().await;
    }

    /// Gives out no more ids of the instance.
    pub(crate) fn lose(&self, end: LeaseEnd) {
        let mut holding = self.holding();
        if let State::Held(instance, _) = holding.state {
            holding.state = State::Lost(instance, end);
        }
        self.stop(&mut holding);
    }

    /// Gives out no more ids for good. Tells the first millisecond since the epoch that has not been used, and the limit.
    pub(crate) fn close(&self) -> (u64, u64) {
        let mut holding = self.holding();
        holding.state = State::Closed;
        self.stop(&mut holding);
        (holding.unused, self.limit.load(Ordering::Relaxed))
    }

    /// Once this is done no swap succeeds.
    fn stop(&self, holding: &mut Holding) {
        let last = self.last.0.swap(NONE, Ordering::Relaxed);
        self.checked.store(0, Ordering::Relaxed);
        if last != NONE {
            holding.unused = ms_of(last) + 1;
        }
    }

    /// The time that ids are made of, and not before the last one, in milliseconds since the epoch: what a floor is reckoned
    /// from.
    pub(crate) fn now_ms(&self) -> u64 {
        let used = match self.last.0.load(Ordering::Relaxed) {
            NONE => self.holding().unused,
            last => ms_of(last),
        };
        let wall = u64::try_from(self.timeline.read().wall / MS).unwrap_or(0);
        wall.max(used)
    }

    pub(crate) fn status(&self) -> Status {
        let holding = self.holding();
        let (instance, remaining) = match &holding.state {
            State::Held(instance, lease) if lease.is_held() => (Some(*instance), lease.remaining()),
            _ => (None, Duration::ZERO),
        };
        Status {
            instance,
            remaining,
            behind: holding.behind,
            limited: holding.limited,
            full: self.figures.full.load(Ordering::Relaxed),
            clock_backwards: self.figures.clock_backwards.load(Ordering::Relaxed),
            refused: self.figures.refused.load(Ordering::Relaxed),
        }
    }

    fn holding(&self) -> MutexGuard<'_, Holding> {
        self.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn error(&self) -> UidError {
        match self {
            State::Without => UidError::NoCoord,
            // It is being taken at this moment.
            State::Held(instance, _) => UidError::Unconfirmed { instance: *instance },
            State::Lost(instance, end) => UidError::Lost { instance: *instance, end: end.clone() },
            State::Closed => UidError::Closed,
        }
    }
}

/// The first sequence number of a millisecond.
fn beginning(ms: u64, last: u64) -> u64 {
    if sequence_of(last) == LAST_SEQUENCE {
        return 0;
    }
    // Chance enough for shards: the finishing steps of splitmix64.
    let mut it = last ^ ms.rotate_left(32);
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (it ^ (it >> 31)) % BEGINNINGS
}
