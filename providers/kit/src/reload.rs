//! One value that is replaced as a whole while others read it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{Clock, Stat};

/// A value that is replaced as a whole: the one way in which components take new settings while they run.
///
/// Reading is free of locks. A new value is made in full, and checked in full, before it takes the place of the old one;
/// one that cannot be made changes nothing but the count of refusals and [`ReloadStatus::last_error`]. A clone shares the
/// same value.
///
/// ```
/// use gone_kit::Reload;
///
/// let limit = Reload::new(10_u32);
/// let refused = limit.reload(|_| "many".parse::<u32>());
/// assert!(refused.is_err());
/// assert_eq!((*limit.get(), limit.version()), (10, 1));
///
/// limit.reload(|old| format!("{}0", old).parse::<u32>())?;
/// assert_eq!((*limit.get(), limit.version()), (100, 2));
/// assert_eq!((limit.status().accepted, limit.status().refused), (1, 1));
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
pub struct Reload<T>(Arc<Shared<T>>);

struct Shared<T> {
    /// Apart from the rest, so that a subscriber does not keep alive what would tell it of the end.
    current: Arc<ArcSwap<Held<T>>>,
    /// One change at a time.
    changing: Mutex<()>,
    status: watch::Sender<ReloadStatus>,
    clock: Clock,
}

struct Held<T> {
    value: Arc<T>,
    version: u64,
}

/// What became of the reloads so far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReloadStatus {
    /// The version of the current value: 1 at first, one more for each value that was accepted.
    pub version: u64,
    /// How many new values were accepted.
    pub accepted: u64,
    /// How many reloads were refused; the value before was kept each time.
    pub refused: u64,
    /// When the current value was accepted; `None` for the first one.
    pub changed_at: Option<SystemTime>,
    /// What the last refusal said. It stays when a later value is accepted: compare the times.
    pub last_error: Option<ReloadError>,
}

/// Why a reload was refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReloadError {
    /// The error's text.
    pub message: Arc<str>,
    /// When it was refused.
    pub at: SystemTime,
}

impl<T> Reload<T> {
    /// The first value, of version 1.
    pub fn new(value: T) -> Self {
        Self::with_clock(value, Clock::system())
    }

    /// As [`new`](Self::new), with the clock whose wall gives the times of [`ReloadStatus`].
    pub fn with_clock(value: T, clock: Clock) -> Self {
        let held = Held { value: Arc::new(value), version: 1 };
        let status = ReloadStatus { version: 1, accepted: 0, refused: 0, changed_at: None, last_error: None };
        Self(Arc::new(Shared {
            current: Arc::new(ArcSwap::from_pointee(held)),
            changing: Mutex::new(()),
            status: watch::Sender::new(status),
            clock,
        }))
    }

