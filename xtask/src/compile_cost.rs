//! What a derived goner costs to compile: a crate of derived structs with three sites each, beside one of the same structs with a
//! constructor each, in turn. Both crates put to use what they have: one loads all goners, the other constructs all structs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::shell::{Result, root};

const STRUCTS: usize = 1_000;
const LEAVES: usize = 50;
const ROUNDS: usize = 3;

/// At most so many times the CPU time of the hand-written crate; what a goner may weigh, in bytes; and what the whole crate may cost.
const DEBUG_BAR: f64 = 5.0;
const RELEASE_BAR: f64 = 3.0;
const BYTES_BAR: f64 = 5_000.0;
const RELEASE_SECONDS_BAR: f64 = 30.0;
const RELEASE_BYTES_BAR: u64 = 2_000_000_000;

/// What one compilation took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    peak: u64,
}

pub(crate) fn run() -> Result<()> {
    let folder = root().join("target").join("compile-cost");
    let hand = package(&folder, "hand", &hand_written())?;
    let derived = package(&folder, "derived", &derived())?;
    for (profile, flag, bar) in [("debug", None, DEBUG_BAR), ("release", Some("--release"), RELEASE_BAR)] {
        let mut costs = [Vec::new(), Vec::new()];
        for package in [&hand, &derived] {
            // What they depend on is compiled before, and counts for nothing.
            compile(package, &folder, flag)?;
        }
        for _ in 0..ROUNDS {
            for (package, costs) in [&hand, &derived].into_iter().zip(&mut costs) {
                costs.push(compile(package, &folder, flag)?);
            }
        }
        let [hand, derived] = costs.map(|costs| {
            let seconds = |cost: &Cost| cost.seconds;
            let least = costs.iter().map(seconds).fold(f64::INFINITY, f64::min);
            let most = costs.iter().map(seconds).fold(0.0, f64::max);
            let peak = costs.iter().map(|cost| cost.peak).max().unwrap_or_default();
            println!("{profile}: {least:.2} to {most:.2} CPU s, at most {} MB", peak / 1_000_000);
            Cost { seconds: least, peak }
        });
        let text = |package| text_of(&folder, profile, package);
        let each = (text("derived")? as f64 - text("hand")? as f64) / STRUCTS as f64;
        println!(
            "{profile}: {STRUCTS} derived goners cost {:.2}x the hand-written ones (bar {bar}x), {each:.0} bytes more each",
            derived.seconds / hand.seconds
        );
        if profile == "release" {
            println!(
                "release: bars {RELEASE_SECONDS_BAR} CPU s, {} MB, {BYTES_BAR} bytes",
                RELEASE_BYTES_BAR / 1_000_000
            );
            let within =
                derived.seconds <= RELEASE_SECONDS_BAR && derived.peak <= RELEASE_BYTES_BAR && each <= BYTES_BAR;
            println!("release: {}", if within { "within its absolute bars" } else { "OVER an absolute bar" });
        }
    }
    Ok(())
}

/// Structs whose sites are leaves of the same crate, so that no chain of types gets long.
fn structs(mut one: impl FnMut(&mut String, usize, [usize; 3])) -> String {
    let mut text = String::from("use std::sync::Arc;\n");
    for number in 0..STRUCTS {
        one(&mut text, number, [1, 2, 3].map(|back| leaf(number, back)));
    }
    text
}

/// The leaf that a struct needs.
fn leaf(number: usize, back: usize) -> usize {
    (number * 7 + back * 13) % LEAVES
}

fn derived() -> String {
    let mut text = structs(|text, number, leaves| {
        let fields = leaves.iter().enumerate().map(|(at, leaf)| format!("    #[gone] pub f{at}: Arc<L{leaf}>,\n"));
        let fields: String = fields.collect();
        let _ = writeln!(text, "#[derive(gone::Goner)]\npub struct S{number} {{\n{fields}}}");
    });
    for leaf in 0..LEAVES {
        let _ = writeln!(text, "pub struct L{leaf};");
    }
    text.push_str("pub fn all(loader: &mut gone::Loader) {\n");
    for number in 0..STRUCTS {
        let _ = writeln!(text, "    loader.load(<S{number} as gone::Goner>::goner());");
    }
    text.push_str("}\n");
    text
}

