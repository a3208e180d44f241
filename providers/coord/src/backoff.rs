//! How long to wait before the next try.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double from a first to a longest, each shortened by chance so that those who fail together do not come back
/// together.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, tries: 0 }
    }

    /// The wait before the next try: half of its full length at least.
    pub(crate) fn wait(&mut self) -> Duration {
        let full = self.first.saturating_mul(1 << self.tries.min(20)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        jittered(full)
    }

    /// It went well: the next wait is the first one again.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A time between half of this one and all of it.
pub(crate) fn jittered(full: Duration) -> Duration {
    // A fresh state has random keys, and so its empty hash is a random number.
    let chance = RandomState::new().hash_one(0_u8) as f64 / u64::MAX as f64;
    full.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_keep_half_of_their_length() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for full in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.wait();
            assert!((full / 2..=full).contains(&(wait.as_millis() as u64)), "{wait:?} of {full} ms");
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(100));
    }

    #[test]
    fn two_waits_of_one_length_differ() {
        let waits: Vec<_> = (0..10).map(|_| jittered(Duration::from_secs(1))).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}
