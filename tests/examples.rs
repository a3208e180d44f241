//! The examples that show a report, run as a user runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The program of an example: `cargo test` builds them beside the tests, unless it is told to build less.
fn built(example: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples").join(example);
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--example", example]).current_dir(ROOT).status();
        assert!(built.unwrap().success());
    }
    program
}

/// What a program that does not come up prints.
fn refusal(program: &Path) -> String {
    let output = Command::new(program).current_dir(ROOT).env_remove("GONE_PROFILE").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn all_that_is_wrong_with_a_program_is_one_report_of_the_same_bytes_every_time_and_the_readme_shows_it() {
    let program = built("broken_graph");
    let mut reports = (0..20).map(|_| refusal(&program));
    let report = reports.next().unwrap();
    assert!(reports.all(|again| again == report));
    let kinds = ["duplicate", "missing", "ambiguous", "cycle", "config"];
    assert!(kinds.iter().all(|kind| report.contains(&format!("error[gone::{kind}]: "))), "{report}");
    assert!(report.ends_with("9 problems; nothing was built\n"), "{report}");
    assert_eq!(report.lines().find(|line| line.chars().count() >= 100), None);
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
    for part in shown.split("\n\n") {
        assert!(report.contains(part.trim_end()), "the README shows what is not so:\n{part}");
    }
}

// container C-98
#[test]
fn a_bad_config_is_one_report_of_the_same_bytes_every_time() {
    let program = built("bad_config");
    let report = refusal(&program);
    assert_eq!(refusal(&program), report);
    for (key, found, origin, expected) in [
        ("server.port", "bad value `http`", "gone.toml:2:8", "expected a whole number from 0 to 65535"),
        ("server.host", "bad value `localhost`", "variable GONE_SERVER__HOST", "invalid IP address syntax"),
        (
            "server.limits.per_minute",
            "bad value `-1`",
            "gone.toml:7:14",
            "expected a whole number from 0 to 4294967295",
        ),
        ("server.timout", "unknown", "gone.toml:4:1", "did you mean `server.timeout`?"),
        ("server.pin", "bad value `***`", "variable GONE_SERVER__PIN", "expected a whole number"),
    ] {
        let title = format!("config key `{key}`: {found}\n");
        let block = report.split("\n\n").find(|block| block.contains(&title));
        let block = block.unwrap_or_else(|| panic!("{title}: {report}"));
        assert!(block.contains(origin) && block.contains(expected), "{block}");
    }
    assert!(!report.contains("hunter2"), "{report}");
    assert!(report.ends_with("6 problems; nothing was built\n"), "{report}");
}