    /// The current value. Takes no lock and never waits.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.current.load().value)
    }

    /// The version of the current value: see [`ReloadStatus::version`].
    pub fn version(&self) -> u64 {
        self.0.current.load().version
    }

    /// The current value with its own version.
    pub fn versioned(&self) -> (Arc<T>, u64) {
        let held = self.0.current.load();
        (Arc::clone(&held.value), held.version)
    }

    /// Puts a new value in the place of the old one, tells all subscribers, and gives the new version.
    ///
    /// The value must be checked already; [`reload`](Self::reload) also makes it.
    pub fn accept(&self, value: impl Into<Arc<T>>) -> u64 {
        let _one_at_a_time = self.lock();
        self.swap(value.into())
    }

    /// Notes that a new value could not be made, and why. The text must hold no secret.
    pub fn refuse(&self, error: &dyn fmt::Display) {
        let last_error = Some(ReloadError { message: error.to_string().into(), at: self.0.clock.wall() });
        self.0.status.send_modify(|status| {
            status.refused += 1;
            status.last_error = last_error;
        });
    }

    /// Makes a new value from the old one; accepts it, or refuses with what `make` says.
    ///
    /// One reload at a time: others wait, so `make` must not reload the same value. It parses and checks everything, as
    /// what it gives is used as it is. A panic in it changes nothing and goes on to the caller.
    ///
    /// # Errors
    ///
    /// That of `make`; the old value stays.
    pub fn reload<E: fmt::Display>(&self, make: impl FnOnce(&T) -> Result<T, E>) -> Result<u64, E> {
        let _one_at_a_time = self.lock();
        match make(&self.get()) {
            Ok(value) => Ok(self.swap(Arc::new(value))),
            Err(error) => {
                self.refuse(&error);
                Err(error)
            }
        }
    }

    /// The changes from now on.
    ///
    /// What came before is not told: whoever acts on the value subscribes first and reads it after that.
    pub fn changes(&self) -> Changes<T> {
        let status = self.0.status.subscribe();
        Changes { current: Arc::clone(&self.0.current), seen: self.0.current.load_full(), status }
    }

    /// What became of the reloads so far.
    pub fn status(&self) -> ReloadStatus {
        self.0.status.borrow().clone()
    }

    /// The status after each reload from now on, accepted or refused.
    pub fn statuses(&self) -> StatusChanges {
        StatusChanges(self.0.status.subscribe())
    }

    /// How many subscribers there are, to changes and to the status together.
    pub fn subscribers(&self) -> usize {
        self.0.status.receiver_count()
    }

    /// The figures: `reload_version`, `reloads_accepted` and `reloads_refused`.
    pub fn stats(&self) -> [Stat; 3] {
        let ReloadStatus { version, accepted, refused, .. } = *self.0.status.borrow();
        [
            Stat::gauge("reload_version", version),
            Stat::counter("reloads_accepted", accepted),
            Stat::counter("reloads_refused", refused),
        ]
    }

    fn swap(&self, value: Arc<T>) -> u64 {
        let version = self.version() + 1;
        self.0.current.store(Arc::new(Held { value, version }));
        let now = self.0.clock.wall();
        self.0.status.send_modify(|status| {
            status.version = version;
            status.accepted += 1;
            status.changed_at = Some(now);
        });
        version
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // It guards no data, so a panic under it leaves nothing half done.
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Reload<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Reload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, version) = self.versioned();
        f.debug_struct("Reload").field("version", &version).field("value", &value).finish()
    }
}

/// A value that took the place of another.
#[derive(Debug)]
#[non_exhaustive]
pub struct Change<T> {
    /// What the subscriber was told last, or what was current when it subscribed.
    pub old: Arc<T>,
    /// What is current now.
    pub new: Arc<T>,
    /// The version of the new value. Versions that came and went unseen are skipped.
    pub version: u64,
}

/// The changes of a [`Reload`], for one subscriber.
///
/// It holds at most one change: a slow subscriber is told the latest, from the value that it was told before, so `old` of a
/// change is always `new` of the one before.
pub struct Changes<T> {
    current: Arc<ArcSwap<Held<T>>>,
    seen: Arc<Held<T>>,
    status: watch::Receiver<ReloadStatus>,
}

impl<T> Changes<T> {
    /// Waits for the next change; `None` once the value is gone and the last change was told.
    ///
    /// A dropped future loses nothing: the change is told by the next call.
    pub async fn next(&mut self) -> Option<Change<T>> {
        let mut gone = false;
        loop {
            let current = self.current.load_full();
            if current.version != self.seen.version {
                let (new, version) = (Arc::clone(&current.value), current.version);
                let old = Arc::clone(&std::mem::replace(&mut self.seen, current).value);
                return Some(Change { old, new, version });
            }
            if gone {
                return None;
            }
            // It also wakes for refusals, which change no version.
            gone = self.status.changed().await.is_err();
        }
    }

    /// Calls `told(old, new)` for each change, until the value is gone.
    ///
    /// A panic in `told` is logged and ends nothing: the next change is told all the same. Dropping the future ends it,
    /// between two calls.
    pub async fn for_each(mut self, mut told: impl FnMut(&T, &T)) {
        while let Some(change) = self.next().await {
            let told = catch_unwind(AssertUnwindSafe(|| told(&change.old, &change.new)));
            if told.is_err() {
                tracing::error!(
                    target: "gone_kit",
                    version = change.version,
                    "a subscriber to changes panicked; it will be told of the next one"
                );
            }
        }
    }
}

impl<T> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("seen", &self.seen.version).finish_non_exhaustive()
    }
}

