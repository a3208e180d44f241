//! The log as a part of an application that stops. One test alone in its process: the first log becomes
//! the process's default.

#![cfg(unix)]

use std::fs::File;
use std::io::Read;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::Logger;
use gone_config::ConfigSource;
use gone_core::{AppBuilder, Close, CloseReport, Deadline, Goner, Result, source};
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

/// Reads a pipe, which takes a while for much.
fn slowly_read(pipe: std::path::PathBuf) -> Arc<Mutex<Vec<u8>>> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&read);
    thread::spawn(move || {
        let mut pipe = File::open(pipe).unwrap();
        let mut part = [0; 16 * 1024];
        loop {
            let length = pipe.read(&mut part).unwrap();
            taken.lock().unwrap().extend_from_slice(&part[..length]);
            thread::sleep(Duration::from_millis(4));
        }
    });
    read
}

fn text(read: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(read.lock().unwrap().clone()).unwrap()
}

#[test]
fn an_orderly_stop_writes_all_lines_and_the_figures_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = slowly_read(pipe.clone());
    let config = ConfigSource::new()
        .folder(folder.path())
        .profile("production")
        .environment([("GONE_CLOG__SERVICE", "shop"), ("GONE_CLOG__QUEUE__MAX_LINES", "5000")])
        .set("clog.output", pipe.to_str().unwrap());
    let kept = Arc::new(Mutex::new(None));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let builder = AppBuilder::new().fallback(gone_config::module).fallback(gone_clog::module);
    runtime
        .block_on(builder.load(Orders::goner()).load(source(config)).run(async |orders: Arc<Orders>| {
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
            assert!(figure(&**stats, "queue_lines") > 0, "the stop has something to do");
            *kept.lock().unwrap() = Some(Arc::clone(stats));
            Ok(())
        }))
        .unwrap();
    // Nothing here flushes: the stop has, and the line that tells of it was waited for too.
    let stats = kept.lock().unwrap().take().unwrap();
    assert_eq!((figure(&*stats, "queue_lines"), figure(&*stats, "lines_lost")), (0, 0));
    let begun = Instant::now();
    while !read.lock().unwrap().ends_with(b"}\n") || !text(&read).contains("stopped in ") {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(5));
    }
    let text = text(&read);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers = lines.iter().filter_map(|line| line["n"].as_u64());
    assert!(numbers.eq(0..20_000));
    assert!(lines.iter().any(|line| line["msg"] == "closed"), "the log is closed after all others");
    // This is logged when the log itself is closed.
    assert!(lines.last().unwrap()["msg"].as_str().unwrap().starts_with("stopped in "), "{:?}", lines.last());
}
