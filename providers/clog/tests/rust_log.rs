//! The variable `RUST_LOG`: each case is this program again, with another environment.

use std::process::Command;

use gone_clog::{Clog, ClogConfig, Section};

/// What the child does: logs lines, or tells why it cannot.
#[test]
fn child() {
    let Ok(filter) = std::env::var("CLOG_TEST_FILTER") else { return };
    let mut config = ClogConfig::for_profile("production").unwrap();
    config.filter = (filter != "unset").then_some(filter);
    match Clog::open(config) {
        Err(error) => println!("error: {error}"),
        Ok(clog) => tracing::subscriber::with_default(clog.subscriber(), || {
            tracing::debug!("a debug line");
            tracing::info!("an info line");
            tracing::info!(target: "hyper", "a line of hyper");
        }),
    }
}

fn run(rust_log: Option<&str>, filter: &str) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child", "--nocapture"]).env("CLOG_TEST_FILTER", filter).env_remove("RUST_LOG");
    child.envs(rust_log.map(|text| ("RUST_LOG", text)));
    String::from_utf8(child.output().unwrap().stdout).unwrap()
}

#[test]
fn the_variable_stands_in_for_a_filter_that_is_not_set() {
    let says = |output: &str| ["a debug line", "an info line", "a line of hyper"].map(|line| output.contains(line));
    assert_eq!(says(&run(None, "unset")), [false, true, true]);
    assert_eq!(says(&run(Some("debug,hyper=off"), "unset")), [true, true, false]);
    assert_eq!(says(&run(Some("debug,hyper=off"), "error")), [false, false, false]);
    assert_eq!(says(&run(Some("debug"), "")), [false, true, true]);
    let output = run(Some("infp"), "unset");
    let error =
        "error: the environment variable RUST_LOG: it has a directive that is none, \"infp\": did you mean `info`?";
    assert!(output.contains(error), "{output}");
    assert_eq!(says(&run(Some("infp"), "info")), [false, true, true]);
}
