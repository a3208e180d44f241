use std::io;

use gone_clog::{Level, Value};

use crate::capture::{console, json, logged};

#[derive(Debug, thiserror::Error)]
#[error("cannot save the order")]
struct SaveError {
    #[source]
    source: ConnectError,
}

#[derive(Debug, thiserror::Error)]
#[error("no connection")]
struct ConnectError {
    #[source]
    source: io::Error,
}

fn save_error() -> SaveError {
    SaveError { source: ConnectError { source: io::Error::other("refused\nby peer") } }
}

#[test]
fn an_error_stands_with_its_sources_at_the_end_of_the_line() {
    let captured = logged(json(), |clog| {
        clog.logger().with("order", 7).error_with("save failed", &save_error());
        clog.logger().warn_with("save failed", &save_error());
        clog.logger().at(Level::Info).error(&save_error()).field("order", 7).write("save failed");
        tracing::error!(error = &save_error() as &dyn std::error::Error, order = 7, "save failed");
    });
    let objects = captured.objects();
    assert_eq!(objects.len(), 4);
    for (object, level) in objects.iter().zip(["error", "warn", "info", "error"]) {
        assert_eq!(object.text("level"), level);
        assert_eq!(object.text("error"), "cannot save the order: no connection: refused\nby peer");
        assert_eq!(object.get("error_chain"), Some(&serde_json::json!(["no connection", "refused\nby peer"])));
        assert_eq!(object.keys()[object.keys().len() - 2..], ["error", "error_chain"]);
    }
}

#[test]
fn an_error_without_a_source_has_no_chain() {
    let captured = logged(json(), |clog| clog.logger().error_with("failed", &std::fmt::Error));
    let object = captured.object();
    assert_eq!(object.text("error"), std::fmt::Error.to_string());
    assert_eq!(object.get("error_chain"), None);
}

#[test]
fn a_console_line_names_the_error_with_its_sources() {
    let captured = logged(console(), |clog| clog.logger().error_with("save failed", &save_error()));
    let line = &captured.lines()[0];
    assert!(
        line.contains(r#"[app] save failed error="cannot save the order: no connection: refused\nby peer" ("#),
        "{line}"
    );
}

#[test]
fn the_error_key_is_the_lines_own() {
    let captured = logged(json(), |clog| {
        clog.logger().with("error", "a field").error_with("failed", &std::fmt::Error);
        tracing::error!(error = %"only text", "failed");
        tracing::error!(cause = &save_error() as &dyn std::error::Error, "failed");
        clog.logger().at(Level::Error).field("cause", Value::error(&save_error())).write("failed");
    });
    let objects = captured.objects();
    assert_eq!(objects[0].text("field.error"), "a field");
    assert_eq!(objects[0].text("error"), std::fmt::Error.to_string());
    assert_eq!(objects[1].text("error"), "only text");
    for object in &objects[2..] {
        assert_eq!(object.text("cause"), "cannot save the order: no connection: refused\nby peer");
        assert_eq!(object.get("error"), None);
    }
}
