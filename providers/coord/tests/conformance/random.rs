//! Chance that can be repeated.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Random numbers of a seed that is printed, so that a run can be repeated: `SEED=7 cargo test …`.
pub(crate) struct Random(AtomicU64);

impl Random {
    /// Of the seed in the environment, or of the time.
    pub(crate) fn printed() -> Self {
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
        let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(now);
        println!("SEED={seed}");
        Self(AtomicU64::new(seed))
    }

    /// Others, for another task.
    pub(crate) fn split(&self) -> Self {
        Self(AtomicU64::new(self.next()))
    }

    /// A number below a bound; 0 below 0.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// SplitMix64.
    fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
