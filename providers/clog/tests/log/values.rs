use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use gone_clog::{Level, Value};
use serde_json::json;

use crate::capture::{console, json, logged};

// CLG-5
#[test]
fn every_type_of_value_is_carried_into_json() {
    let now = SystemTime::now();
    let any = BTreeMap::from([("list", vec![1, 2]), ("empty", vec![])]);
    let captured = logged(json(), |clog| {
        clog.logger()
            .with("string", "text")
            .with("int", -42)
            .with("uint", u64::MAX)
            .with("bool", true)
            .with("float", 2.5)
            .with("duration", Duration::from_millis(1_500))
            .with("time", now)
            .with("when", now)
            .with("any", Value::json(&any))
            .with("strings", vec!["a", "b"])
            .with("ints", [1, 2, 3])
            .with("binary", Value::bytes(b"foo"))
            .with("display", Value::display(&std::net::Ipv4Addr::LOCALHOST))
            .with("debug", Value::debug(&Some(1)))
            .with("none", None::<i32>)
            .error_with("values", &std::io::Error::other("refused"));
    });
    let object = captured.object();
    for (key, expected) in [
        ("string", json!("text")),
        ("int", json!(-42)),
        ("uint", json!(u64::MAX)),
        ("bool", json!(true)),
        ("float", json!(2.5)),
        ("duration", json!("1.5s")),
        ("any", json!({"list": [1, 2], "empty": []})),
        ("strings", json!(["a", "b"])),
        ("ints", json!([1, 2, 3])),
        ("binary", json!("Zm9v")),
        ("display", json!("127.0.0.1")),
        ("debug", json!("Some(1)")),
        ("none", json!(null)),
        ("error", json!("refused")),
    ] {
        assert_eq!(object.get(key), Some(&expected), "{key}");
    }
    // A time reads back as the very same one, and cannot be taken for that of the line.
    let expected = jiff::Timestamp::try_from(now).unwrap();
    assert_eq!(object.text("when").parse::<jiff::Timestamp>().unwrap(), expected);
    assert_eq!(object.text("field.time"), object.text("when"));
}

// CLG-5
#[test]
fn every_type_of_value_is_carried_onto_a_console() {
    let captured = logged(console(), |clog| {
        clog.logger()
            .at(Level::Info)
            .field("string", "text")
            .field("int", -42)
            .field("bool", true)
            .field("float", 2.5)
            .field("duration", Duration::from_millis(1_500))
            .field("any", Value::json(&[Some(1), None]))
            .error(&std::io::Error::other("refused"))
            .write("values");
    });
    let line = &captured.lines()[0];
    assert!(
        line.contains("values string=text int=-42 bool=true float=2.5 duration=1.5s any=[1,null] error=refused ("),
        "{line}"
    );
}

#[test]
fn a_logger_keeps_its_fields_and_its_parent_has_none_of_them() {
    let captured = logged(json(), |clog| {
        let parent = clog.logger();
        let child = parent.with("a", 1);
        child.namespace("below").at(Level::Info).field("a", 2).field("b", 3).write("grandchild");
        child.info("child");
        parent.info("parent");
    });
    let fields: Vec<_> = captured.objects().iter().map(|object| object.keys()[6..].join(" ")).collect();
    assert_eq!(fields, ["a b", "a", ""]);
    assert_eq!(captured.objects()[0].get("a"), Some(&json!(2)));
    assert_eq!(captured.objects()[1].get("a"), Some(&json!(1)));
}
