use std::sync::{Arc, Mutex};

use gone_clog::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::capture::{Captured, captured, json};

#[test]
fn a_log_stands_beside_a_fmt_layer_and_each_keeps_its_own_levels() {
    let mut config = json();
    config.level = Level::Info;
    config.levels.insert("app.db".to_owned(), Level::Debug);
    let (clog, ours) = captured(config);
    let theirs = Captured::default();
    let writer = theirs.clone();
    let fmt = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .with_filter(LevelFilter::WARN);
    let subscriber = tracing_subscriber::registry().with(fmt).with(clog.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("request", trace_id = "t-1", user = 7);
        let _span = span.enter();
        let log = clog.logger();
        log.debug("hidden from both");
        log.namespace("db").debug("ours by its namespace");
        log.info("ours");
        log.with("rows", 3).warn("both");
        tracing::error!(cause = "macro", "both");
    });
    let objects = ours.objects();
    let seen: Vec<_> = objects.iter().map(|object| object.text("msg")).collect();
    assert_eq!(seen, ["ours by its namespace", "ours", "both", "both"]);
    assert!(objects.iter().all(|object| object.text("trace_id") == "t-1" && object.get("user") == Some(&7.into())));
    let text = theirs.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    // A span that their filter leaves out is none of theirs.
    assert!(text.contains("both") && text.contains("rows=3") && text.contains("namespace=\"app\""), "{text}");
    assert!(!text.contains("ours"), "{text}");
}

#[test]
fn a_span_that_only_another_layer_wants_lends_nothing_and_loses_nothing() {
    let mut config = json();
    config.level = Level::Warn;
    let (clog, ours) = captured(config);
    let seen = Arc::new(Mutex::new(0));
    let all = Counts(Arc::clone(&seen));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(clog.layer()).with(all), || {
        let _outer = tracing::info_span!("outer", outer = 1).entered();
        let _inner = tracing::trace_span!("inner", inner = 2).entered();
        tracing::warn!("x");
    });
    assert_eq!(*seen.lock().unwrap(), 3);
    assert_eq!((ours.object().get("outer"), ours.object().get("inner")), (Some(&1.into()), None));
}

/// Counts spans and events.
struct Counts(Arc<Mutex<u32>>);

impl<S: tracing::Subscriber> Layer<S> for Counts {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        *self.0.lock().unwrap() += 1;
    }

    fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        *self.0.lock().unwrap() += 1;
    }
}
