//! The benchmarks: a workspace of their own, so that nobody who builds the project builds them.

use std::process::Command;

use crate::shell::{Result, cargo_program, root};

pub(crate) fn run(package: &str, features: &[&str]) -> Result<()> {
    let mut command = Command::new(cargo_program());
    // Cargo sets this one for what it runs, and what it points to is another workspace's.
    command.env_remove("CARGO_MANIFEST_DIR").current_dir(root().join("benches"));
    command.args(["run", "--release", "--package", package, "--features", &features.join(",")]);
    let status = command.status();
    match status.map_err(|error| format!("cargo does not start: {error}"))?.success() {
        true => Ok(()),
        false => Err(format!("the benchmark `{package}` failed")),
    }
}
