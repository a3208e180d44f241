//! Deliberate faults: each is put into a copy of the sources, one at a time, and some test must catch it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Result, cargo_program, root};

/// A text that stands once in a file of the container, and what takes its place.
struct Fault {
    name: &'static str,
    file: &'static str,
    text: &'static str,
    instead: &'static str,
}

const LIFE: &str = "gone-core/src/life/mod.rs";
const BUILD: &str = "gone-core/src/life/build.rs";
const START: &str = "gone-core/src/life/start.rs";
const STOP: &str = "gone-core/src/life/stop.rs";
const SCHEDULE: &str = "gone-core/src/schedule.rs";

const FAULTS: [Fault; 12] = [
    Fault {
        name: "some closes are skipped",
        file: STOP,
        text: ".filter(|_| closes.contains(&id))",
        instead: ".filter(|_| closes.contains(&id) && id % 4 != 3)",
    },
    Fault {
        name: "what was closed is closed again",
        file: STOP,
        text: "let built = std::mem::take(&mut self.built);",
        instead: "let built = self.built.clone();",
    },
    Fault {
        name: "what was stopped is stopped again",
        file: STOP,
        text: "let started = std::mem::take(&mut self.started);",
        instead: "let started = self.started.clone();",
    },
    Fault {
        name: "a start does not wait for the needs",
        file: START,
        text: "Schedule::forward(graph.order(), &levels,",
        instead: "Schedule::forward(&graph.nodes.iter().map(|_| Vec::new()).collect(), &levels,",
    },
    Fault {
        name: "a panic while starting is lost",
        file: START,
        text: "ended.result?;",
        instead: "if ended.result.as_ref().is_err_and(|it| !it.to_string().contains(\"panicked\")) { ended.result?; }",
    },
    Fault {
        name: "what did not start well is stopped",
        file: START,
        text: "if self.stage == Hook::Start {",
        instead: "if self.stage == Hook::BeforeStart {",
    },
    Fault {
        name: "the end goes in the order of the start",
        file: STOP,
        text: "Schedule::backward(needs, levels, priority, usize::MAX)",
        instead: "Schedule::forward(needs, levels, priority, usize::MAX)",
    },
    Fault {
        name: "an error of a stop is dropped",
        file: STOP,
        text: "errors.extend(ended.result.err());",
        instead: "drop(ended.result);",
    },
    Fault {
        name: "a dropped boot closes nothing",
        file: LIFE,
        text: "rest.detached = true;",
        instead: "rest.detached = true; rest.built.clear();",
    },
    Fault { name: "lazies are never filled", file: BUILD, text: "self.store.fill_lazies();", instead: "" },
    Fault {
        name: "a level begins before the one below is done",
        file: SCHEDULE,
        text: "if level > self.current {",
        instead: "if level > self.current + 1 {",
    },
    Fault {
        name: "one more than the maximum is under way",
        file: SCHEDULE,
        text: "if self.under_way >= self.max {",
        instead: "if self.under_way > self.max {",
    },
];

/// The tests that are to catch them: each names its package, and what is run of it.
const TESTS: [&[&str]; 2] = [
    &["test", "--package", "gone", "--test", "random", "thousands"],
    &["test", "--package", "gone-core", "--lib", "schedule::model"],
];

/// Puts in each fault, and says which seed caught it.
pub(crate) fn run() -> Result<()> {
    let copy = root().join("target").join("faults");
    copy_sources(&copy)?;
    let mut missed = Vec::new();
    for fault in &FAULTS {
        let file = copy.join(fault.file);
        let sound = read(&file)?;
        write(&file, &sound.replacen(fault.text, fault.instead, 1))?;
        let mut caught = Vec::new();
        for test in TESTS {
            caught.extend(catch(&copy, test)?);
        }
        write(&file, &sound)?;
        match caught.is_empty() {
            true => missed.push(fault.name),
            false => println!("{}: caught by {}", fault.name, caught.join("; ")),
        }
    }
    println!("{} of {} faults were caught", FAULTS.len() - missed.len(), FAULTS.len());
    match missed.is_empty() {
        true => Ok(()),
        false => Err(format!("not caught: {}", missed.join(", "))),
    }
}

/// Runs a test on the copy; if it fails, by what.
fn catch(copy: &Path, test: &[&str]) -> Result<Option<String>> {
    let output = Command::new(cargo_program())
        .args(test)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", root().join("target").join("faults-build"))
        .env("CARGO_TERM_COLOR", "never")
        .env("RUST_BACKTRACE", "0")
        .env("GONE_SEED", "1")
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() {
        return Ok(None);
    }
    let text = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
    if let Some((_, rest)) = text.split_once("\nseed ") {
        let seed = rest.split(';').next().unwrap_or_default();
        return Ok(Some(format!("seed {seed} of the random applications")));
    }
    match text.contains("every_schedule_of_every_small_graph_is_what_the_definition_says ... FAILED") {
        true => Ok(Some("the model check".to_owned())),
        false => Err(format!("neither passed nor caught:\n{text}")),
    }
}

/// Copies what belongs to the repository, leaving files that are the same, so that the next build is short.
fn copy_sources(copy: &Path) -> Result<()> {
    let mut list = Command::new("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let list = list.output().map_err(|error| format!("git does not start: {error}"))?;
    for file in String::from_utf8_lossy(&list.stdout).lines() {
        let (from, to) = (root().join(file), copy.join(file));
        let Ok(content) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == content) {
            continue;
        }
        let folder = to.parent().map_or_else(|| copy.to_path_buf(), Path::to_path_buf);
        std::fs::create_dir_all(&folder).map_err(|error| said(&folder, error))?;
        std::fs::write(&to, content).map_err(|error| said(&to, error))?;
    }
    Ok(())
}

fn read(file: &PathBuf) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| said(file, error))
}

fn write(file: &PathBuf, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|error| said(file, error))
}

fn said(file: &Path, error: std::io::Error) -> String {
    format!("{}: {error}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_each_fault_stands_once_in_its_file() {
        for fault in &FAULTS {
            let text = read(&root().join(fault.file)).unwrap();
            assert_eq!(text.matches(fault.text).count(), 1, "{}", fault.name);
        }
    }
}
