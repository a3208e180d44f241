//! The log as a part of an application that stops. One test alone in its process: the first log becomes
//! the process's default.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gone_clog::Logger;
use gone_config::ConfigSource;
use gone_core::{AppBuilder, Close, CloseReport, Deadline, Event, Goner, Result, source};
use gone_kit::{StatValue, StatsReader};
use gone_macros::Goner;

/// Logs until it is closed, and there once more.
#[derive(Goner)]
#[goner(crate = gone_core)]
struct Orders {
    #[gone]
    log: Logger,
    #[gone]
    stats: Vec<Arc<dyn StatsReader>>,
}

impl Close for Orders {
    async fn close(&self, _: Deadline) -> Result<CloseReport> {
        self.log.info("closed");
        Ok(CloseReport::clean())
    }
}

fn figure(stats: &dyn StatsReader, name: &str) -> u64 {
    match stats.stats().iter().find(|it| it.name == name).map(|it| it.value) {
        Some(StatValue::Integer(value)) => value,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn an_orderly_stop_writes_all_lines_and_the_figures_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.log");
    let config = ConfigSource::new()
        .folder(folder.path())
        .profile("production")
        .environment([("GONE_CLOG__SERVICE", "shop"), ("GONE_CLOG__QUEUE__MAX_LINES", "5000")])
        .set("clog.output", file.to_str().unwrap())
        .set("clog.rotation.max_backups", 3);
    let stopped = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&stopped);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let builder = AppBuilder::new().fallback(gone_config::module).fallback(gone_clog::module);
    runtime
        .block_on(
            builder
                .load(Orders::goner())
                .load(source(config))
                .on_event(move |event: &Event<'_>| {
                    if matches!(event, Event::Stopped { .. }) {
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                })
                .run(async |orders: Arc<Orders>| {
                    let stats = orders.stats.iter().find(|it| it.name() == "clog").unwrap();
                    let names: Vec<_> = stats.stats().iter().map(|it| it.name).collect();
                    let before = figure(&**stats, "lines_written") + figure(&**stats, "queue_lines");
                    for n in 0..20_000 {
                        orders.log.with("n", n).info("an order was saved");
                    }
                    let after = figure(&**stats, "lines_written") + figure(&**stats, "queue_lines");
                    assert_eq!(after - before, 20_000);
                    assert_eq!(figure(&**stats, "queue_lines_max"), 5_000);
                    assert_eq!(figure(&**stats, "lines_lost"), 0);
                    assert_eq!(stats.stats().iter().map(|it| it.name).collect::<Vec<_>>(), names);
                    Ok(())
                }),
        )
        .unwrap();
    assert_eq!(stopped.load(Ordering::Relaxed), 1);
    // Nothing here flushes: the stop has.
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers = lines.iter().filter_map(|line| line["n"].as_u64());
    assert!(numbers.eq(0..20_000));
    assert!(lines.iter().any(|line| line["msg"] == "closed"), "the log is closed after all others");
    // Nor does anything after it: this is logged when the log itself is closed.
    assert!(lines.last().unwrap()["msg"].as_str().unwrap().starts_with("stopped in "), "{:?}", lines.last());
}
