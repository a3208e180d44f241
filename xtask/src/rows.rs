//! The contract's rows: which are due, which tests carry their marks, and which of these passed when the tests last ran.
//!
//! A mark is a comment such as `// container A-48` or `// CLG-3`, directly above a test, or above a case within one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::shell::{Result, root, state};

/// A test by the name of its binary and its own.
type Test = (String, String);

/// The test that compiles the programs below `tests/ui`.
const UI_TEST: &str = "mistakes_are_reported_at_the_users_own_tokens";

/// Keeps which tests passed, for [`print()`].
pub(crate) fn keep(passed: &BTreeSet<Test>) -> Result<()> {
    let text: String = passed.iter().map(|(binary, test)| format!("{binary} {test}\n")).collect();
    std::fs::write(passed_file()?, text).map_err(|error| error.to_string())
}

fn passed_file() -> Result<PathBuf> {
    Ok(state()?.join("passed.txt"))
}

/// Prints the rows of the tables in `docs/contract/` whose table or number contains the filter; fails if one has no passing
/// test.
pub(crate) fn print(filter: &str) -> Result<()> {
    let passed = std::fs::read_to_string(passed_file()?)
        .map_err(|_| "no results of a test run yet: run `cargo xtask test` first".to_owned())?;
    let passed: BTreeSet<Test> =
        passed.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.into(), b.into())).collect();
    let marks = marks()?;
    let due = due()?;
    let mut missing = Vec::new();
    let mut shown = 0;
    for (row, answer) in due.iter().filter(|(row, _)| row.contains(filter)) {
        shown += 1;
        let tests = marks.get(row).map(Vec::as_slice).unwrap_or_default();
        let proven: Vec<_> = tests.iter().filter(|(binary, name)| has_passed(&passed, binary, name)).collect();
        match (proven.as_slice(), tests, answer) {
            ([], [], Some(reason)) => println!("{row}: {reason}"),
            ([], [], None) => missing.push(format!("{row}: no test carries its mark")),
            ([], [(binary, name), ..], _) => missing.push(format!("{row}: {binary} {name} did not pass")),
            (proven, _, _) => {
                let names: Vec<_> = proven.iter().map(|(binary, name)| format!("{binary} {name}")).collect();
                println!("{row}: {}", names.join(", "));
            }
        }
    }
    for row in marks.keys().filter(|row| !due.contains_key(*row)) {
        missing.push(format!("{row}: a test carries this mark, and no table in docs/contract has the row"));
    }
    println!("{} of {shown} rows are proven or answered", shown - missing.len().min(shown));
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("rows without a passing test:\n  {}", missing.join("\n  "))),
    }
}

fn has_passed(passed: &BTreeSet<Test>, binary: &str, name: &str) -> bool {
    passed.iter().any(|(of, test)| of == binary && (test == name || test.ends_with(&format!("::{name}"))))
}

/// The rows of the tables: `| A-48 | …` of `container.md` is `container A-48`, a row of another table is as it stands. One
/// whose last column is `answer: …` is answered by that reason, not by a test.
fn due() -> Result<BTreeMap<String, Option<String>>> {
    let mut rows = BTreeMap::new();
    let folder = root().join("docs").join("contract");
    for file in files(&folder, "md")? {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let table = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let mut columns = line.trim_matches('|').split('|').map(str::trim);
            let Some(number) = columns.next().filter(|number| is_row(number)) else { continue };
            let answer = columns.next_back().and_then(|last| last.strip_prefix("answer: ")).map(str::to_owned);
            let row = if table == "container" { format!("container {number}") } else { number.to_owned() };
            if rows.insert(row.clone(), answer).is_some() {
                return Err(format!("{row} stands twice in {}", file.display()));
            }
        }
    }
    Ok(rows)
}

/// `A-48`, `C-7`, `CLG-3`, `LOG-R2`.
fn is_row(text: &str) -> bool {
    text.split_once('-').is_some_and(|(letters, number)| {
        let number = number.strip_prefix('R').unwrap_or(number);
        let letters = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase());
        letters && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// The marks in all Rust files, with the tests that carry them.
fn marks() -> Result<BTreeMap<String, Vec<Test>>> {
    let mut marks: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for file in files(&root(), "rs")? {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let binary = binary_of(&file);
        // What the compiler says of a program below `tests/ui` is compared by one test.
        if binary == "ui" && file.parent() != Some(&root().join("tests")) {
            for row in text.lines().filter_map(|line| mark(line.trim())) {
                marks.entry(row).or_default().push((binary.clone(), UI_TEST.to_owned()));
            }
            continue;
        }
        let mut waiting: Vec<String> = Vec::new();
        let mut current: Option<String> = None;
        for line in text.lines().map(str::trim) {
            if let Some(row) = mark(line) {
                waiting.push(row);
                continue;
            }
            let above = line.is_empty() || line.starts_with("//") || line.starts_with("#[");
            if waiting.is_empty() && function(line).is_none() || above {
                continue;
            }
            // A mark above a case belongs to the test around it.
            if let Some(name) = function(line) {
                current = Some(name);
            }
            if let Some(name) = &current {
                for row in waiting.drain(..) {
                    marks.entry(row).or_default().push((binary.clone(), name.clone()));
                }
            }
        }
    }
    Ok(marks)
}

fn mark(line: &str) -> Option<String> {
    let text = line.strip_prefix("// ")?;
    match text.strip_prefix("container ") {
        Some(number) => is_row(number).then(|| text.to_owned()),
        None => is_row(text).then(|| text.to_owned()),
    }
}

fn function(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name: String = line.strip_prefix("fn ")?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    Some(name)
}

/// The test binary that a file belongs to: `tests/x.rs` and `tests/x/…` are `x`, other files are their package's.
fn binary_of(file: &Path) -> String {
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if let Some(at) = parts.iter().rposition(|part| part == "tests") {
        return parts.get(at + 1).map(|next| next.trim_end_matches(".rs").to_owned()).unwrap_or_default();
    }
    let package = file.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    let manifest = package.and_then(|folder| std::fs::read_to_string(folder.join("Cargo.toml")).ok());
    let name = manifest.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("name = "))?;
        Some(line.trim_start_matches("name = ").trim_matches('"').replace('-', "_"))
    });
    name.unwrap_or_default()
}

/// All files of an ending below a folder, sorted; build output and hidden folders are left out.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_rows_are_told_from_other_text() {
        assert_eq!(mark("// container A-48"), Some("container A-48".into()));
        assert_eq!(mark("// LOG-R3"), Some("LOG-R3".into()));
        assert_eq!(mark("// container A48"), None);
        assert_eq!(mark("// see CLG-3"), None);
        assert_eq!(mark("// UTF-8x"), None);
        assert_eq!(function("pub async fn it_works() {"), Some("it_works".into()));
        assert_eq!(function("let f = fn_like();"), None);
    }

    #[test]
    fn a_file_belongs_to_its_test_binary_or_its_package() {
        assert_eq!(binary_of(Path::new("/x/tests/container/boot.rs")), "container");
        assert_eq!(binary_of(Path::new("/x/tests/ui.rs")), "ui");
        assert_eq!(binary_of(&root().join("xtask/src/rows.rs")), "xtask");
    }
}
