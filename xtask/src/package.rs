//! `cargo xtask package`: packages everything that is published, as for a release.

mod included;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::shell::{Result, cargo, cargo_lines, cargo_output, root};
use crate::workspace::{Package, Workspace};

/// What is at the top of a package: files by their whole names, folders with a `/` at the end.
const MAY_HOLD: [&str; 11] = [
    ".cargo_vcs_info.json",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "docs/",
    "src/",
    "tests/",
];

const MUST_HOLD: [&str; 5] = ["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

/// No file is larger, in bytes, but the lock file.
const LARGEST: u64 = 100_000;

/// What the registry takes: keywords, and categories.
const AT_MOST: usize = 5;

/// What is asked of the command.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    /// Only what needs no compiler: manifests, lists of files, archives.
    pub(crate) no_verify: bool,
    /// Files that are not committed are packaged as they are.
    pub(crate) allow_dirty: bool,
}

impl Options {
    pub(crate) fn from_flags(flags: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        for flag in flags {
            match *flag {
                "--no-verify" => options.no_verify = true,
                "--allow-dirty" => options.allow_dirty = true,
                other => return Err(format!("`{other}` is neither `--no-verify` nor `--allow-dirty`")),
            }
        }
        Ok(options)
    }
}

/// Packages each published package, in the order in which they depend on one another, and prints its number of files and size;
/// fails on whatever cargo warns of. Unless told otherwise, each is then built with all features as packaged, against the
/// packages of the others, and its tests are compiled where they are in the package.
pub(crate) fn run(options: Options) -> Result<()> {
    let workspace = Workspace::read()?;
    let published = workspace.published();
    let mut wrong = Vec::new();
    let mut lists = Vec::new();
    for package in &published {
        let files = files(package, options)?;
        let found =
            manifest(package).into_iter().chain(list(package, &files)).chain(included::outside(package, &files));
        wrong.extend(found.map(|what| format!("{}: {what}", package.name)));
        lists.push(files);
    }
    fail_on(&wrong)?;
    fail_on(&archive(&published, options)?)?;
    if !options.no_verify {
        compile_tests(&published, &lists)?;
    }
    for (package, files) in published.iter().zip(&lists) {
        let size = size(&archives().join(format!("{}-{}.crate", package.name, package.version)))?;
        println!("{:<12} {:>4} files {:>5} kB", package.name, files.len(), size.div_ceil(1_000));
    }
    Ok(())
}

fn fail_on(wrong: &[String]) -> Result<()> {
    if wrong.is_empty() { Ok(()) } else { Err(format!("not as for a release:\n  {}", wrong.join("\n  "))) }
}

/// Where cargo puts the archives, and each of them unpacked.
fn archives() -> PathBuf {
    root().join("target").join("package")
}

/// The files of a package, as paths in it.
fn files(package: &Package, options: Options) -> Result<BTreeSet<String>> {
    let dirty = options.allow_dirty.then_some("--allow-dirty");
    let arguments: Vec<&str> =
        ["package", "--quiet", "--list", "--package", &package.name].into_iter().chain(dirty).collect();
    Ok(cargo_output(&arguments)?.lines().map(str::to_owned).collect())
}

/// What is wrong with what the manifest says and cargo does not look at.
fn manifest(package: &Package) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, list) in [("keywords", &package.keywords), ("categories", &package.categories)] {
        if list.is_empty() || list.len() > AT_MOST {
            wrong.push(format!("has {} {what}, and 1 to {AT_MOST} are wanted", list.len()));
        }
    }
    for (what, missing) in [
        ("readme", package.readme.is_none()),
        ("rust-version", package.rust_version.is_none()),
        ("[package.metadata.docs.rs]", package.metadata.pointer("/docs/rs").is_none()),
    ] {
        if missing {
            wrong.push(format!("has no {what} in its manifest"));
        }
    }
    wrong
}

