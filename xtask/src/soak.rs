//! What takes longer than CI has time for.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::shell::{Result, cargo};

/// A hundred thousand random applications, from a seed of the moment; it is printed, and said again by what fails.
pub(crate) fn run() -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = format!("{}", now * 100_000);
    let arguments = ["test", "--release", "--package", "gone", "--test", "random", "--", "--nocapture"];
    cargo(&arguments, &[("GONE_SEED", &seed), ("GONE_GRAPHS", "100000")])
}
