//! What takes longer than CI has time for.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::servers;
use crate::shell::{Result, cargo};

/// The packages with tests of full size, and the features that these need.
const FULL_SIZE: [(&str, &str); 3] = [("gone-clog", "gzip"), ("gone-coord", "etcd,grpc"), ("gone-uid", "etcd")];

/// A hundred thousand random applications, from a seed of the moment; it is printed, and said again by what fails. Then every
/// ignored test whose name begins with `full_size`.
pub(crate) fn run() -> Result<()> {
    servers::install()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = format!("{}", now * 100_000);
    let arguments = ["test", "--release", "--package", "gone", "--test", "random", "--", "--nocapture"];
    cargo(&arguments, &[("GONE_SEED", &seed), ("GONE_GRAPHS", "100000")])?;
    for (package, features) in FULL_SIZE {
        let mut arguments = vec!["test", "--release", "--package", package, "--features", features, "--tests"];
        arguments.extend(["--", "--ignored", "--nocapture", "--test-threads", "1", "full_size"]);
        cargo(&arguments, &[])?;
    }
    Ok(())
}
