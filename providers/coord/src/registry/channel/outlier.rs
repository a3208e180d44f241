//! Instances that fail again and again are left out for a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When an instance is left out of the choice though it is registered.
///
/// An instance has failed when it could not be reached, when the connection broke, or when it answered `UNAVAILABLE`; every
/// other answer is a success, also one that says that the request was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutlierPolicy {
    /// After how many failures in a row. Default 5; 0: never.
    pub consecutive_failures: u32,
    /// For how long the first time; twice as long each time it happens again. Default 1 s.
    pub base_ejection: Duration,
    /// The longest time. Default 30 s.
    pub max_ejection: Duration,
    /// How many of a hundred instances may be left out at one time, rounded down, so that a single one never is. Default 50.
    pub max_ejected_percent: u8,
}

impl Default for OutlierPolicy {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            base_ejection: Duration::from_secs(1),
            max_ejection: Duration::from_secs(30),
            max_ejected_percent: 50,
        }
    }
}

impl OutlierPolicy {
    /// How many of so many instances may be left out.
    pub(super) fn most_ejected(&self, instances: usize) -> usize {
        instances.saturating_mul(usize::from(self.max_ejected_percent.min(100))) / 100
    }

    /// For how long, the `times`-th time in a row, counted from 0.
    fn ejection(&self, times: u32) -> Duration {
        let doubled = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        self.base_ejection.saturating_mul(doubled).min(self.max_ejection)
    }
}

/// How one instance has fared.
#[derive(Debug)]
pub(super) struct Record {
    anchor: Instant,
    /// Failures in a row.
    failures: AtomicU32,
    /// Until when it is left out, in nanoseconds since the anchor.
    ejected_until: AtomicU64,
    past: Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    /// How often it was left out, without a long enough time of peace between.
    times: u32,
    /// The last time it was: until when, and how long.
    last: Option<(Instant, Duration)>,
}

impl Record {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            anchor: now,
            failures: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            past: Mutex::new(Past::default()),
        }
    }

    /// Whether it is left out at this moment.
    pub(super) fn is_ejected(&self, now: Instant) -> bool {
        let until = self.ejected_until.load(Ordering::Relaxed);
        until > 0 && now.saturating_duration_since(self.anchor) < Duration::from_nanos(until)
    }

    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Notes a failure; the time for which it is left out from now, if that is so. `allowed` is asked whether one more may be.
    pub(super) fn failed(
        &self,
        policy: &OutlierPolicy,
        now: Instant,
        allowed: impl FnOnce() -> bool,
    ) -> Option<Duration> {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if policy.consecutive_failures == 0 || failures < policy.consecutive_failures {
            return None;
        }
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        // Calls that were under way when it was left out end later, and count no further.
        if self.is_ejected(now) || !allowed() {
            return None;
        }
        // Once it has been in the choice for as long as it was left out, the past is forgotten.
        if past.last.is_some_and(|(until, length)| now.saturating_duration_since(until) >= length) {
            past.times = 0;
        }
        let length = policy.ejection(past.times);
        past.times = past.times.saturating_add(1);
        past.last = Some((now + length, length));
        self.failures.store(0, Ordering::Relaxed);
        let until = (now + length).saturating_duration_since(self.anchor).as_nanos();
        self.ejected_until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(record: &Record, times: u32, now: Instant) -> Option<Duration> {
        (0..times).fold(None, |_, _| record.failed(&OutlierPolicy::default(), now, || true))
    }

    #[test]
    fn five_failures_in_a_row_leave_an_instance_out_and_one_success_between_does_not() {
        let now = Instant::now();
        let record = Record::new(now);
        assert_eq!(fail(&record, 4, now), None);
        record.succeeded();
        assert_eq!(fail(&record, 4, now), None);
        assert!(!record.is_ejected(now));
        assert_eq!(fail(&record, 1, now), Some(SECOND));
        assert!(record.is_ejected(now + SECOND - Duration::from_nanos(1)));
        assert!(!record.is_ejected(now + SECOND));
    }

    #[test]
    fn the_time_grows_to_its_bound_and_is_forgotten_after_as_long_a_time_of_peace() {
        let mut now = Instant::now();
        let record = Record::new(now);
        let mut lengths = Vec::new();
        for _ in 0..7 {
            let length = fail(&record, 5, now).expect("left out");
            lengths.push(length.as_secs());
            now += length;
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(fail(&record, 5, now + SECOND * 29), Some(SECOND * 30), "not yet forgotten");
        now += SECOND * (29 + 30 + 30);
        assert_eq!(fail(&record, 5, now), Some(SECOND));
    }

    #[test]
    fn the_share_that_may_be_left_out_is_rounded_down_and_a_single_one_never_is() {
        let policy = OutlierPolicy::default();
        let most: Vec<_> = [0, 1, 2, 3, 4, 5].map(|instances| policy.most_ejected(instances)).to_vec();
        assert_eq!(most, [0, 0, 1, 1, 2, 2]);
        let now = Instant::now();
        let record = Record::new(now);
        for _ in 0..100 {
            assert_eq!(record.failed(&policy, now, || false), None);
        }
        assert_eq!(record.failed(&policy, now, || true), Some(SECOND), "it is, as soon as there is room");
    }

    #[test]
    fn calls_that_end_after_it_was_left_out_do_not_lengthen_it() {
        let now = Instant::now();
        let record = Record::new(now);
        assert_eq!(fail(&record, 5, now), Some(SECOND));
        assert_eq!(fail(&record, 20, now + SECOND / 2), None);
        assert!(!record.is_ejected(now + SECOND));
    }

    #[test]
    fn a_policy_of_zero_leaves_nothing_out() {
        let policy = OutlierPolicy { consecutive_failures: 0, ..OutlierPolicy::default() };
        let now = Instant::now();
        let record = Record::new(now);
        assert!((0..100).all(|_| record.failed(&policy, now, || true).is_none()));
    }
}
