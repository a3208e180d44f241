//! What is held for as long as someone elsewhere agrees: locks, instance ids, marks of work in progress.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Clock;

/// A right that lasts until a deadline, is renewed in the background, and may be lost.
///
/// The holder believes in it only until [`deadline`](Self::deadline), which lies before the moment at which the other side
/// may give the right to somebody else; so two holders never believe in one right at the same time, as long as each asks
/// [`check`](Self::check) before each step. A process can be stopped between the check and the step: what must not be done
/// twice carries [`fencing`](Self::fencing) to where it is done, and is refused there if a higher number was seen.
///
/// A lease that has ended never comes back. A clone is the same lease, and keeps nothing alive.
#[derive(Clone)]
pub struct Lease(Arc<Cell>);

struct Cell {
    clock: Clock,
    fencing: u64,
    /// In nanoseconds of [`nanos`]; 0 once it has ended.
    deadline: AtomicU64,
    end: OnceLock<LeaseEnd>,
    /// Wakes those who wait for the end, when it has come or the deadline has moved.
    moved: watch::Sender<()>,
}

/// Why a lease has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseEnd {
    /// Its deadline passed before it was renewed.
    #[error("it was not renewed in time")]
    Expired,
    /// Its holder gave it back.
    #[error("it was released")]
    Released,
    /// The other side no longer agrees, or was found to have forgotten it.
    #[error("it was lost: {0}")]
    Lost(Arc<str>),
}

/// Where [`nanos`] counts from.
static ANCHOR: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The machine's time, not before [`ANCHOR`].
pub(crate) fn anchored() -> Instant {
    LazyLock::force(&ANCHOR);
    Instant::now()
}

/// An instant as a number: nanoseconds since the first use in this process, and never 0.
fn nanos(instant: Instant) -> u64 {
    // An instant before the anchor is long past; one too far ahead for the number is as good as never.
    let since = instant.saturating_duration_since(*ANCHOR);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).max(1)
}

impl Lease {
    /// The number that grows with each holder of the same right: what a store compares to refuse a holder that was
    /// overtaken.
    pub fn fencing(&self) -> u64 {
        self.0.fencing
    }

    /// Whether the lease is held at this moment: one relaxed load and one reading of the clock.
    #[inline]
    pub fn is_held(&self) -> bool {
        self.is_held_at(self.0.clock.now())
    }

    /// As [`is_held`](Self::is_held), at a reading of the same clock that the caller has taken just now.
    #[inline]
    pub fn is_held_at(&self, now: Instant) -> bool {
        let deadline = self.0.deadline.load(Ordering::Relaxed);
        nanos(now) < deadline || self.0.still_held(deadline, now)
    }

    /// As [`is_held`](Self::is_held), with the reason.
    ///
    /// # Errors
    ///
    /// Why the lease has ended.
    pub fn check(&self) -> Result<(), LeaseEnd> {
        match self.is_held() {
            true => Ok(()),
            false => Err(self.end().unwrap_or(LeaseEnd::Expired)),
        }
    }

    /// How long the lease lasts without being renewed; zero when it has ended.
    pub fn remaining(&self) -> Duration {
        let now = self.0.clock.now();
        match self.is_held_at(now) {
            true => Duration::from_nanos(self.0.deadline.load(Ordering::Relaxed).saturating_sub(nanos(now))),
            false => Duration::ZERO,
        }
    }

    /// Until when the holder may believe in the lease, if it is not renewed; `None` when it has ended.
    pub fn deadline(&self) -> Option<Instant> {
        let now = self.0.clock.now();
        let remaining = self.remaining();
        (!remaining.is_zero()).then(|| now + remaining)
    }

    /// Why it has ended, if it has.
    pub fn end(&self) -> Option<LeaseEnd> {
        // What nobody has looked at since its deadline has ended all the same.
        self.is_held();
        self.0.end.get().cloned()
    }

    /// Waits for the end. It comes no later than the deadline, whatever the other side does. A dropped future leaves nothing
    /// behind.
    pub async fn lost(&self) -> LeaseEnd {
        let mut moved = self.0.moved.subscribe();
        loop {
            moved.borrow_and_update();
            if let Some(end) = self.end() {
                return end;
            }
            let Some(deadline) = self.deadline() else { continue };
            let sleep = self.0.clock.sleep_until(deadline);
            tokio::pin!(sleep);
            let moved = moved.changed();
            tokio::pin!(moved);
            std::future::poll_fn(|context| {
                use std::future::Future as _;
                if sleep.as_mut().poll(context).is_ready() || moved.as_mut().poll(context).is_ready() {
                    return std::task::Poll::Ready(());
                }
                std::task::Poll::Pending
            })
            .await;
        }
    }
}