/// The status of a [`Reload`] after each attempt, the latest for a slow subscriber. Its counts say what was skipped.
#[derive(Debug)]
pub struct StatusChanges(watch::Receiver<ReloadStatus>);

impl StatusChanges {
    /// Waits for the next attempt, accepted or refused; `None` once the value is gone.
    ///
    /// A dropped future loses nothing.
    pub async fn next(&mut self) -> Option<ReloadStatus> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::{ManualClock, StatValue};

    #[test]
    fn a_refused_value_leaves_the_last_good_one_and_is_told_with_its_time() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (clock, hand) = ManualClock::at(at(5));
        let value = Reload::with_clock(1, clock);
        assert_eq!(value.reload(|_| Err::<i32, _>("not a number")), Err("not a number"));
        assert_eq!((*value.get(), value.version()), (1, 1));
        hand.advance(Duration::from_secs(2));
        assert_eq!(value.reload(|old| Ok::<_, &str>(old + 1)), Ok(2));

        let status = value.status();
        assert_eq!((status.version, status.accepted, status.refused), (2, 1, 1));
        assert_eq!(status.changed_at, Some(at(7)));
        let error = status.last_error.expect("one was refused");
        assert_eq!((&*error.message, error.at), ("not a number", at(5)));
        let figures = value.stats().map(|stat| (stat.name, stat.value));
        assert_eq!(
            figures,
            [
                ("reload_version", StatValue::Integer(2)),
                ("reloads_accepted", StatValue::Integer(1)),
                ("reloads_refused", StatValue::Integer(1)),
            ]
        );
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_told_the_latest_from_what_it_was_told_before() {
        let value = Reload::new(1);
        let mut changes = value.changes();
        value.accept(2);
        value.accept(3);
        let change = changes.next().await.expect("changed");
        assert_eq!((*change.old, *change.new, change.version), (1, 3, 3));
        value.refuse(&"no");
        value.accept(4);
        let change = changes.next().await.expect("changed");
        assert_eq!((*change.old, *change.new, change.version), (3, 4, 4));
    }

    #[tokio::test]
    async fn the_last_change_is_told_before_the_end() {
        let value = Reload::new(1);
        let mut changes = value.changes();
        let mut statuses = value.statuses();
        value.accept(2);
        assert_eq!(statuses.next().await.map(|status| status.accepted), Some(1));
        drop(value);
        assert_eq!(changes.next().await.map(|change| *change.new), Some(2));
        assert!(changes.next().await.is_none());
        assert!(statuses.next().await.is_none());
    }

    #[tokio::test]
    async fn a_dropped_wait_loses_no_change() {
        let value = Reload::new(1);
        let mut changes = value.changes();
        {
            let mut waiting = std::pin::pin!(changes.next());
            assert!(futures_poll(waiting.as_mut()).await.is_none());
            value.accept(2);
        }
        assert_eq!(changes.next().await.map(|change| *change.new), Some(2));
    }

    /// Polls once.
    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }

    // container A-105
    #[tokio::test]
    async fn a_panic_in_a_subscriber_is_contained_and_the_next_change_is_told() {
        let value = Reload::new(1);
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let mut seen = Vec::new();
        let changes = value.changes();
        let mut other = value.changes();
        value.accept(2);
        let task = tokio::spawn(async move {
            changes
                .for_each(|old, new| {
                    seen.push((*old, *new));
                    assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "the first call");
                })
                .await;
            seen
        });
        assert_eq!(other.next().await.map(|change| *change.new), Some(2));
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        value.accept(3);
        drop(value);
        assert_eq!(task.await.expect("the panic is contained"), [(1, 2), (2, 3)]);
    }

    #[test]
    fn readers_never_see_parts_of_two_values() {
        const ROUNDS: u64 = 20_000;
        let value = Reload::new([0_u64; 16]);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < ROUNDS {
                        let (seen, version) = value.versioned();
                        assert!(seen.iter().all(|part| *part == seen[0]), "torn: {seen:?}");
                        assert_eq!(seen[0] + 1, version, "a value with the version of another");
                        assert!(seen[0] >= last, "{} after {last}", seen[0]);
                        last = seen[0];
                    }
                });
            }
            for round in 1..=ROUNDS {
                value.accept([round; 16]);
            }
        });
    }
}
