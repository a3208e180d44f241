//! The graph, proved without building it.

use gone::prelude::*;
use message_service::{MemoryStore, SqlStore, module};

#[test]
fn the_graph_is_whole_on_either_store_and_says_what_is_missing_without_one() {
    Gone::load((gone::db::module, module, SqlStore::goner())).check().expect("whole");
    Gone::load((module, MemoryStore::goner())).check().expect("whole");
    let error = Gone::load(module).check().expect_err("no store");
    let report = error.report().expect("a report");
    assert_eq!(report.problems().len(), 1, "{error}");
    assert_eq!(report.problems()[0].message, "nothing offers `Arc<dyn MessageStore>`");
}