impl Cell {
    /// The slow path of [`Lease::is_held_at`]: the deadline is past, unless it is being moved at this moment.
    #[cold]
    fn still_held(&self, mut seen: u64, now: Instant) -> bool {
        // Whoever sees the end first makes it final, so that a renewal that comes too late finds nothing to renew.
        while seen != 0 {
            match self.deadline.compare_exchange(seen, 0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.finish(LeaseEnd::Expired);
                    return false;
                }
                Err(moved) if nanos(now) < moved => return true,
                Err(moved) => seen = moved,
            }
        }
        false
    }

    fn finish(&self, end: LeaseEnd) {
        let _ = self.end.set(end);
        self.deadline.store(0, Ordering::Relaxed);
        self.moved.send_replace(());
    }

    /// Moves the deadline on; `false` when the lease has ended.
    fn renew(&self, until: u64, now: Instant) -> bool {
        let mut seen = self.deadline.load(Ordering::Relaxed);
        loop {
            if seen == 0 || nanos(now) >= seen && !self.still_held(seen, now) {
                return false;
            }
            // Acknowledgements may come out of order: a deadline never moves back.
            match self.deadline.compare_exchange(seen, until.max(seen), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.moved.send_replace(());
                    return true;
                }
                Err(moved) => seen = moved,
            }
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("fencing", &self.fencing())
            .field("remaining", &self.remaining())
            .field("end", &self.end())
            .finish()
    }
}

/// One [`Lease`], seen by its holder: who drops it has released it.
#[derive(Debug)]
#[must_use = "dropping it releases the lease"]
pub struct LeaseGrant(Lease);

impl LeaseGrant {
    /// The lease.
    pub fn lease(&self) -> &Lease {
        &self.0
    }

    /// Ends this lease alone; the first reason counts.
    pub fn finish(&self, end: LeaseEnd) {
        self.0.0.finish(end);
    }
}

impl Drop for LeaseGrant {
    fn drop(&mut self) {
        self.finish(LeaseEnd::Released);
    }
}

/// The side that renews: a session, on whose life many leases hang.
///
/// When it ends, or is dropped, so do they all.
#[derive(Debug)]
#[must_use = "dropping it ends the session and all its leases"]
pub struct LeaseKeeper {
    session: Lease,
    granted: Mutex<Vec<Weak<Cell>>>,
}

impl LeaseKeeper {
    /// A session that may be believed in until the instant.
    pub fn new(clock: &Clock, until: Instant) -> Self {
        let session = Lease(Arc::new(Cell::new(clock.clone(), 0, nanos(until))));
        Self { session, granted: Mutex::new(Vec::new()) }
    }

    /// The session's own lease; its fencing number is 0.
    pub fn session(&self) -> &Lease {
        &self.session
    }

    /// A lease that lives at most as long as the session.
    pub fn grant(&self, fencing: u64) -> LeaseGrant {
        let mut granted = self.granted();
        self.session.is_held();
        let cell = Cell::new(self.session.0.clock.clone(), fencing, self.session.0.deadline.load(Ordering::Relaxed));
        if let Some(end) = self.session.0.end.get() {
            cell.finish(end.clone());
        }
        let cell = Arc::new(cell);
        granted.retain(|other| other.strong_count() > 0);
        granted.push(Arc::downgrade(&cell));
        LeaseGrant(Lease(cell))
    }

    /// The other side has agreed: the deadline moves to the instant, or stays if it is later already. `false` when the
    /// session has ended, which this cannot undo.
    ///
    /// The instant is reckoned from when the renewal was *sent*, and is short of the time for which the other side agreed by
    /// a margin for clocks that run unevenly.
    #[must_use]
    pub fn renew(&self, until: Instant) -> bool {
        let granted = self.granted();
        let now = self.session.0.clock.now();
        let until = nanos(until);
        if !self.session.0.renew(until, now) {
            drop(granted);
            self.finish(LeaseEnd::Expired);
            return false;
        }
        for cell in granted.iter().filter_map(Weak::upgrade) {
            cell.renew(until, now);
        }
        true
    }

    /// Ends the session and all that hangs on it; the first reason counts.
    pub fn finish(&self, end: LeaseEnd) {
        let granted = self.granted();
        self.session.0.finish(end);
        // What ended it first is what ends the others.
        let end = self.session.0.end.get().cloned().unwrap_or(LeaseEnd::Expired);
        for cell in granted.iter().filter_map(Weak::upgrade) {
            cell.finish(end.clone());
        }
    }

    fn granted(&self) -> MutexGuard<'_, Vec<Weak<Cell>>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.finish(LeaseEnd::Released);
    }
}

