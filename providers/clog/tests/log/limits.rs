use gone_clog::{ClogConfig, Level, Section, SectionFault, Value};
use tracing::field::Empty;

use crate::capture::{console, json, logged};

fn limited(mut config: ClogConfig, max_line: usize, max_field: usize) -> ClogConfig {
    (config.max_line, config.max_field) = (max_line, max_field);
    config
}

#[test]
fn a_long_value_is_cut_and_tells_how_much_is_missing() {
    let long = "x".repeat(1_000);
    let captured = logged(limited(json(), 16_384, 100), |clog| {
        let _span = tracing::info_span!("s", span = long, trace_id = "t").entered();
        tracing::info!(text = long, debug = ?long, display = %long, error = %long, "{long}");
        let log = clog.logger().with("bound", long.as_str()).with("list", vec![7; 1_000]);
        log.at(Level::Error)
            .field("own", Value::json(&vec![&long]))
            .error(&std::io::Error::other(long.clone()))
            .write(&long);
    });
    let objects = captured.objects();
    let cut = format!("{}…(900 bytes cut)", "x".repeat(100));
    for key in ["text", "display", "error", "msg", "span"] {
        assert_eq!(objects[0].text(key), cut, "{key}");
    }
    for key in ["bound", "error", "msg", "span"] {
        assert_eq!(objects[1].text(key), cut, "{key}");
    }
    assert_eq!(objects[0].text("debug"), format!("\"{}…(902 bytes cut)", "x".repeat(99)));
    // What is no text becomes one.
    assert_eq!(objects[1].text("list"), format!("[{}…(1901 bytes cut)", "7,".repeat(50).split_at(99).0));
    assert!(objects[1].text("own").starts_with("[\"xxx"), "{}", objects[1].text("own"));
}

#[test]
fn a_long_line_loses_its_last_fields_and_tells_how_many_bytes_that_were() {
    for config in [json(), console()] {
        let is_json = config.format == gone_clog::Format::Json;
        let captured = logged(limited(config, 4_096, 1_024), |clog| {
            let log = clog.logger();
            let mut line = log.at(Level::Info);
            for number in 0..20 {
                line = line.field(format!("field-{number}"), "x".repeat(400));
            }
            line.write("hello");
            let _span =
                tracing::info_span!("s", a = "x".repeat(900), b = "x".repeat(900), c = "x".repeat(900)).entered();
            let _span =
                tracing::info_span!("s", d = "x".repeat(900), e = "x".repeat(900), f = "x".repeat(900)).entered();
            tracing::info!(own = "x".repeat(900), "hello");
        });
        for line in captured.lines() {
            assert!(line.len() < 4_096 && line.len() > 2_500, "{}", line.len());
            assert!(line.contains("hello") && line.contains("cut_bytes"), "{line}");
        }
        if is_json {
            let objects = captured.objects();
            assert!(objects[0].text("field-0").len() == 400 && objects[0].get("field-19").is_none());
            // Each of the fields that are missing had 413 or 414 bytes: `,"field-7":"…"`.
            let missing: u64 = (0..20)
                .filter(|number| objects[0].get(&format!("field-{number}")).is_none())
                .map(|number| if number < 10 { 413 } else { 414 })
                .sum();
            assert_eq!(objects[0].get("cut_bytes"), Some(&missing.into()));
            assert_eq!(objects[1].text("own").len(), 900);
            assert!(objects[1].get("a").is_none());
            // Those of spans had 907 each, whether they were written at first or not.
            let missing = ["a", "b", "c", "d", "e", "f"].iter().filter(|key| objects[1].get(key).is_none()).count();
            assert_eq!(objects[1].get("cut_bytes"), Some(&(missing as u64 * 907).into()));
            assert!(missing >= 3);
        }
    }
}

#[test]
fn a_line_of_nothing_but_escapes_keeps_the_limit_and_stays_json() {
    let nasty = "\u{1}\"\u{2028}\\".repeat(3_000);
    let captured = logged(limited(json(), 4_096, 4_096), |clog| {
        let log = clog.logger().namespace(&nasty).with(nasty.clone(), nasty.as_str());
        log.at(Level::Error).error(&std::io::Error::other(nasty.clone())).write(&nasty);
        let _span = tracing::info_span!("s", trace_id = nasty, namespace = nasty, a = nasty, b = Empty).entered();
        tracing::info!(text = nasty, "{nasty}");
        tracing::info!(namespace = nasty);
    });
    assert_eq!(captured.objects().len(), 3);
    for line in captured.lines() {
        assert!(line.len() < 4_096, "{}", line.len());
    }
    assert!(captured.objects().iter().all(|object| object.get("cut_bytes").is_some()));
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    let valid = |max_line, max_field| limited(json(), max_line, max_field).validate();
    assert!(valid(4_096, 64).is_ok() && valid(16 * 1024 * 1024, 16 * 1024 * 1024).is_ok());
    for (line, field, expected) in [
        (4_095, 64, "max_line"),
        (16 * 1024 * 1024 + 1, 64, "max_line"),
        (4_096, 63, "max_field"),
        (4_096, 4_097, "max_field"),
    ] {
        let error = valid(line, field).unwrap_err();
        let [SectionFault::OutOfBounds { field, bounds, .. }] = error.faults() else { panic!("{error}") };
        assert_eq!(*field, expected);
        assert!(bounds.contains("to"), "{bounds}");
    }
}
