//! What takes longer than CI has time for.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::servers;
use crate::shell::{Result, cargo};
use crate::workspace::{Workspace, flags};

/// A hundred thousand random applications, from a seed of the moment; it is printed, and said again by what fails. Then every
/// ignored test of a provider whose name begins with `full_size`.
pub(crate) fn run() -> Result<()> {
    servers::install()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = format!("{}", now * 100_000);
    let arguments = ["test", "--release", "--package", "gone", "--test", "random", "--", "--nocapture"];
    cargo(&arguments, &[("GONE_SEED", &seed), ("GONE_GRAPHS", "100000")])?;
    for provider in Workspace::read()?.providers() {
        let chosen = flags(&[provider]);
        let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
        let full_size = ["--tests", "--", "--ignored", "--nocapture", "--test-threads", "1", "full_size"];
        cargo(&[&["test", "--release"], &chosen[..], &full_size].concat(), &[])?;
    }
    Ok(())
}
