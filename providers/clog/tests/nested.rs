//! A line that is logged while another is formatted, under the process's default subscriber: one of a thread alone drops it.

mod captured;

use std::fmt;

use gone_clog::{Clog, ClogConfig, Format, Installed, Level, Logger};

use crate::captured::Captured;

/// A message that logs while it is formatted.
struct Chatty<'a>(&'a Logger);

impl fmt::Display for Chatty<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.info("inner");
        f.write_str("outer")
    }
}

#[test]
fn each_of_two_lines_has_its_own_fields_alone() {
    let written = Captured::default();
    let mut config = ClogConfig::default();
    config.format = Format::Json;
    config.filter = Some(String::new());
    let clog = Clog::with_writer(config, written.clone()).unwrap();
    assert_eq!(clog.install(), Installed::AsDefault);

    let log = clog.logger();
    let inner = log.with("inner", 1);
    log.with("outer", 2).at(Level::Info).field("own", 3).write(Chatty(&inner));
    log.with("outer", 2).at(Level::Info).field("own", 3).write(Chatty(&log));
    log.info(Chatty(&inner));

    let text = written.take();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let seen: Vec<_> = lines
        .map(|line| {
            let fields = ["inner", "outer", "own"].map(|key| line[key].as_u64());
            (line["msg"].as_str().unwrap().to_owned(), fields)
        })
        .collect();
    let inner = |fields| ("inner".to_owned(), fields);
    let outer = |fields| ("outer".to_owned(), fields);
    let expected = [
        inner([Some(1), None, None]),
        outer([None, Some(2), Some(3)]),
        inner([None; 3]),
        outer([None, Some(2), Some(3)]),
        inner([Some(1), None, None]),
        outer([None; 3]),
    ];
    assert_eq!(seen, expected);
}
