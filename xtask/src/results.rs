//! Running tests, and what came of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::shell::{Result, cargo_lines, cargo_output, root, state};

/// A test by its binary and its own name. A binary is the folder of its package and its name: `providers/coord conformance`;
/// that of the workspace's own package has no folder.
pub(crate) type Test = (String, String);

/// Of the tests that `cargo xtask test` leaves to `cargo xtask soak`.
const FULL_SIZE: &str = "full_size";

/// What came of the tests so far.
#[derive(Default)]
pub(crate) struct Results {
    passed: BTreeSet<Test>,
    failed: BTreeSet<Test>,
    /// Those that are run only when asked for, with what they need.
    ignored: BTreeMap<Test, String>,
}

impl Results {
    /// Runs the tests of some packages: first as a plain `cargo test` would, then those that it leaves out, but for those of
    /// full size.
    pub(crate) fn run(&mut self, packages: &[&str]) -> Result<()> {
        let binaries = binaries(packages)?;
        let test = [&["test", "--no-fail-fast"], packages].concat();
        let plain = self.read(&test, &binaries)?;
        // Documentation has no tests that need anything.
        let left_out = [&test[..], &["--tests", "--", "--ignored", "--skip", FULL_SIZE]].concat();
        let left_out = self.read(&left_out, &binaries)?;
        match plain && left_out && self.failed.is_empty() {
            true => Ok(()),
            false => Err(format!("tests failed: {}", named(&self.failed).join(", "))),
        }
    }

    /// What is printed at the end; fails if a test was left out that should not have been.
    pub(crate) fn summary(&self) -> Result<()> {
        let mut needs: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut later, mut forgotten) = (0, BTreeSet::new());
        for (test, need) in &self.ignored {
            if self.passed.contains(test) {
                *needs.entry(need).or_default() += 1;
            } else if test.1.contains(FULL_SIZE) {
                later += 1;
            } else {
                forgotten.insert(test.clone());
            }
        }
        println!("{} tests passed that need nothing", self.passed.len() - needs.values().sum::<usize>());
        for (need, count) in needs {
            println!("{count} passed, {need}");
        }
        println!("{later} are left to `cargo xtask soak`");
        match forgotten.is_empty() {
            true => Ok(()),
            false => Err(format!("ignored, and never run: {}", named(&forgotten).join(", "))),
        }
    }

    /// Keeps which tests passed, for [`passed()`].
    pub(crate) fn keep(&self) -> Result<()> {
        let need = |test| self.ignored.get(test).map_or("", String::as_str);
        let lines = self.passed.iter().map(|test| format!("{}\t{}\t{}\n", test.0, test.1, need(test)));
        std::fs::write(state()?.join(KEPT), lines.collect::<String>()).map_err(|error| error.to_string())
    }

    fn read(&mut self, arguments: &[&str], binaries: &BTreeMap<String, String>) -> Result<bool> {
        let mut binary = String::new();
        let mut unfinished = BTreeSet::new();
        let done = cargo_lines(arguments, |line| {
            if let Some(running) = line.trim_start().strip_prefix("Running ") {
                let file = running.trim_end_matches(')').rsplit('/').next().unwrap_or(running);
                binary = binaries.get(file).cloned().unwrap_or_else(|| file.to_owned());
            } else if let Some(documented) = line.trim_start().strip_prefix("Doc-tests ") {
                binary = format!("doc {documented}");
            } else if let Some((test, came)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... ")) {
                let test = (binary.clone(), test.replace(" - should panic", ""));
                unfinished.remove(&test);
                self.note(test, came);
            } else if let Some(test) = unfinished_test(line) {
                unfinished.insert((binary.clone(), test.to_owned()));
            }
        });
        self.failed.extend(unfinished);
        done
    }

    /// Tests that print lines like these themselves print other words, or colours, where the result stands.
    fn note(&mut self, test: Test, came: &str) {
        match came {
            "ok" => {
                self.passed.insert(test);
            }
            "FAILED" => {
                self.failed.insert(test);
            }
            _ => {
                // One of documentation is not of those that are run later.
                if let Some(reason) = came.strip_prefix("ignored").filter(|_| !test.0.starts_with("doc ")) {
                    let need = reason.trim_start_matches(", ").split(": cargo xtask").next().unwrap_or(reason);
                    self.ignored.insert(test, need.to_owned());
                }
            }
        }
    }
}

