use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex};

use gone_clog::{ClogConfig, Level};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::capture::{captured, json, logged};

fn messages(config: ClogConfig, work: impl FnOnce(&gone_clog::Clog)) -> Vec<String> {
    logged(config, work).objects().iter().map(|object| object.text("msg").to_owned()).collect()
}

fn at(level: Level) -> ClogConfig {
    let mut config = json();
    config.level = level;
    config
}

// CLG-3
#[test]
fn at_level_debug_messages_of_every_level_appear() {
    let captured = logged(at(Level::Debug), |clog| {
        let log = clog.logger();
        log.debug("d");
        log.info("i");
        log.warn("w");
        log.error("e");
    });
    let seen: Vec<_> = captured
        .objects()
        .iter()
        .map(|object| (object.text("level").to_owned(), object.text("msg").to_owned()))
        .collect();
    let expected = [("debug", "d"), ("info", "i"), ("warn", "w"), ("error", "e")];
    assert_eq!(seen, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
}

// container A-106
#[test]
fn a_level_lets_its_own_lines_and_those_above_through() {
    let all = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];
    for (hidden, level) in all.into_iter().enumerate() {
        let seen = messages(at(level), |clog| {
            for line in all {
                clog.logger().at(line).write(line);
                assert_eq!(clog.logger().enabled(line), line >= level, "{line} at {level}");
            }
            assert!(clog.logger().enabled(Level::Fatal));
        });
        let expected: Vec<_> = all[hidden..].iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected);
    }
}

/// Counts how often it is formatted.
struct Counted<'a>(&'a Cell<u32>);

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.set(self.0.get() + 1);
        f.write_str("counted")
    }
}

#[test]
fn a_message_is_formatted_once_when_its_level_is_on_and_never_when_it_is_off() {
    let mut config = at(Level::Info);
    config.levels.insert("app.loud".to_owned(), Level::Debug);
    config.levels.insert("app.quiet".to_owned(), Level::Error);
    let formatted = Cell::new(0);
    logged(config, |clog| {
        let log = clog.logger();
        log.debug(Counted(&formatted));
        log.namespace("quiet").warn(Counted(&formatted));
        assert_eq!(formatted.get(), 0);
        log.info(Counted(&formatted));
        log.namespace("loud").debug(Counted(&formatted));
        assert_eq!(formatted.get(), 2);
    });
}

#[test]
fn a_namespace_has_its_own_level_with_all_below_it() {
    let mut config = at(Level::Warn);
    config.levels.insert("app.db".to_owned(), Level::Debug);
    config.levels.insert("app.db.pool".to_owned(), Level::Error);
    let seen = messages(config, |clog| {
        let log = clog.logger();
        log.info("hidden");
        let db = log.namespace("db");
        db.debug("db");
        db.namespace("rows").debug("db.rows");
        db.namespace("pool").warn("hidden");
        tracing::debug!(namespace = "app.db", "macro with a namespace");
        tracing::info_span!("query", namespace = "app.db")
            .in_scope(|| tracing::debug!("macro in a span with a namespace"));
        tracing::debug!("hidden");
        assert!(db.enabled(Level::Debug));
        assert!(!log.enabled(Level::Info));
        assert!(!db.namespace("pool").enabled(Level::Warn));
    });
    assert_eq!(seen, ["db", "db.rows", "macro with a namespace", "macro in a span with a namespace"]);
}

#[test]
fn a_line_of_a_macro_is_matched_by_its_target_too() {
    let mut config = at(Level::Info);
    config.levels.insert("sqlx".to_owned(), Level::Warn);
    config.levels.insert("sqlx::query".to_owned(), Level::Debug);
    let seen = messages(config, |_| {
        tracing::info!(target: "sqlx::pool", "hidden");
        tracing::debug!(target: "sqlx::query", "query");
        tracing::info!(target: "sqlx_core", "another crate");
        tracing::info!(target: "sqlx::pool", namespace = "app.db", "with a namespace");
        tracing::debug!("hidden");
    });
    assert_eq!(seen, ["query", "another crate", "with a namespace"]);
}

