//! What a container adds to a build: a program with one component, and one with a hundred of three sites each, under Gone, under
//! its peers, and wired by hand. Cold is a build into an empty folder of all that the program depends on, downloads apart; warm
//! is a build after its source was touched. Both as a developer builds: unoptimised and incremental.

mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::shell::{Result, cargo_program, root};
use sources::Source;

const COLD_ROUNDS: usize = 2;
const WARM_ROUNDS: usize = 7;
/// How many the larger program has, and how many more they need.
const COMPONENTS: usize = 100;
const LEAVES: usize = 10;

/// One container in both programs.
struct Measured {
    crates: usize,
    cold: Vec<Cost>,
    warm: Vec<Cost>,
}

#[derive(Clone, Copy)]
struct Cost {
    /// Of all processors together.
    busy: f64,
    elapsed: f64,
}

pub(crate) fn run() -> Result<()> {
    let folder = root().join("target").join("compile-peers");
    println!(
        "CPU s, then s on the clock. Cold: the better of {COLD_ROUNDS}; warm: minimum and median of {WARM_ROUNDS}.\n"
    );
    println!("| program | container | crates | cold CPU s | cold s | warm CPU s min / median | warm s min / median |");
    println!("|{}|", ["---"; 7].join("|"));
    for (program, components) in [("hello", 1), ("hundred", COMPONENTS)] {
        let all: Vec<(&str, PathBuf)> = sources::all()
            .iter()
            .map(|source| Ok((source.name, package(&folder, program, source, components)?)))
            .collect::<Result<_>>()?;
        let mut measured: Vec<Measured> =
            all.iter().map(|_| Measured { crates: 0, cold: Vec::new(), warm: Vec::new() }).collect();
        for _ in 0..COLD_ROUNDS {
            for ((_, package), measured) in all.iter().zip(&mut measured) {
                let target = package.join("target");
                if target.exists() {
                    std::fs::remove_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
                }
                let (cost, crates) = build(package)?;
                measured.cold.push(cost);
                // Its own is none of those that it brings.
                measured.crates = crates - 1;
            }
        }
        for ((name, package), _) in all.iter().zip(&measured) {
            works(name, package)?;
        }
        for _ in 0..WARM_ROUNDS {
            for ((_, package), measured) in all.iter().zip(&mut measured) {
                touch(&package.join("src/main.rs"))?;
                measured.warm.push(build(package)?.0);
            }
        }
        for ((name, _), Measured { crates, cold, warm }) in all.iter().zip(&measured) {
            let (busy, elapsed) = (sorted(cold, |cost| cost.busy), sorted(cold, |cost| cost.elapsed));
            let (warm_busy, warm_elapsed) = (sorted(warm, |cost| cost.busy), sorted(warm, |cost| cost.elapsed));
            println!(
                "| {program} | {name} | {crates} | {:.1} | {:.1} | {:.2} / {:.2} | {:.2} / {:.2} |",
                busy[0],
                elapsed[0],
                warm_busy[0],
                warm_busy[WARM_ROUNDS / 2],
                warm_elapsed[0],
                warm_elapsed[WARM_ROUNDS / 2]
            );
        }
    }
    Ok(())
}

fn sorted(costs: &[Cost], part: impl Fn(&Cost) -> f64) -> Vec<f64> {
    let mut parts: Vec<f64> = costs.iter().map(part).collect();
    parts.sort_by(f64::total_cmp);
    parts
}

/// Writes the program, and downloads what it depends on.
fn package(folder: &Path, program: &str, source: &Source, components: usize) -> Result<PathBuf> {
    let package = folder.join(program).join(source.name.replace([' ', ','], "-"));
    let said = |error: std::io::Error| format!("{}: {error}", package.display());
    std::fs::create_dir_all(package.join("src")).map_err(said)?;
    let manifest = format!(
        "[package]\nname = \"measured\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\n[workspace]\n",
        source.dependencies()?
    );
    std::fs::write(package.join("Cargo.toml"), manifest).map_err(said)?;
    let text = match components {
        1 => source.program(&[sources::Component { name: "A0".to_owned(), needs: Vec::new() }]),
        _ => source.program(&sources::graph(components, LEAVES)),
    };
    std::fs::write(package.join("src/main.rs"), text).map_err(said)?;
    // The versions that the benchmarks have.
    std::fs::copy(root().join("benches/Cargo.lock"), package.join("Cargo.lock")).map_err(said)?;
    let fetched =
        Command::new(cargo_program()).arg("fetch").arg("--quiet").current_dir(&package).status().map_err(said)?;
    if fetched.success() { Ok(package) } else { Err(format!("{}: cargo fetch failed", package.display())) }
}

/// Builds the program: what it cost, and how many crates were compiled.
fn build(package: &Path) -> Result<(Cost, usize)> {
    let said = |error: std::io::Error| format!("{}: {error}", package.display());
    // The shell's own `time` counts the processor time of all that it waits for.
    let mut command = Command::new("bash");
    command.args(["-c", "TIMEFORMAT='time %U %S'; time cargo build --offline"]).current_dir(package);
    environment(&mut command, package);
    let begun = Instant::now();
    let output = command.output().map_err(said)?;
    let elapsed = begun.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let times = text.lines().rev().find_map(|line| line.strip_prefix("time ")).unwrap_or_default();
    let seconds: Vec<f64> = times.split(' ').filter_map(|time| time.parse().ok()).collect();
    let crates = text.lines().filter(|line| line.trim_start().starts_with("Compiling ")).count();
    match (output.status.success(), seconds.as_slice()) {
        (true, [user, system]) => Ok((Cost { busy: user + system, elapsed }, crates)),
        _ => Err(text),
    }
}

/// The program makes its components and finds them.
fn works(name: &str, package: &Path) -> Result<()> {
    let output = Command::new(package.join("target/debug/measured")).current_dir(package).output();
    match output.map_err(|error| format!("{name}: {error}"))? {
        output if output.status.success() => Ok(()),
        output => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// Nothing of the surroundings but the folder.
fn environment(command: &mut Command, package: &Path) {
    command.env("CARGO_TARGET_DIR", package.join("target")).env("CARGO_TERM_COLOR", "never");
    command.env_remove("CARGO_INCREMENTAL").env_remove("RUSTFLAGS");
}

fn touch(file: &Path) -> Result<()> {
    let said = |error: std::io::Error| format!("{}: {error}", file.display());
    let text = std::fs::read(file).map_err(said)?;
    std::fs::write(file, text).map_err(said)
}
