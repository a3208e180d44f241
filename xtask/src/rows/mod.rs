//! The contract's rows: which are due, which tests carry their marks, and which of these passed when the tests last ran.

mod due;
mod marks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::results::{Test, passed};
use crate::shell::Result;
use due::Answer;

/// Prints the rows of the tables in `docs/contract/` whose table or number contains the filter, then how many of each table and
/// backend are proven; fails if one has no passing test.
pub(crate) fn print(filter: &str) -> Result<()> {
    let (passed, marks, due) = (passed()?, marks::all()?, due::all()?);
    let mut missing = Vec::new();
    let mut counts: BTreeMap<(&str, &str), Count> = BTreeMap::new();
    for (number, row) in due.iter().filter(|(number, row)| number.contains(filter) || row.table.contains(filter)) {
        let marked = marks.get(number).map(Vec::as_slice).unwrap_or_default();
        for (backend, answer) in &row.backends {
            let count = counts.entry((&row.table, backend)).or_default();
            match judge(marked, answer, backend, &passed) {
                Ok(how) => {
                    println!("{number}{}: {how}", on(backend));
                    count.add(answer);
                }
                Err(why) => {
                    missing.push(format!("{number}{}: {why}", on(backend)));
                    count.missing += 1;
                }
            }
        }
    }
    for number in marks.keys().filter(|number| !due.contains_key(*number)) {
        missing.push(format!("{number}: a test carries this mark, and no table in docs/contract has the row"));
    }
    for ((table, backend), count) in &counts {
        println!("{table}{}: {count}", on(backend));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("rows without a passing test:\n  {}", missing.join("\n  "))),
    }
}

fn on(backend: &str) -> String {
    if backend.is_empty() { String::new() } else { format!(" on {backend}") }
}

/// What proves or answers a row on a backend, or why nothing does.
fn judge(
    marked: &[Test],
    answer: &Answer,
    backend: &str,
    passed: &BTreeMap<Test, String>,
) -> std::result::Result<String, String> {
    let proofs: Vec<String> = marked.iter().filter_map(|mark| proof(mark, backend, passed)).collect();
    match (proofs.as_slice(), answer, marked) {
        ([], Answer::NotApplicable(reason), _) => Ok(reason.clone()),
        (proofs, Answer::NotApplicable(_), _) => Err(format!("not applicable, and yet run by {}", proofs.join(", "))),
        ([], _, []) => Err("no test carries its mark".into()),
        ([], _, [(binary, name), ..]) => Err(format!("{binary} {name} did not pass")),
        (proofs, Answer::Runs, _) => Ok(proofs.join(", ")),
        (proofs, Answer::Substitute(what), _) => Ok(format!("{} ({what})", proofs.join(", "))),
    }
}

/// The passed test that a mark is on. With a backend, it is one that needs that backend's server, or is in a module or binary
/// of the backend's name: the case itself is shared.
fn proof((binary, name): &Test, backend: &str, passed: &BTreeMap<Test, String>) -> Option<String> {
    let of_backend = |test: &str, need: &str| {
        let mut modules = test.split("::");
        let needs = need.strip_prefix("needs ").is_some_and(|needed| needed == backend);
        backend.is_empty() || needs || binary.ends_with(&format!(" {backend}")) || modules.any(|it| it == backend)
    };
    let mut own = passed.iter().filter(|((of, test), _)| of == binary && (test == name || ends_in(test, name)));
    own.find(|((_, test), need)| of_backend(test, need)).map(|((binary, test), _)| format!("{binary} {test}"))
}

fn ends_in(test: &str, name: &str) -> bool {
    test.strip_suffix(name).is_some_and(|modules| modules.ends_with("::"))
}

/// How many rows of a table are answered on a backend, and how.
#[derive(Default)]
struct Count {
    run: usize,
    substitutes: usize,
    not_applicable: usize,
    missing: usize,
}

impl Count {
    fn add(&mut self, answer: &Answer) {
        match answer {
            Answer::Runs => self.run += 1,
            Answer::Substitute(_) => self.substitutes += 1,
            Answer::NotApplicable(_) => self.not_applicable += 1,
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} rows proven", self.run)?;
        for (count, what) in [
            (self.substitutes, "by a substitute"),
            (self.not_applicable, "answered by a reason"),
            (self.missing, "MISSING"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
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

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(binary: &str, name: &str) -> Test {
        (binary.into(), name.into())
    }

    fn passed<const N: usize>(tests: [(&str, &str, &str); N]) -> BTreeMap<Test, String> {
        tests.into_iter().map(|(binary, name, need)| (test(binary, name), need.into())).collect()
    }

    #[test]
    fn a_row_runs_on_a_backend_when_a_test_in_its_module_passed() {
        let marked = [test("providers/x conformance", "a_case")];
        let passed = passed([
            ("providers/x conformance", "memory::a_case", ""),
            ("providers/y conformance", "etcd::a_case", "needs etcd"),
            ("providers/x conformance", "etcd::not_a_case", "needs etcd"),
        ]);
        assert!(judge(&marked, &Answer::Runs, "memory", &passed).is_ok());
        assert!(judge(&marked, &Answer::Runs, "", &passed).is_ok());
        let error = judge(&marked, &Answer::Runs, "etcd", &passed).unwrap_err();
        assert_eq!(error, "providers/x conformance a_case did not pass");
        assert_eq!(judge(&[], &Answer::Runs, "etcd", &passed).unwrap_err(), "no test carries its mark");
    }

    #[test]
    fn a_test_that_needs_the_backend_or_is_in_its_binary_will_do() {
        let by_hand = Answer::Substitute("by hand".into());
        for (binary, need) in [("providers/x etcd", ""), ("providers/x it", "needs etcd")] {
            let marked = [test(binary, "it_fails_over")];
            let passed = passed([(binary, "it_fails_over", need)]);
            assert!(judge(&marked, &by_hand, "etcd", &passed).is_ok());
            assert!(judge(&marked, &by_hand, "memory", &passed).is_err());
        }
    }

    #[test]
    fn a_row_that_does_not_apply_is_run_by_no_test() {
        let reason = Answer::NotApplicable("it has no network".into());
        let marked = [test("providers/x conformance", "a_case")];
        let passed = passed([("providers/x conformance", "etcd::a_case", "")]);
        assert_eq!(judge(&marked, &reason, "memory", &passed).unwrap(), "it has no network");
        assert!(judge(&marked, &reason, "etcd", &passed).is_err());
    }
}
