//! What a line of a log costs, beside the same line of `tracing-subscriber`'s JSON. See the README of `benches`.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gone_clog::{Clog, ClogConfig, Level, Logger, Section, with_trace_id};
use measure::{Bar, ROUNDS, compare, head, repeated};
use tracing::{Dispatch, Span};

/// Lines of one sample.
const LINES: u32 = 2_000;
/// Lines of one sample that are not written.
const DISABLED: u32 = 200_000;
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Both write into nothing, at level info.
struct Logs {
    log: Logger,
    clog: Dispatch,
    peer: Dispatch,
}

impl Logs {
    /// At level info, with other levels for some namespaces.
    fn open(levels: &[(&str, Level)]) -> Self {
        let mut config = ClogConfig::for_profile("production").unwrap_or_else(|error| panic!("{error}"));
        config.service = "orders".to_owned();
        config.filter = Some(String::new());
        config.levels = levels.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect();
        let clog = Clog::with_writer(config, io::sink()).unwrap_or_else(|error| panic!("{error}"));
        let peer = tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(io::sink);
        Self {
            log: clog.logger().namespace("store"),
            clog: Dispatch::new(clog.subscriber()),
            peer: peer.finish().into(),
        }
    }
}

/// A subscriber, and a span of it with a trace id where the lines are inside one.
struct Place<'a> {
    subscriber: &'a Dispatch,
    span: Span,
}

impl<'a> Place<'a> {
    fn new(subscriber: &'a Dispatch, in_span: bool) -> Self {
        let span = || if in_span { tracing::info_span!("request", trace_id = TRACE_ID) } else { Span::none() };
        Self { subscriber, span: tracing::dispatcher::with_default(subscriber, span) }
    }

    fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        tracing::dispatcher::with_default(self.subscriber, || self.span.in_scope(work))
    }
}

/// The event of the comparison.
#[inline(never)]
fn by_macro() {
    tracing::info!(user = black_box(7_u64), who = black_box("ann"), ok = black_box(true), "order saved");
}

#[inline(never)]
fn by_logger(log: &Logger) {
    let line = log.at(Level::Info);
    line.field("user", black_box(7_u64))
        .field("who", black_box("ann"))
        .field("ok", black_box(true))
        .write("order saved");
}

fn written(logs: &Logs) {
    let bound = logs.log.with("user", 7_u64).with("who", "ann").with("ok", true);
    for in_span in [false, true] {
        let (ours, theirs) = (Place::new(&logs.clog, in_span), Place::new(&logs.peer, in_span));
        let sides: [(&str, &dyn Fn()); 4] = [
            ("a macro, 3 fields", &by_macro),
            ("a logger, 3 fields", &|| by_logger(&logs.log)),
            ("a logger with 3 fields", &|| bound.info("order saved")),
            ("a logger, no field", &|| logs.log.info("order saved")),
        ];
        for (what, side) in sides {
            let what = format!("{what}{}", if in_span { ", in a span" } else { "" });
            let clog = || ours.run(|| repeated(LINES, side));
            let peer = || theirs.run(|| repeated(LINES, by_macro));
            let line = compare(what, ROUNDS, clog, peer).bar(Bar::Times(1.0));
            line.allocations(|| ours.run(side), || theirs.run(by_macro)).print();
        }
    }
}

/// With the trace id of a future, which the peer knows nothing of: its lines are in a span.
fn in_a_future(logs: &Logs) {
    let (ours, theirs) = (Place::new(&logs.clog, false), Place::new(&logs.peer, true));
    let clog = || {
        let mut work = pin!(with_trace_id(TRACE_ID, async { repeated(LINES, by_macro) }));
        match ours.run(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop()))) {
            Poll::Ready(nanos) => nanos,
            Poll::Pending => unreachable!("nothing in it waits"),
        }
    };
    let peer = || theirs.run(|| repeated(LINES, by_macro));
    compare("a macro, 3 fields, in a traced future", ROUNDS, clog, peer).bar(Bar::Times(1.0)).print();
}

fn disabled(logs: &Logs) {
    let (ours, theirs) = (Place::new(&logs.clog, false), Place::new(&logs.peer, false));
    let by_macro = || tracing::debug!(user = black_box(7_u64), "hidden");
    let by_logger = || logs.log.debug(black_box("hidden"));
    let peer = || theirs.run(|| repeated(DISABLED, by_macro));
    let clog = || ours.run(|| repeated(DISABLED, by_macro));
    compare("a macro below the level", ROUNDS, clog, peer).bar(Bar::Nanos(5.0)).print();
    let clog = || ours.run(|| repeated(DISABLED, by_logger));
    compare("a logger below the level", ROUNDS, clog, peer).bar(Bar::Nanos(5.0)).print();
}

/// With levels of single namespaces, of which one is more verbose than the rest.
fn by_namespace() {
    let logs = Logs::open(&[("orders.db", Level::Debug), ("orders.store.cache", Level::Warn), ("hyper", Level::Warn)]);
    let (ours, theirs) = (Place::new(&logs.clog, false), Place::new(&logs.peer, false));
    let peer = || theirs.run(|| repeated(LINES, by_macro));
    for (what, side) in [
        ("a macro, levels by namespace", &by_macro as &dyn Fn()),
        ("a logger, levels by namespace", &|| logs.log.info("order saved")),
        ("a logger below that of its namespace", &|| logs.log.debug("hidden")),
        ("a macro below that of its namespace", &|| tracing::debug!(user = black_box(7_u64), "hidden")),
    ] {
        let clog = || ours.run(|| repeated(LINES, side));
        compare(what, ROUNDS, clog, peer)
            .bar(Bar::Times(1.0))
            .allocations(|| ours.run(side), || theirs.run(by_macro))
            .print();
    }
}

fn main() {
    let logs = Logs::open(&[]);
    println!(
        "## What a line costs\n\n`floor` is tracing-subscriber's JSON, the same event by a macro, into nothing.\n"
    );
    head();
    written(&logs);
    in_a_future(&logs);
    disabled(&logs);
    by_namespace();
}
