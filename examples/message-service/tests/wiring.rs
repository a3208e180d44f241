//! The graph, proved without building it.

use gone::config::ConfigSource;
use gone::prelude::*;
use message_service::{MemoryStore, SqlStore, defaults, module};

#[test]
fn the_graph_is_whole_on_either_store_and_says_what_is_missing_without_one() {
    Gone::load((gone::db::module, module, SqlStore::goner())).check().expect("whole");
    Gone::load((module, MemoryStore::goner())).check().expect("whole");
    let error = Gone::load(module).check().expect_err("no store");
    let report = error.report().expect("a report");
    assert_eq!(report.problems().len(), 1, "{error}");
    assert_eq!(report.problems()[0].message, "nothing offers `Arc<dyn MessageStore>`");
}

#[test]
fn the_example_of_a_config_file_holds_and_says_the_defaults() {
    let example = include_str!("../gone.example.toml");
    let is_setting = |line: &&str| line.starts_with("# ") && line.contains(" = ") && !line.starts_with("# advertise");
    let is_table = |line: &&str| line.starts_with('[');
    let lines = example.lines().filter(|line| is_setting(line) || is_table(line));
    let file: Vec<_> = lines.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    assert!(file.len() > 15, "{file:?}");
    let dump = |file: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("gone.toml"), file).expect("written");
        let config = source(defaults(ConfigSource::hermetic().folder(folder.path())));
        let parts = (module, gone::db::module, SqlStore::goner(), config);
        let plan = Gone::load(parts).options(|options| options.deny_warnings = true).plan().expect("it holds");
        plan.config_dump().to_string()
    };
    let (of_example, of_none) = (dump(&file.join("\n")), dump(""));
    let setting = |line: &str| line.split("  # ").next().unwrap_or_default().replace('"', "");
    let defaults: Vec<_> = of_none.lines().map(setting).collect();
    // The log and the page limits have theirs in their types, which no dump shows.
    let own = ["clog.", "server.page."];
    let in_file = of_example.lines().filter(|line| line.contains("gone.toml")).map(setting);
    let others: Vec<_> = in_file.filter(|it| !own.iter().any(|own| it.starts_with(own))).collect();
    assert!(others.len() > 8, "{others:?}");
    for setting in others {
        assert!(defaults.contains(&setting), "`{setting}` is no default:\n{of_none}");
    }
}