fn hand_written() -> String {
    let mut text = structs(|text, number, leaves| {
        let fields = leaves.iter().enumerate().map(|(at, leaf)| format!("    pub f{at}: Arc<L{leaf}>,\n"));
        let fields: String = fields.collect();
        let parameters: Vec<_> = leaves.iter().enumerate().map(|(at, leaf)| format!("f{at}: Arc<L{leaf}>")).collect();
        let parameters = parameters.join(", ");
        let _ = writeln!(
            text,
            "pub struct S{number} {{\n{fields}}}\nimpl S{number} {{ pub fn new({parameters}) -> Self {{ Self {{ f0, f1, f2 }} }} }}"
        );
    });
    for leaf in 0..LEAVES {
        let _ = writeln!(text, "pub struct L{leaf};");
    }
    text.push_str("pub fn all(wired: &mut Vec<Arc<dyn std::any::Any + Send + Sync>>) {\n");
    for leaf in 0..LEAVES {
        let _ = writeln!(text, "    let l{leaf} = Arc::new(L{leaf});");
    }
    for number in 0..STRUCTS {
        let leaves = [1, 2, 3].map(|back| format!("Arc::clone(&l{})", leaf(number, back))).join(", ");
        let _ = writeln!(text, "    wired.push(Arc::new(S{number}::new({leaves})));");
    }
    text.push_str("}\n");
    text
}

fn package(folder: &Path, name: &str, source: &str) -> Result<PathBuf> {
    let package = folder.join(name);
    let said = |error: std::io::Error| format!("{}: {error}", package.display());
    std::fs::create_dir_all(package.join("src")).map_err(said)?;
    let gone = root().display().to_string();
    let manifest = format!(
        "[package]\nname = \"cost_{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         gone = {{ path = {gone:?}, default-features = false, features = [\"macros\"] }}\n\n[workspace]\n"
    );
    std::fs::write(package.join("Cargo.toml"), manifest).map_err(said)?;
    std::fs::write(package.join("src/lib.rs"), source).map_err(said)?;
    std::fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).map_err(said)?;
    Ok(package)
}

/// Compiles the crate alone, not incrementally.
fn compile(package: &Path, folder: &Path, flag: Option<&str>) -> Result<Cost> {
    let said = |error: std::io::Error| format!("{}: {error}", package.display());
    let source = package.join("src/lib.rs");
    let text = std::fs::read(&source).map_err(said)?;
    std::fs::write(&source, text).map_err(said)?;
    // The shell's own `time` counts the processor time of all that it waits for.
    let script = format!("TIMEFORMAT='time %U %S'; time cargo build --quiet {}", flag.unwrap_or_default());
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(package);
    command.env("CARGO_TARGET_DIR", folder.join("build")).env("CARGO_INCREMENTAL", "0");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(said)?;
    let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut peak = 0;
    while child.try_wait().map_err(said)?.is_none() {
        peak = peak.max(peak_of(&format!("cost_{name}")));
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().map_err(said)?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let times = text.lines().rev().find_map(|line| line.strip_prefix("time ")).unwrap_or_default();
    let seconds: Vec<f64> = times.split(' ').filter_map(|time| time.parse().ok()).collect();
    match (output.status.success(), seconds.as_slice()) {
        (true, [user, system]) => Ok(Cost { seconds: user + system, peak }),
        _ => Err(text),
    }
}

/// The most memory that the compiler of this crate has had so far, in bytes.
fn peak_of(krate: &str) -> u64 {
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let peaks = processes.flatten().filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        (line.contains("rustc") && line.contains(krate)).then_some(())?;
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    peaks.max().unwrap_or_default() * 1_024
}

/// The code and data of the crate, in bytes.
fn text_of(folder: &Path, profile: &str, package: &str) -> Result<u64> {
    let library = folder.join("build").join(profile).join(format!("libcost_{package}.rlib"));
    let output = Command::new("size").arg("--totals").arg(&library).output();
    let output = output.map_err(|error| format!("`size` of binutils does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let totals = text.lines().last().unwrap_or_default();
    let sizes: Vec<u64> = totals.split_whitespace().filter_map(|size| size.parse().ok()).collect();
    match sizes.as_slice() {
        [text, data, ..] => Ok(text + data),
        _ => Err(format!("{}: {text}", library.display())),
    }
}
