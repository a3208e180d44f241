use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{from_text, source, toml, value};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Client {
    #[serde(with = "gone_config::DurationText")]
    timeout: Duration,
    #[serde(default, with = "gone_config::OptionalDurationText")]
    idle: Option<Duration>,
}

#[test]
fn a_marked_field_reads_text_and_whole_milliseconds_from_a_file() {
    let settings = toml("[client]\ntimeout = '1m'\nidle = 250\n");
    let wanted = Client { timeout: Duration::from_secs(60), idle: Some(Duration::from_millis(250)) };
    assert_eq!(value::<Client>(&settings, "client"), wanted);
}

#[test]
fn a_marked_field_reads_text_and_whole_milliseconds_from_text() {
    let client = from_text::<Client>(r#"{"timeout": "250", "idle": "1h30m"}"#).expect("sound");
    let wanted = Client { timeout: Duration::from_millis(250), idle: Some(Duration::from_secs(5400)) };
    assert_eq!(client, wanted);
    assert!(from_text::<Client>(r#"{"timeout": ""}"#).is_err());
    assert!(from_text::<Client>(r#"{"timeout": -1}"#).is_err());
    assert!(from_text::<Client>(r#"{"timeout": 1.5}"#).is_err());
    assert!(from_text::<Client>(r#"{"timeout": "1m", "idle": ""}"#).is_err());
}

#[test]
fn a_marked_field_is_written_as_text_and_works_with_other_formats() {
    let client = Client { timeout: Duration::from_millis(90_500), idle: None };
    let text = serde_json::to_string(&client).expect("written");
    assert_eq!(text, r#"{"timeout":"1m30s500ms","idle":null}"#);
    assert_eq!(serde_json::from_str::<Client>(&text).expect("read"), client);
}

#[test]
fn an_unmarked_duration_reads_text_milliseconds_and_the_form_of_serde() {
    let settings = toml("a = '30s'\nb = 1500\nc = {secs = 2, nanos = 5}\nd = -1\ne = 1.5\n");
    assert_eq!(value::<Duration>(&settings, "a"), Duration::from_secs(30));
    assert_eq!(value::<Duration>(&settings, "b"), Duration::from_millis(1500));
    assert_eq!(value::<Duration>(&settings, "c"), Duration::new(2, 5));
    assert!(crate::get::<Duration>(&settings, "d").is_err());
    assert!(crate::get::<Duration>(&settings, "e").is_err());
}

#[test]
fn defaults_with_a_duration_give_way_to_text() {
    #[derive(Serialize, Deserialize)]
    struct Plain {
        wait: Duration,
    }
    let folder = crate::folder([]);
    let settings = source(folder.path())
        .environment([("GONE_B__WAIT", "3s")])
        .defaults("a", Plain { wait: Duration::from_secs(1) })
        .defaults("b", Plain { wait: Duration::from_secs(2) })
        .read()
        .expect("sound");
    assert_eq!(value::<Plain>(&settings, "a").wait, Duration::from_secs(1));
    assert_eq!(value::<Plain>(&settings, "b").wait, Duration::from_secs(3));
}