/// What is wrong with a list of files.
fn list(package: &Package, files: &BTreeSet<String>) -> Vec<String> {
    let missing = MUST_HOLD.iter().filter(|file| !files.contains(**file)).map(|file| format!("has no {file}"));
    let strange = files.iter().filter(|file| !may_hold(file)).map(|file| format!("{file} is nothing for a package"));
    let large = files.iter().filter(|file| *file != "Cargo.lock").filter_map(|file| {
        // What cargo makes itself is in no folder of ours.
        let size = size(&package.folder().join(file)).ok().filter(|size| *size > LARGEST)?;
        Some(format!("{file} has {size} bytes, and {LARGEST} is the most"))
    });
    missing.chain(strange).chain(large).collect()
}

fn may_hold(file: &str) -> bool {
    MAY_HOLD.iter().any(|it| if it.ends_with('/') { file.starts_with(it) } else { file == *it })
}

/// Makes the archives, and verifies them if that is wanted. Returns what cargo warns of.
fn archive(published: &[&Package], options: Options) -> Result<Vec<String>> {
    let mut arguments = vec!["package"];
    match options.no_verify {
        true => arguments.push("--no-verify"),
        false => arguments.push("--all-features"),
    }
    arguments.extend(options.allow_dirty.then_some("--allow-dirty"));
    for package in published {
        arguments.extend(["--package", &package.name]);
    }
    let mut warnings = Vec::new();
    let done = cargo_lines(&arguments, |line| {
        if line.starts_with("warning") && !leaves_out(line) {
            warnings.push(line.to_owned());
        }
    })?;
    match done {
        true => Ok(warnings),
        false => Err(format!("failed: cargo {}", arguments.join(" "))),
    }
}

/// Cargo tells of each test and example that the manifest leaves out; a missing library or program would be another matter.
fn leaves_out(warning: &str) -> bool {
    let left_out = ["warning: ignoring test ", "warning: ignoring example "].iter().any(|it| warning.starts_with(it));
    left_out && warning.ends_with(" is not included in the published package")
}

/// Compiles the tests that are in packages, from the unpacked archives, the others in the place of the registry's.
fn compile_tests(published: &[&Package], lists: &[BTreeSet<String>]) -> Result<()> {
    let folder = |package: &Package| archives().join(format!("{}-{}", package.name, package.version));
    let patch =
        |package: &&Package| format!("{} = {{ path = {:?} }}\n", package.name, folder(package).display().to_string());
    let patches: String = published.iter().map(patch).collect();
    let config = archives().join("patch.toml");
    std::fs::write(&config, format!("[patch.crates-io]\n{patches}"))
        .map_err(|error| format!("{}: {error}", config.display()))?;
    let (config, target) = (config.display().to_string(), root().join("target").display().to_string());
    for (package, files) in published.iter().zip(lists) {
        if files.iter().any(|file| file.starts_with("tests/")) {
            let manifest = folder(package).join("Cargo.toml").display().to_string();
            let check =
                ["check", "--quiet", "--tests", "--all-features", "--manifest-path", &manifest, "--config", &config];
            cargo(&check, &[("CARGO_TARGET_DIR", &target)])?;
        }
    }
    Ok(())
}

fn size(file: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_holds_sources_tests_and_pages_and_nothing_else() {
        for file in ["src/lib.rs", "tests/it/main.rs", "docs/guide/README.md", "README.md", "Cargo.toml.orig"] {
            assert!(may_hold(file), "{file}");
        }
        for file in ["benches/x.rs", ".ci/run", "README.md.orig", "gone.db", "xtask/src/main.rs"] {
            assert!(!may_hold(file), "{file}");
        }
    }

    #[test]
    fn tests_and_examples_may_be_left_out_and_nothing_else_may() {
        let warning = |of: &str| format!("warning: ignoring {of} as `x.rs` is not included in the published package");
        assert!(leaves_out(&warning("test `it`")) && leaves_out(&warning("example `startup`")));
        assert!(!leaves_out(&warning("binary `gone`")) && !leaves_out(&warning("library `gone`")));
        assert!(!leaves_out("warning: manifest has no description, license, license-file"));
    }

    #[test]
    fn every_published_package_says_what_the_registry_shows_of_it() {
        let workspace = Workspace::read().unwrap();
        for package in workspace.published() {
            assert_eq!(manifest(package), [""; 0], "{}", package.name);
        }
    }
}
