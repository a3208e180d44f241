//! The example that shows a report, run as a user runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

fn broken_graph() -> PathBuf {
    // `cargo test` builds the examples beside the tests.
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join("broken_graph");
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--example", "broken_graph"]).status().unwrap();
        assert!(built.success());
    }
    program
}

#[test]
fn all_that_is_wrong_with_a_program_is_one_report_of_the_same_bytes_every_time_and_the_readme_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = broken_graph();
    let mut reports = (0..20).map(|_| {
        let output = Command::new(&program).current_dir(root).env_remove("GONE_PROFILE").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    });
    let report = reports.next().unwrap();
    assert!(reports.all(|again| again == report));
    let kinds = ["duplicate", "missing", "ambiguous", "cycle", "config"];
    assert!(kinds.iter().all(|kind| report.contains(&format!("error[gone::{kind}]: "))), "{report}");
    assert!(report.ends_with("9 problems; nothing was built\n"), "{report}");
    assert_eq!(report.lines().find(|line| line.chars().count() >= 100), None);
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
    for part in shown.split("\n\n") {
        assert!(report.contains(part.trim_end()), "the README shows what is not so:\n{part}");
    }
}