impl Cell {
    fn new(clock: Clock, fencing: u64, deadline: u64) -> Self {
        let deadline = AtomicU64::new(deadline);
        Self { clock, fencing, deadline, end: OnceLock::new(), moved: watch::Sender::new(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn keeper(seconds: u32) -> (LeaseKeeper, Clock, ManualClock) {
        let (clock, hand) = ManualClock::new();
        let keeper = LeaseKeeper::new(&clock, clock.now() + SECOND * seconds);
        (keeper, clock, hand)
    }

    #[test]
    fn a_lease_lasts_to_its_deadline_and_not_an_instant_longer() {
        let (keeper, clock, hand) = keeper(3);
        let grant = keeper.grant(7);
        let lease = grant.lease();
        assert_eq!((lease.fencing(), lease.deadline()), (7, Some(clock.now() + SECOND * 3)));
        hand.advance(SECOND * 3 - Duration::from_nanos(1));
        assert_eq!(lease.check(), Ok(()));
        hand.advance(Duration::from_nanos(1));
        assert_eq!(lease.check(), Err(LeaseEnd::Expired));
        assert_eq!((lease.deadline(), lease.remaining()), (None, Duration::ZERO));
    }

    #[test]
    fn a_renewal_moves_all_leases_of_a_session() {
        let (keeper, clock, hand) = keeper(3);
        let (one, two) = (keeper.grant(1), keeper.grant(2));
        hand.advance(SECOND * 2);
        assert!(keeper.renew(clock.now() + SECOND * 3));
        hand.advance(SECOND * 2);
        assert!(one.lease().is_held() && two.lease().is_held());
        assert_eq!(one.lease().remaining(), SECOND);
    }

    #[test]
    fn a_renewal_that_comes_too_late_brings_nothing_back() {
        let (keeper, clock, hand) = keeper(3);
        let grant = keeper.grant(1);
        hand.advance(SECOND * 4);
        assert!(!keeper.renew(clock.now() + SECOND * 3));
        assert_eq!(grant.lease().end(), Some(LeaseEnd::Expired));
        assert_eq!(keeper.grant(2).lease().check(), Err(LeaseEnd::Expired));
    }

    #[test]
    fn an_older_acknowledgement_moves_nothing_back() {
        let (keeper, clock, _hand) = keeper(3);
        let grant = keeper.grant(1);
        assert!(keeper.renew(clock.now() + SECOND * 5));
        assert!(keeper.renew(clock.now() + SECOND * 4));
        assert_eq!(grant.lease().remaining(), SECOND * 5);
    }

    #[test]
    fn one_lease_ends_alone_and_the_session_with_all() {
        let (keeper, ..) = keeper(3);
        let (one, two) = (keeper.grant(1), keeper.grant(2));
        let first = one.lease().clone();
        drop(one);
        assert_eq!(first.end(), Some(LeaseEnd::Released));
        assert!(two.lease().is_held());
        keeper.finish(LeaseEnd::Lost("the server has forgotten it".into()));
        let told = two.lease().check().unwrap_err();
        assert_eq!(told.to_string(), "it was lost: the server has forgotten it");
        drop(two);
        assert_eq!(first.end(), Some(LeaseEnd::Released));
    }

    #[tokio::test]
    async fn who_waits_for_the_end_hears_of_it_at_the_deadline_or_at_the_loss() {
        let (keeper, clock, hand) = keeper(3);
        let (one, two) = (keeper.grant(1), keeper.grant(2));
        let wait = |lease: &Lease| {
            let lease = lease.clone();
            tokio::spawn(async move { lease.lost().await })
        };
        let (first, second) = (wait(one.lease()), wait(two.lease()));
        tokio::task::yield_now().await;
        assert!(keeper.renew(clock.now() + SECOND * 5));
        hand.advance(SECOND * 4);
        tokio::task::yield_now().await;
        assert!(!first.is_finished());
        one.finish(LeaseEnd::Lost("told".into()));
        assert_eq!(first.await.unwrap(), LeaseEnd::Lost("told".into()));
        assert!(!second.is_finished());
        hand.advance(SECOND);
        assert_eq!(second.await.unwrap(), LeaseEnd::Expired);
    }

    #[test]
    fn many_threads_never_see_a_lease_come_back() {
        let clock = Clock::system();
        let keeper = LeaseKeeper::new(&clock, clock.now() + Duration::from_millis(20));
        let grant = keeper.grant(1);
        let lease = grant.lease();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut held = true;
                    let begun = Instant::now();
                    while begun.elapsed() < Duration::from_millis(60) {
                        let now = lease.is_held();
                        assert!(held || !now, "it came back");
                        held = now;
                    }
                    assert!(!held, "it has ended by now");
                });
            }
            // Renewed on the brink, until one comes too late.
            let mut renewed = 0;
            while renewed < 20 && keeper.renew(clock.now() + Duration::from_micros(900)) {
                renewed += 1;
                std::thread::sleep(Duration::from_micros(500));
            }
        });
    }
}
