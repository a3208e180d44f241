//! Time, injectable.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// Where a component takes the time from: [`system`](Self::system) outside of tests, a [`ManualClock`] in them.
///
/// It has two readings that must not be mixed: [`now`](Self::now) for durations and deadlines, which never goes back, and
/// [`wall`](Self::wall) for what is written down, which an operator or NTP may set forwards and back. A clone is the same
/// clock.
///
/// ```
/// use std::time::Duration;
/// use gone_kit::{Clock, ManualClock};
///
/// let (clock, hand) = ManualClock::new();
/// let begun = clock.now();
/// hand.advance(Duration::from_secs(3));
/// assert_eq!(clock.now() - begun, Duration::from_secs(3));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(ManualClock),
}

impl Clock {
    /// The clocks of the machine. On a tokio runtime whose time is paused, [`now`](Self::now) is that paused time.
    pub fn system() -> Self {
        Self::default()
    }

    /// The monotonic clock: for durations and deadlines.
    #[inline]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => tokio::time::Instant::now().into_std(),
            Source::Manual(hand) => hand.lock().now,
        }
    }

    /// The wall clock: for what is written down. It may go back.
    #[inline]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System => SystemTime::now(),
            Source::Manual(hand) => hand.lock().wall,
        }
    }

    /// Waits until [`now`](Self::now) has reached the instant. A dropped future leaves nothing behind.
    pub async fn sleep_until(&self, instant: Instant) {
        match &self.0 {
            Source::System => tokio::time::sleep_until(instant.into()).await,
            Source::Manual(hand) => {
                let mut moved = hand.0.moved.subscribe();
                while hand.lock().now < instant {
                    // The sender lives as long as the clock that is borrowed here.
                    let _ = moved.changed().await;
                }
            }
        }
    }

    /// Waits for a duration. A dropped future leaves nothing behind.
    pub async fn sleep(&self, duration: Duration) {
        match self.now().checked_add(duration) {
            Some(instant) => self.sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}

/// The hand that moves a [`Clock`] in a test. Nothing moves by itself. A clone moves the same clock.
#[derive(Clone)]
pub struct ManualClock(Arc<Hand>);

struct Hand {
    time: Mutex<Time>,
    moved: watch::Sender<()>,
}

struct Time {
    now: Instant,
    wall: SystemTime,
}

impl ManualClock {
    /// A clock that stands at the machine's time, and its hand.
    #[allow(clippy::new_ret_no_self, reason = "the clock and its hand are one thing seen from two sides")]
    pub fn new() -> (Clock, Self) {
        Self::at(SystemTime::now())
    }

    /// A clock whose wall stands at a time, and its hand.
    pub fn at(wall: SystemTime) -> (Clock, Self) {
        let time = Mutex::new(Time { now: crate::lease::anchored(), wall });
        let hand = Self(Arc::new(Hand { time, moved: watch::Sender::new(()) }));
        (Clock(Source::Manual(hand.clone())), hand)
    }

    /// Time passes: both readings move on, and who sleeps until then wakes.
    pub fn advance(&self, duration: Duration) {
        let mut time = self.lock();
        time.now += duration;
        time.wall += duration;
        drop(time);
        self.0.moved.send_replace(());
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, wall: SystemTime) {
        self.lock().wall = wall;
    }

    fn lock(&self) -> MutexGuard<'_, Time> {
        self.0.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("wall", &self.lock().wall).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_hand_has_moved_far_enough() {
        let (clock, hand) = ManualClock::new();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(10)).await }
        });
        tokio::task::yield_now().await;
        hand.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        hand.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
    }

    #[test]
    fn the_wall_may_be_set_back_and_the_monotonic_clock_stays() {
        let (clock, hand) = ManualClock::new();
        let (now, wall) = (clock.now(), clock.wall());
        hand.set_wall(wall - Duration::from_secs(60));
        assert_eq!(clock.now(), now);
        assert_eq!(clock.wall(), wall - Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_follows_paused_time() {
        let clock = Clock::system();
        let begun = clock.now();
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!((clock.now() - begun).as_secs(), 3600);
    }
}
