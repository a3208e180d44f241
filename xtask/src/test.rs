//! `cargo xtask test`: everything that CI runs.

use crate::results::Results;
use crate::shell::{Result, cargo};
use crate::stages::Stages;
use crate::workspace::{Workspace, flags};
use crate::{crates, dependencies, package, rows, servers};

/// Runs all stages up to the first that fails, and prints what each took.
pub(crate) fn run() -> Result<()> {
    let mut stages = Stages::new();
    let done = all(&mut stages);
    println!("{stages}");
    done
}

fn all(stages: &mut Stages) -> Result<()> {
    stages.run("fmt", || cargo(&["fmt", "--all", "--check"], &[]))?;
    stages.run("servers", servers::install)?;
    stages.run("dependencies", || dependencies::check().and_then(|()| crates::check()))?;
    // Whoever is in the middle of a change may test it. What is committed is what CI packages, and what a release does.
    stages.run("packages", || package::run(package::Options { no_verify: true, allow_dirty: true }))?;

    let workspace = Workspace::read()?;
    let in_full = flags(&workspace.in_full());
    let in_full: Vec<&str> = in_full.iter().map(String::as_str).collect();
    let runs = [&["--workspace"][..], &in_full];
    stages.run("clippy", || clippy(&runs))?;
    stages.run("rustdoc", || {
        runs.iter().try_for_each(|packages| {
            cargo(&[&["doc", "--quiet", "--no-deps"], *packages].concat(), &[("RUSTDOCFLAGS", "-Dwarnings")])
        })
    })?;
    stages.run("features", || features_alone(&workspace))?;

    let mut results = Results::default();
    let ran = [
        stages.run("tests of the workspace", || results.run(runs[0])),
        stages.run("tests in full", || results.run(runs[1])),
    ];
    results.keep()?;
    ran.into_iter().collect::<Result<()>>()?;
    // The other registry, with the same tests.
    let linkme = ["test", "--quiet", "--package", "gone", "--test", "discover", "--features", "linkme"];
    stages.run("tests with linkme", || cargo(&linkme, &[]))?;
    rows::print("")?;
    results.summary()
}

fn clippy(runs: &[&[&str]]) -> Result<()> {
    let strictly = |arguments: &[&[&str]]| {
        cargo(&[&["clippy", "--quiet"], &arguments.concat()[..], &["--", "-D", "warnings"]].concat(), &[])
    };
    for packages in runs {
        strictly(&[&["--all-targets"], packages])?;
    }
    // What this example runs is built only when it is asked for.
    strictly(&[&["--example", "fenced_lock", "--features", "coord-etcd"]])
}

fn features_alone(workspace: &Workspace) -> Result<()> {
    for (package, features) in workspace.features_alone() {
        for feature in std::iter::once(None).chain(features.into_iter().map(Some)) {
            let mut clippy = vec!["clippy", "--quiet", "--package", package, "--no-default-features"];
            clippy.extend(feature.iter().flat_map(|feature| ["--features", feature]));
            clippy.extend(["--", "-D", "warnings"]);
            cargo(&clippy, &[])?;
        }
    }
    Ok(())
}
