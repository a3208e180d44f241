use std::fmt;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use gone_clog::{Clog, ClogConfig, Level, Logger, Output};
use tracing::Dispatch;

use crate::capture::{Object, captured, console, json, logged};

// CLG-8
#[test]
fn the_caller_is_the_file_and_line_of_the_call() {
    let captured = logged(json(), |clog| {
        let log = clog.logger();
        let first = line!() + 1;
        log.debug("d");
        log.info("i");
        log.warn("w");
        log.error("e");
        log.error_with("x", &fmt::Error);
        log.warn_with("x", &fmt::Error);
        log.at(Level::Info).write("l");
        log.fatal("f");
        tracing::info!("m");
        log.info(first);
    });
    let objects = captured.objects();
    let first: u32 = objects.last().unwrap().text("msg").parse().unwrap();
    assert_eq!(objects.len(), 10);
    for (object, line) in objects.iter().zip(first..) {
        assert_eq!(object.text("caller"), format!("{}:{line}", file!()));
    }
    assert!(!file!().starts_with('/'));
}

// CLG-8
#[test]
fn without_add_source_there_is_no_caller() {
    let mut config = json();
    config.add_source = false;
    let captured = logged(config, |clog| clog.logger().info("hello"));
    assert_eq!(captured.object().get("caller"), None);
    let mut config = console();
    config.add_source = false;
    let captured = logged(config, |clog| clog.logger().info("hello"));
    assert!(captured.text().ends_with("[app] hello\n"), "{}", captured.text());
}

#[test]
fn a_caller_is_shown_relative_to_the_root_path() {
    let mut config = json();
    config.root_path = "tests".to_owned();
    let captured = logged(config, |clog| clog.logger().info("hello"));
    assert!(captured.object().text("caller").starts_with("log/lines.rs:"), "{}", captured.text());
}

#[test]
fn the_keys_of_a_json_line_stand_in_order() {
    let captured = logged(json(), |clog| {
        let log = clog.logger().with("b", 1).with("a", 2);
        tracing::info_span!("s", trace_id = "t").in_scope(|| {
            log.at(Level::Warn).error(&fmt::Error).field("c", 3).write("hello");
            tracing::warn!(error = &fmt::Error as &dyn std::error::Error, b = 1, a = 2, c = 3, "hello");
        });
    });
    let keys = ["time", "level", "msg", "caller", "namespace", "service", "trace_id", "b", "a", "c", "error"];
    for object in captured.objects() {
        assert_eq!(object.keys(), keys);
    }
}

#[test]
fn the_time_is_local_with_milliseconds_and_no_zone() {
    let before = jiff::ZonedDateTime::now().datetime();
    let json = logged(json(), |clog| clog.logger().info("hello")).object().text("time").to_owned();
    let console = logged(console(), |clog| clog.logger().info("hello")).text();
    let after = jiff::ZonedDateTime::now().datetime();
    assert_eq!(json.len(), "2025-03-11T10:03:22.123".len());
    let read = jiff::civil::DateTime::strptime("%Y-%m-%dT%H:%M:%S%.3f", &json).unwrap();
    let in_console = jiff::civil::DateTime::strptime("%Y/%m/%d %H:%M:%S%.3f", &console[..json.len()]).unwrap();
    // Cut to the millisecond, the time may seem to lie just before.
    let earliest = before.checked_sub(jiff::Span::new().milliseconds(1)).unwrap();
    assert!(earliest < read && read <= in_console && in_console <= after, "{json}, {console}");
}