#[test]
fn transports_say_warnings_alone_unless_they_are_asked_for() {
    let lines = || {
        tracing::debug!(target: "h2::codec::framed_write", "a frame");
        tracing::trace!(target: "hyper_util::client", "a connection");
        tracing::info!(target: "tonic", "a call");
        tracing::warn!(target: "h2::client", "a warning");
        // The last part of a name is not the whole of it.
        tracing::debug!(target: "tower_http::trace", "a request");
        tracing::debug!("the program's own");
    };
    type Says = fn(&mut ClogConfig);
    let cases: [(&str, Says, &[&str]); 7] = [
        ("debug", |_| (), &["a warning", "a request", "the program's own"]),
        ("info", |it| it.level = Level::Info, &["a call", "a warning"]),
        // Also where it is a namespace alone that is verbose: the service's own is that of every crate.
        (
            "a namespace",
            |it| {
                it.level = Level::Info;
                it.levels = [("app".to_owned(), Level::Debug)].into();
            },
            &["a warning", "a request", "the program's own"],
        ),
        (
            "levels",
            |it| it.levels = [("h2".to_owned(), Level::Debug)].into(),
            &["a frame", "a warning", "a request", "the program's own"],
        ),
        (
            "a filter of a target",
            |it| it.filter = Some("tonic=info".to_owned()),
            &["a call", "a warning", "a request", "the program's own"],
        ),
        (
            "a filter for all",
            |it| it.filter = Some("debug".to_owned()),
            &["a frame", "a call", "a warning", "a request", "the program's own"],
        ),
        (
            "a filter for all, and a target",
            |it| it.filter = Some("debug,h2=error".to_owned()),
            &["a call", "a request", "the program's own"],
        ),
    ];
    for (what, says, expected) in cases {
        let mut config = at(Level::Debug);
        says(&mut config);
        assert_eq!(messages(config, |_| lines()), expected, "{what}");
    }
}

/// A service may be called as a transport is.
#[test]
fn a_namespace_is_no_transport() {
    let mut config = at(Level::Debug);
    config.service = "tower".to_owned();
    let seen = messages(config, |clog| {
        clog.logger().debug("logger");
        tracing::debug!("macro");
        tracing::debug!(namespace = "h2.streams", "named");
    });
    assert_eq!(seen, ["logger", "macro", "named"]);
}

#[test]
fn a_span_carries_its_trace_id_to_lines_that_matter_more_than_it() {
    let captured = logged(at(Level::Error), |_| {
        tracing::info_span!("request", trace_id = "t-1").in_scope(|| tracing::error!("failed"));
    });
    assert_eq!(captured.object().text("trace_id"), "t-1");
}

/// Another layer beside the log's.
#[derive(Clone, Default)]
struct Beside(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Beside {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Shown(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

struct Shown(String);

impl Visit for Shown {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !field.name().starts_with("caller.") {
            self.0 += &format!("{field}:{value:?};");
        }
    }
}

#[test]
fn other_layers_see_every_line_whatever_the_level_of_the_log() {
    let (clog, captured) = captured(at(Level::Error));
    let beside = Beside::default();
    let subscriber = tracing_subscriber::registry().with(clog.layer()).with(beside.clone());
    tracing::subscriber::with_default(subscriber, || {
        assert!(!clog.logger().enabled(Level::Warn));
        assert!(clog.logger().enabled(Level::Error));
        clog.logger().namespace("db").with("rows", 3).with("took", "2 s").debug("read");
        tracing::debug!("macro");
    });
    assert_eq!(captured.text(), "");
    assert_eq!(
        *beside.0.lock().unwrap(),
        ["message:read;namespace:\"app.db\";service:\"app\";fields: rows=3 took=\"2 s\";", "message:macro;"]
    );
}

#[test]
fn asking_whether_a_line_is_wanted_loses_no_line_after_it() {
    // With a second log of another level alive, a callsite is asked anew for each line.
    let (other, _) = captured(at(Level::Debug));
    let _other = tracing::Dispatch::new(other.subscriber());
    let (clog, captured) = captured(at(Level::Info));
    let work = || {
        assert!(!clog.logger().enabled(Level::Debug));
        clog.logger().info("wanted");
        clog.logger().debug("not wanted");
        clog.logger().info("wanted");
    };
    tracing::subscriber::with_default(clog.subscriber(), work);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(clog.layer()), work);
    assert_eq!(captured.objects().len(), 4, "{}", captured.text());
    assert!(captured.objects().iter().all(|object| object.text("msg") == "wanted"));
}
