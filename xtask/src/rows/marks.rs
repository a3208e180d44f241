//! The marks: comments such as `// container A-48` or `// CLG-3`, directly above a test, above a case within one, or above a
//! case that the tests of several backends share.

use std::collections::BTreeMap;
use std::path::Path;

use super::due::is_row;
use super::{files, read};
use crate::results::Test;
use crate::shell::{Result, root};

/// The test that compiles the programs below `tests/ui`.
const UI_TEST: &str = "mistakes_are_reported_at_the_users_own_tokens";

/// The marks in all Rust files, with the functions that carry them.
pub(super) fn all() -> Result<BTreeMap<String, Vec<Test>>> {
    let mut marks: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for file in files(&root(), "rs")? {
        let binary = binary_of(&file);
        // What the compiler says of a program below `tests/ui` is compared by one test.
        let compared = binary == "ui" && file.parent() != Some(&root().join("tests"));
        for (row, function) in of_text(&read(&file)?) {
            let function = if compared { Some(UI_TEST.to_owned()) } else { function };
            if let Some(function) = function {
                marks.entry(row).or_default().push((binary.clone(), function));
            }
        }
    }
    Ok(marks)
}

/// The marks in a file, each with the function below it or, above a case, around it; without one, it is above nothing.
fn of_text(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(row) = mark(line) {
            waiting.push(row);
        } else if !(line.is_empty() || line.starts_with("//") || line.starts_with("#[")) {
            current = function(line).or(current);
            found.extend(waiting.drain(..).map(|row| (row, current.clone())));
        }
    }
    found.extend(waiting.into_iter().map(|row| (row, None)));
    found
}

fn mark(line: &str) -> Option<String> {
    let text = line.strip_prefix("// ")?;
    let number = text.strip_prefix("container ").unwrap_or(text);
    is_row(number).then(|| text.to_owned())
}

fn function(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name: String = line.strip_prefix("fn ")?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    Some(name)
}

/// The binary that a file's tests are in: `tests/x.rs` and `tests/x/…` of a package are `x`, other files its own.
fn binary_of(file: &Path) -> String {
    let package = file.ancestors().skip(1).find(|folder| folder.join("Cargo.toml").is_file());
    let Some((package, within)) = package.and_then(|package| Some((package, file.strip_prefix(package).ok()?))) else {
        return String::new();
    };
    let mut parts = within.iter().map(|part| part.to_string_lossy());
    let name = match parts.next().as_deref() {
        Some("tests" | "examples") => parts.next().unwrap_or_default().trim_end_matches(".rs").to_owned(),
        _ => name_of(package),
    };
    let folder = package.strip_prefix(root()).unwrap_or(package);
    format!("{} {name}", folder.display()).trim_start().to_owned()
}

/// The name of a package's crate.
fn name_of(package: &Path) -> String {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    let line = manifest.lines().find_map(|line| line.strip_prefix("name = "));
    line.unwrap_or_default().trim_matches('"').replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_from_other_text() {
        assert_eq!(mark("// container A-48"), Some("container A-48".into()));
        assert_eq!(mark("// LOG-R3"), Some("LOG-R3".into()));
        assert_eq!(mark("// container A48"), None);
        assert_eq!(mark("// see CLG-3"), None);
        assert_eq!(mark("// UTF-8x"), None);
        assert_eq!(function("pub async fn it_works() {"), Some("it_works".into()));
        assert_eq!(function("let f = fn_like();"), None);
    }

    #[test]
    fn a_mark_is_the_functions_below_or_around_it() {
        let text = "// A-1\n// A-2\n#[test]\nfn first() {\n    // A-3\n    case();\n}\n// A-4\n";
        let expected = [("A-1", Some("first")), ("A-2", Some("first")), ("A-3", Some("first")), ("A-4", None)];
        let found = of_text(text);
        let found: Vec<_> = found.iter().map(|(row, function)| (row.as_str(), function.as_deref())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_belongs_to_a_binary_of_its_package() {
        let of = |file: &str| binary_of(&root().join(file));
        assert_eq!(of("tests/container/boot.rs"), "container");
        assert_eq!(of("tests/ui/x.rs"), "ui");
        assert_eq!(of("tests/bench/tests/proxy.rs"), "tests/bench proxy");
        assert_eq!(of("tests/bench/src/lib.rs"), "tests/bench gone_test_bench");
        assert_eq!(of("xtask/src/rows/mod.rs"), "xtask xtask");
    }
}
