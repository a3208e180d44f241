//! How much a program that depends on Gone compiles.

use std::collections::BTreeSet;

use crate::shell::{Result, cargo_output};

/// The features of a hello program, and how many crates it may compile with them, its own not counted.
const BUDGETS: [(&[&str], usize, &str); 2] = [
    (&[], 85, "default features (macros, config, clog)"),
    (&["--no-default-features", "--features", "macros"], 45, "macros alone"),
];

pub(crate) fn check() -> Result<()> {
    let mut over = Vec::new();
    for (features, budget, what) in BUDGETS {
        let mut arguments =
            vec!["tree", "--package", "gone", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"];
        arguments.extend(features);
        let tree = cargo_output(&arguments)?;
        let crates: BTreeSet<&str> =
            tree.lines().filter(|line| !line.is_empty()).map(|line| line.split(" (").next().unwrap_or(line)).collect();
        println!("{what}: {} crates, budget {budget}", crates.len());
        if crates.len() > budget {
            over.push(format!("{what}: {} crates are more than {budget}", crates.len()));
        }
    }
    match over.is_empty() {
        true => Ok(()),
        false => Err(over.join("; ")),
    }
}
