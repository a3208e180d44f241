use crate::capture::{console, json, logged};

#[test]
fn a_line_of_a_macro_has_the_keys_of_any_other() {
    let captured = logged(json(), |_| {
        tracing::warn!(user = 7, who = "ann", ratio = 0.5, ok = true, r#type = "x", "stock is {}", "low");
    });
    let object = captured.object();
    assert_eq!(
        object.keys(),
        ["time", "level", "msg", "caller", "namespace", "service", "user", "who", "ratio", "ok", "type"]
    );
    assert_eq!(object.text("level"), "warn");
    assert_eq!(object.text("msg"), "stock is low");
    assert_eq!(object.text("namespace"), "app");
    assert_eq!(object.text("service"), "app");
    assert!(object.text("caller").starts_with(file!()));
    assert_eq!(object.get("user"), Some(&7.into()));
    assert_eq!(object.get("ratio"), Some(&0.5.into()));
    assert_eq!(object.get("ok"), Some(&true.into()));
}

#[test]
fn a_namespace_field_is_the_namespace_of_the_line() {
    let captured = logged(json(), |_| {
        tracing::info!(namespace = "app.store", "below the service");
        tracing::info!(namespace = %"other.store", "elsewhere");
        tracing::info!(namespace = "apple", "only begins the same");
    });
    let seen: Vec<_> = captured
        .objects()
        .iter()
        .map(|object| (object.text("namespace").to_owned(), object.text("service").to_owned()))
        .collect();
    let expected = [("app.store", "app"), ("other.store", "other"), ("apple", "apple")];
    assert_eq!(seen, expected.map(|(namespace, service)| (namespace.to_owned(), service.to_owned())));
}

#[test]
fn a_field_with_a_key_that_is_taken_is_renamed() {
    let captured = logged(json(), |clog| {
        tracing::info!(time = 1, level = 2, msg = 3, caller = 4, service = 5, field.time = 6, "macro");
        clog.logger()
            .with("time", 1)
            .with("level", 2)
            .with("msg", 3)
            .with("caller", 4)
            .with("service", 5)
            .with("namespace", 6)
            .with("trace_id", 7)
            .info("logger");
    });
    let objects = captured.objects();
    assert_eq!(
        objects[0].keys()[6..],
        ["field.time", "field.level", "field.msg", "field.caller", "field.service", "field.field.time"]
    );
    assert_eq!(objects[0].get("field.field.time"), Some(&6.into()));
    assert_eq!(
        objects[1].keys()[6..],
        [
            "field.time",
            "field.level",
            "field.msg",
            "field.caller",
            "field.service",
            "field.namespace",
            "field.trace_id"
        ]
    );
    assert_eq!(objects[1].text("namespace"), "app");
}

#[test]
fn a_line_without_a_message_has_an_empty_one() {
    let captured = logged(json(), |_| tracing::info!(user = 7));
    assert_eq!(captured.object().text("msg"), "");
    assert_eq!(captured.object().get("user"), Some(&7.into()));
}

#[test]
fn wide_and_absent_values_are_written_as_numbers_or_left_out() {
    let captured = logged(json(), |_| {
        tracing::info!(wide = u128::MAX, low = i128::MIN, none = None::<u8>, nan = f64::NAN, "x");
        tracing::info!(bytes = &b"foo"[..], "x");
    });
    let lines = captured.lines();
    assert!(lines[0].contains(&format!("\"wide\":{},\"low\":{}", u128::MAX, i128::MIN)), "{}", lines[0]);
    assert!(lines[0].contains("\"nan\":\"NaN\""), "{}", lines[0]);
    assert!(!lines[0].contains("none"), "{}", lines[0]);
    assert!(lines[1].contains("\"bytes\":\"Zm9v\""), "{}", lines[1]);
}

#[test]
fn a_field_that_looks_like_those_of_a_logger_is_a_field_like_any_other() {
    let captured = logged(json(), |_| {
        tracing::event!(target: "clog", tracing::Level::INFO, fields = ?vec!["},{"], caller.line = 7, "x");
    });
    assert_eq!(captured.object().text("fields"), r#"["},{"]"#);
    assert_eq!(captured.object().get("caller.line"), Some(&7.into()));
}

#[test]
fn on_a_console_fields_follow_the_message() {
    let captured = logged(console(), |_| {
        tracing::info!(user = 7, who = "ann b", list = ?[1, 2], "hello");
    });
    let line = &captured.lines()[0];
    assert!(line.contains(r#" INFO  [app] hello user=7 who="ann b" list="[1, 2]" ("#), "{line}");
}
