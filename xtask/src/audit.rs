//! `cargo xtask audit`: what needs a tool that cargo does not bring, and so is no part of CI.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Result, cargo, root};

/// A program from a crate, in the version that the repository is checked with.
struct Tool {
    krate: &'static str,
    version: &'static str,
    program: &'static str,
}

const DENY: Tool = Tool { krate: "cargo-deny", version: "0.20.2", program: "cargo-deny" };
const TYPOS: Tool = Tool { krate: "typos-cli", version: "1.52.0", program: "typos" };

/// Looks for misspelt words, by `typos.toml`, and at the dependencies, by `deny.toml`: duplicates and bans, licences, sources and,
/// where their list can be fetched, advisories. All of it is run, whatever fails.
pub(crate) fn run() -> Result<()> {
    let (typos, deny) = (TYPOS.installed()?, DENY.installed()?);
    let mut failed = Vec::new();
    failed.extend(passes(&typos, &["--config", "typos.toml"])?.err());
    let deny_all = ["--workspace", "check", "--hide-inclusion-graph"];
    failed.extend(passes(&deny, &[&deny_all[..], &["bans", "licenses", "sources"]].concat())?.err());
    match passes(&deny, &["fetch", "db"])? {
        Ok(()) => failed.extend(passes(&deny, &[&deny_all[..], &["--disable-fetch", "advisories"]].concat())?.err()),
        Err(_) => println!("NOT CHECKED: advisories. Their list could not be fetched, for the reason above."),
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("the audit failed: {}", failed.join("; "))),
    }
}

impl Tool {
    /// Where it is; it is compiled first, if it is not there yet.
    fn installed(&self) -> Result<PathBuf> {
        let tools = root().join("target").join("tools");
        let own = tools.join(format!("{}-{}", self.krate, self.version));
        let program = own.join("bin").join(self.program);
        if !program.is_file() {
            let (own, build) = (own.display().to_string(), tools.join("build").display().to_string());
            let install = ["install", "--locked", "--root", &own, "--version", self.version, self.krate];
            // What was compiled is kept until all of it is, so that an interrupted run goes on where it was.
            cargo(&install, &[("CARGO_TARGET_DIR", &build)])?;
            std::fs::remove_dir_all(&build).map_err(|error| format!("{build}: {error}"))?;
        }
        Ok(program)
    }
}

/// Runs a program in the folder of the workspace: whether it passes, if it starts at all.
fn passes(program: &PathBuf, arguments: &[&str]) -> Result<std::result::Result<(), String>> {
    let name = program.file_name().unwrap_or_default().display();
    let what = format!("{name} {}", arguments.join(" "));
    println!("$ {what}");
    let status = Command::new(program).args(arguments).current_dir(root()).status();
    let status = status.map_err(|error| format!("{name} does not start: {error}"))?;
    Ok(if status.success() { Ok(()) } else { Err(what) })
}
