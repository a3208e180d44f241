//! `cargo xtask test`: everything that CI runs.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::shell::{Result, cargo, cargo_lines, cargo_output};
use crate::{crates, rows};

/// The features of each package that must compile and be tidy alone. Packages without features of their own are covered by the
/// run over the whole workspace.
const FEATURES: [(&str, &[&str]); 4] = [
    ("gone", &["macros", "config", "clog", "clog-gzip", "db", "linkme", "schema", "test-util"]),
    ("gone-clog", &["gzip", "schema"]),
    ("gone-config", &["schema"]),
    ("gone-db", &["schema", "sqlite"]),
];

pub(crate) fn run() -> Result<()> {
    let begun = Instant::now();
    cargo(&["fmt", "--all", "--check"], &[])?;
    cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    cargo(&["doc", "--quiet", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-Dwarnings")])?;
    features_alone()?;
    crates::check()?;
    unwanted_crates()?;
    tests()?;
    // The other registry, with the same tests.
    cargo(&["test", "--quiet", "--package", "gone", "--test", "discover", "--features", "linkme"], &[])?;
    // What is off by default.
    cargo(&["test", "--quiet", "--package", "gone-clog", "--features", "gzip"], &[])?;
    rows::print("")?;
    println!("all of it took {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn features_alone() -> Result<()> {
    for (package, features) in FEATURES {
        for feature in std::iter::once(None).chain(features.iter().map(Some)) {
            let mut clippy = vec!["clippy", "--quiet", "--package", package, "--no-default-features"];
            if let Some(feature) = feature {
                clippy.extend(["--features", feature]);
            }
            clippy.extend(["--", "-D", "warnings"]);
            cargo(&clippy, &[])?;
        }
    }
    Ok(())
}

/// Crates that bring a C library of their own, or a second TLS stack, into every build.
fn unwanted_crates() -> Result<()> {
    let tree = cargo_output(&["tree", "--workspace", "--edges", "normal,build", "--prefix", "none"])?;
    for unwanted in ["openssl-sys ", "native-tls ", "aws-lc-rs "] {
        if tree.lines().any(|line| line.starts_with(unwanted)) {
            return Err(format!("{unwanted}is in the tree: find who brings it with `cargo tree --invert {unwanted}`"));
        }
    }
    Ok(())
}

/// All tests, also those that `cargo test` leaves out because they need a server. Those of full size are for `cargo xtask soak`.
fn tests() -> Result<()> {
    let mut passed = BTreeSet::new();
    let mut binary = String::new();
    let (mut ok, mut failed) = (0, 0);
    let arguments = ["test", "--workspace", "--no-fail-fast", "--", "--include-ignored", "--skip", "full_size"];
    let success = cargo_lines(&arguments, |line| {
        if let Some(running) = line.trim_start().strip_prefix("Running ") {
            let file = running.rsplit('/').next().unwrap_or(running);
            binary = file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned();
        } else if let Some(documented) = line.trim_start().strip_prefix("Doc-tests ") {
            binary = format!("doc {documented}");
        } else if let Some((test, result)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... ")) {
            // Tests that print lines like these themselves print other words, or colours, where the result stands.
            match result {
                "ok" => {
                    ok += 1;
                    passed.insert((binary.clone(), test.replace(" - should panic", "")));
                }
                "FAILED" => failed += 1,
                _ => {}
            }
        }
    })?;
    rows::keep(&passed)?;
    println!("{ok} passed, {failed} failed");
    match success && failed == 0 {
        true => Ok(()),
        false => Err("tests failed".into()),
    }
}
