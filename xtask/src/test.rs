//! `cargo xtask test`: everything that CI runs.

use std::time::Instant;

use crate::results::Results;
use crate::shell::{Result, cargo, cargo_output};
use crate::{crates, rows, servers};

/// The features of each package that must compile and be tidy alone. Packages without features of their own are covered by the
/// run over the whole workspace.
const FEATURES: [(&str, &[&str]); 6] = [
    (
        "gone",
        &[
            "macros",
            "config",
            "clog",
            "clog-gzip",
            "coord",
            "coord-etcd",
            "coord-grpc",
            "db",
            "linkme",
            "schema",
            "test-util",
            "uid",
        ],
    ),
    ("gone-clog", &["gzip", "schema"]),
    ("gone-config", &["schema"]),
    ("gone-coord", &["etcd", "grpc", "schema"]),
    ("gone-db", &["schema", "sqlite"]),
    ("gone-uid", &["etcd", "schema"]),
];

/// The packages that have more to test with what is off by default, and all of that.
const IN_FULL: [&str; 8] = [
    "--package",
    "gone-clog",
    "--package",
    "gone-coord",
    "--package",
    "gone-uid",
    "--features",
    "gone-clog/gzip,gone-coord/etcd,gone-coord/grpc,gone-coord/schema,gone-uid/etcd,gone-uid/schema",
];

pub(crate) fn run() -> Result<()> {
    let begun = Instant::now();
    cargo(&["fmt", "--all", "--check"], &[])?;
    servers::install()?;
    for packages in [&["--workspace"][..], &IN_FULL] {
        let clippy = [&["clippy", "--quiet", "--all-targets"], packages, &["--", "-D", "warnings"]].concat();
        cargo(&clippy, &[])?;
        let doc = [&["doc", "--quiet", "--no-deps"], packages].concat();
        cargo(&doc, &[("RUSTDOCFLAGS", "-Dwarnings")])?;
    }
    // What this example runs is built only when it is asked for.
    let example = ["clippy", "--quiet", "--example", "fenced_lock", "--features", "coord-etcd"];
    cargo(&[&example[..], &["--", "-D", "warnings"]].concat(), &[])?;
    features_alone()?;
    crates::check()?;
    unwanted_crates()?;
    let mut results = Results::default();
    let ran = [&["--workspace"][..], &IN_FULL].map(|packages| results.run(packages));
    results.keep()?;
    ran.into_iter().collect::<Result<()>>()?;
    // The other registry, with the same tests.
    cargo(&["test", "--quiet", "--package", "gone", "--test", "discover", "--features", "linkme"], &[])?;
    rows::print("")?;
    results.summary()?;
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
    for packages in [&["--workspace"][..], &IN_FULL] {
        let tree = cargo_output(&[&["tree", "--edges", "normal,build", "--prefix", "none"], packages].concat())?;
        for unwanted in ["openssl-sys ", "native-tls ", "aws-lc-rs "] {
            if tree.lines().any(|line| line.starts_with(unwanted)) {
                return Err(format!("{unwanted}is in the tree: find who with `cargo tree --invert {unwanted}`"));
            }
        }
    }
    Ok(())
}
