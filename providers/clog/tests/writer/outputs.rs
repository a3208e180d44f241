//! Outputs that fail in some way, and lines read back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::{Clog, ClogConfig, Output, Section};
use serde_json::Value;

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The settings of a service in production that logs as `app`.
pub(crate) fn production() -> ClogConfig {
    let mut config = ClogConfig::for_profile("production").unwrap();
    config.service = "app".to_owned();
    config
}

/// As [`production`], into a file.
pub(crate) fn into_file(path: &Path) -> ClogConfig {
    let mut config = production();
    config.output = Output::File(path.to_owned());
    config
}

/// As [`into_file`], without a queue.
pub(crate) fn directly_into(path: &Path) -> ClogConfig {
    let mut config = into_file(path);
    config.queue = ClogConfig::default().queue;
    config
}

/// A file that takes nothing at all for a while, at its first write.
pub(crate) struct Stalled {
    pub(crate) file: File,
    pub(crate) stall: Duration,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// When an output took what.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) resumed: Option<Instant>,
    pub(crate) first_notice: Option<Instant>,
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(std::mem::take(&mut self.stall));
        let taken = self.file.write(bytes)?;
        let mut seen = self.seen.lock().unwrap();
        seen.resumed.get_or_insert_with(Instant::now);
        if seen.first_notice.is_none() && bytes.windows(NOTICE.len()).any(|it| it == NOTICE.as_bytes()) {
            seen.first_notice = Some(Instant::now());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that takes its time for each line.
pub(crate) struct Slow {
    pub(crate) file: File,
    pub(crate) per_line: Duration,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        thread::sleep(self.per_line * u32::try_from(lines).unwrap());
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the lines of the log about itself hold.
pub(crate) const NOTICE: &str = "\"namespace\":\"app.clog\"";

/// Logs one line.
pub(crate) fn info(clog: &Clog, message: &str) {
    tracing::subscriber::with_default(clog.subscriber(), || clog.logger().info(message));
}

/// Logs `count` lines on each of so many threads, numbered, with a message of some length.
pub(crate) fn load(clog: &Clog, threads: u64, count: u64) {
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                tracing::subscriber::with_default(clog.subscriber(), || {
                    for n in 0..count {
                        tracing::info!(thread, n, "an order was saved");
                    }
                });
            });
        }
    });
}

/// The lines of a text as JSON, those of the load and those of the log about itself. Panics at a line
/// that is no whole JSON object.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) by_thread: BTreeMap<u64, Vec<u64>>,
    pub(crate) notices: Vec<Value>,
}

impl Lines {
    pub(crate) fn read(&mut self, text: &str) {
        assert!(text.is_empty() || text.ends_with('\n'), "ends in half a line");
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            match value["thread"].as_u64() {
                Some(thread) => self.by_thread.entry(thread).or_default().push(value["n"].as_u64().unwrap()),
                None => self.notices.push(value),
            }
        }
    }

    pub(crate) fn of(path: &Path) -> Self {
        let mut lines = Self::default();
        lines.read(&std::fs::read_to_string(path).unwrap());
        lines
    }

    pub(crate) fn count(&self) -> u64 {
        self.by_thread.values().map(|of_thread| of_thread.len() as u64).sum()
    }

    /// Panics unless each thread's lines are in the order in which it logged them.
    pub(crate) fn assert_order(&self) {
        for (thread, of_thread) in &self.by_thread {
            assert!(of_thread.is_sorted_by(|a, b| a < b), "lines of thread {thread}");
        }
    }

    /// How many lines the notices tell as lost.
    pub(crate) fn told(&self) -> u64 {
        self.notices.iter().map(|it| it["overflow"].as_u64().unwrap_or(0) + it["failed"].as_u64().unwrap_or(0)).sum()
    }
}