#[test]
fn a_console_line_has_the_message_verbatim() {
    let captured = logged(console(), |clog| {
        let log = clog.logger().namespace("user");
        log.with("id", 7).with("name", "two words").info("tagConf->AGI");
        log.debug(r#"user.thirdBusiness1.name->"C:\dir" (é日志) a=b"#);
    });
    let lines = captured.lines();
    let line = line!() - 4;
    let time = "2025/03/11 10:03:22.123".len();
    assert_eq!(
        lines[0][time..],
        format!(r#" INFO  [app.user] tagConf->AGI id=7 name="two words" ({}:{line})"#, file!())
    );
    assert!(
        lines[1][time..].starts_with(r#" DEBUG [app.user] user.thirdBusiness1.name->"C:\dir" (é日志) a=b ("#),
        "{}",
        lines[1]
    );
}

/// Texts that try to leave their line, their string or their field.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\"",
        "\\",
        "\\\"",
        "\\n",
        "\n",
        "\r\n",
        "a\nb",
        "{\"level\":\"info\"}",
        "\",\"level\":\"fatal\",\"x\":\"",
        "}\n{\"time\":\"now\"}",
        "{}",
        "{0}",
        "%s %d",
        "a=b c=\"d\"",
        "2025/03/11 10:03:22.123 INFO  [app] forged",
        "\u{1b}[2K\u{1b}[1A",
        "\u{1b}]0;title\u{7}",
        "\0",
        "\u{b}\u{c}",
        "\u{7f}\u{80}\u{85}\u{9b}",
        "\u{2028}\u{2029}",
        "\u{202e}desrever\u{2066}",
        "\u{feff}",
        "é日志😀\u{10ffff}",
        "e\u{301}",
        "null",
        "</script>",
    ]
    .map(str::to_owned)
    .into();
    texts.extend((0..=0x1f_u8).map(|control| format!("a{}b", char::from(control))));
    texts.push("long ".repeat(20_000));
    texts
}

/// Settings under which nothing of these texts is cut.
fn in_full(mut config: ClogConfig) -> ClogConfig {
    config.max_line = 16 * 1024 * 1024;
    config.max_field = 1024 * 1024;
    config
}

#[test]
fn whatever_a_text_holds_its_line_is_one_json_object_that_reads_back_as_the_text() {
    for text in nasty() {
        let captured = logged(in_full(json()), |_| {
            let log = Logger::root(text.as_str()).namespace("below").with(text.clone(), text.as_str());
            log.at(Level::Info).field("own", vec![text.as_str()]).write(&text);
            tracing::info!(namespace = text, value = text, debug = ?text, display = %text, "{text}");
            tracing::info_span!("s", trace_id = text, namespace = text).in_scope(|| log.info("in a span"));
        });
        let objects = captured.objects();
        assert_eq!(objects.len(), 3, "{text:?}");
        let key = if text.is_empty() { "field." } else { &text };
        assert_eq!(objects[0].text("msg"), text);
        assert_eq!(objects[0].text(key), text);
        assert_eq!(objects[0].get("own"), Some(&serde_json::json!([text])));
        assert_eq!(objects[0].text("service"), if text.is_empty() { "below" } else { &text });
        assert_eq!(objects[1].text("msg"), text);
        assert_eq!(objects[1].text("value"), text);
        assert_eq!(objects[1].text("display"), text);
        assert_eq!(objects[1].text("debug"), format!("{text:?}"));
        assert_eq!(objects[1].text("namespace"), if text.is_empty() { "app" } else { &text });
        if !text.is_empty() {
            let kept: String = text.chars().take(128).collect();
            assert_eq!(objects[2].text("trace_id"), kept);
        }
    }
}

#[test]
fn whatever_a_text_holds_its_console_line_is_one_line_without_control_characters() {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for text in nasty() {
        let captured = logged(in_full(console()), |_| {
            let log = Logger::root(text.as_str()).with(text.clone(), text.as_str());
            log.at(Level::Info).field("own", vec![text.as_str()]).write(&text);
            tracing::info!(namespace = text, value = text, debug = ?text, display = %text, "{text}");
            tracing::info_span!("s", trace_id = text).in_scope(|| log.info("in a span"));
        });
        let lines = captured.lines();
        assert_eq!(lines.len(), 3, "{text:?}");
        assert!(!lines.iter().any(|line| line.contains(breaks)), "{text:?}: {lines:?}");
        if !text.contains(breaks) {
            assert!(lines[0].contains(&text) && lines[1].contains(&text), "{text:?}");
        }
    }
}

#[test]
fn lines_of_two_threads_are_whole_and_keep_their_order() {
    const LINES: usize = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut config = json();
    config.output = Output::File(path.clone());
    let clog = Clog::open(config).unwrap();
    let dispatch = Dispatch::new(clog.subscriber());
    let start = Arc::new(Barrier::new(2));
    let threads = ["one", "two"].map(|name| {
        let (log, dispatch, start) = (clog.logger().namespace(name), dispatch.clone(), Arc::clone(&start));
        thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                start.wait();
                for number in 0..LINES {
                    log.with("number", number).info("x".repeat(number % 300));
                }
            });
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    let report = clog.close(Duration::from_secs(5));
    assert_eq!((report.written, report.lost), (2 * LINES as u64, 0));
    let text = std::fs::read_to_string(path).unwrap();
    let objects: Vec<_> = text.lines().map(Object::read).collect();
    assert_eq!(objects.len(), 2 * LINES);
    for name in ["app.one", "app.two"] {
        let numbers: Vec<_> = objects
            .iter()
            .filter(|object| object.text("namespace") == name)
            .map(|object| object.get("number").unwrap().as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (0..LINES as u64).collect::<Vec<_>>());
    }
}

/// A message that logs while it is formatted.
struct Chatty<'a>(&'a Logger);

impl fmt::Display for Chatty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.info("from inside");
        f.write_str("outside")
    }
}

#[test]
fn a_message_that_logs_while_it_is_formatted_comes_out_whole() {
    let captured = logged(json(), |clog| {
        let log = clog.logger();
        log.info(Chatty(&log));
        log.info("after");
    });
    let messages: Vec<_> = captured.objects().iter().map(|o| o.text("msg").to_owned()).collect();
    assert!(messages.contains(&"outside".to_owned()) && messages.contains(&"after".to_owned()), "{messages:?}");
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text today")
    }
}

#[test]
fn a_message_that_panics_leaves_no_half_line_behind() {
    let (clog, captured) = captured(json());
    tracing::subscriber::with_default(clog.subscriber(), || {
        let log = clog.logger();
        log.info("before");
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| log.info(Panics)));
        assert!(panic.is_err());
        log.info("after");
    });
    let messages: Vec<_> = captured.objects().iter().map(|o| o.text("msg").to_owned()).collect();
    assert_eq!(messages, ["before", "after"]);
}