/// A test of which libtest says that it takes long.
fn unfinished_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.split_once(" has been running for over ").map(|(test, _)| test)
}

const KEPT: &str = "passed.txt";

/// The tests that passed when they last ran, each with what it needs, such as `needs etcd`.
pub(crate) fn passed() -> Result<BTreeMap<Test, String>> {
    let text = std::fs::read_to_string(state()?.join(KEPT))
        .map_err(|_| "no results of a test run yet: run `cargo xtask test` first".to_owned())?;
    let columns =
        text.lines().filter_map(|line| line.split_once('\t').and_then(|(a, b)| Some((a, b.split_once('\t')?))));
    Ok(columns.map(|(binary, (test, need))| ((binary.into(), test.into()), need.into())).collect())
}

/// Builds the tests: each binary by the name of its file, which has a hash.
fn binaries(packages: &[&str]) -> Result<BTreeMap<String, String>> {
    let build = [&["test", "--no-run", "--message-format=json-render-diagnostics"], packages].concat();
    println!("$ cargo {}", build.join(" "));
    let messages = cargo_output(&build)?;
    Ok(messages.lines().filter_map(binary).collect())
}

/// Of a message about something built: the file, and the binary.
fn binary(message: &str) -> Option<(String, String)> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let file = message["executable"].as_str()?.rsplit('/').next()?;
    let folder = message["manifest_path"].as_str()?.strip_suffix("/Cargo.toml")?;
    let folder = folder.strip_prefix(&root().display().to_string())?.trim_start_matches('/');
    let name = file.rsplit_once('-')?.0;
    Some((file.to_owned(), format!("{folder} {name}").trim_start().to_owned()))
}

fn named(tests: &BTreeSet<Test>) -> Vec<String> {
    tests.iter().map(|(binary, test)| format!("{binary} {test}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> Test {
        ("providers/x it".into(), name.into())
    }

    #[test]
    fn a_binary_is_known_by_its_package_and_its_name() {
        let root = root().display().to_string();
        let message = |folder: &str| {
            format!(
                r#"{{"manifest_path":"{root}{folder}/Cargo.toml","target":{{"name":"it"}},"executable":"{root}/target/debug/deps/it-0a1b"}}"#
            )
        };
        assert_eq!(binary(&message("/providers/x")), Some(("it-0a1b".into(), "providers/x it".into())));
        assert_eq!(binary(&message("")), Some(("it-0a1b".into(), "it".into())));
        assert_eq!(binary(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn a_test_that_does_not_end_is_known_by_name() {
        let line = "test src/../docs/guide/x.md - guide::X (line 190) has been running for over 60 seconds";
        assert_eq!(unfinished_test(line), Some("src/../docs/guide/x.md - guide::X (line 190)"));
        assert_eq!(unfinished_test("test a_test_that_has_been_running ... ok"), None);
    }

    #[test]
    fn what_was_ignored_and_never_run_is_an_error() {
        let mut results = Results::default();
        results.note(test("plain"), "ok");
        results.note(test("etcd::one"), "ignored, needs etcd: cargo xtask test");
        results.note(test("full_size_x"), "ignored, full size: cargo xtask soak");
        assert!(results.summary().unwrap_err().contains("etcd::one"));
        results.note(test("etcd::one"), "ok");
        results.summary().unwrap();
        assert_eq!(results.ignored[&test("etcd::one")], "needs etcd");
    }
}
