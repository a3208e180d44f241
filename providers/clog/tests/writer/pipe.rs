//! Standard output that is a pipe nobody reads, or nobody has. The process that writes is this test
//! binary once more.
#![cfg(unix)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::{Clog, Overflow};

use crate::outputs::{LONG, production};

const RESULT: &str = "GONE_CLOG_TEST_RESULT";
const LINES: u64 = 50_000;

/// What the child does: logs to standard output, and puts its figures into a file.
#[test]
fn as_a_child() {
    let Ok(result) = env::var(RESULT) else { return };
    let mut config = production();
    config.queue.overflow = Overflow::DropNewest;
    config.queue.error_wait = Duration::from_millis(200);
    // Less than half of the lines, however short the paths are in them.
    config.queue.max_bytes = 2 * 1024 * 1024;
    let clog = Clog::open(config).unwrap();
    clog.install();
    let begun = Instant::now();
    for n in 0..LINES {
        tracing::info!(n, "an order was saved");
        if n % 1_000 == 0 {
            tracing::error!(n, "an error");
        }
    }
    let took = begun.elapsed().as_millis();
    let lines = clog.lines();
    let unfinished = format!("{result}.part");
    fs::write(&unfinished, format!("{took} {} {} {}", lines.written, lines.lost, lines.pending)).unwrap();
    fs::rename(unfinished, result).unwrap();
    // Somebody may read the pipe now.
    clog.flush(LONG);
    std::process::exit(0);
}

fn child(result: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "pipe::as_a_child", "--nocapture"])
        .env(RESULT, result)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Milliseconds, and lines written, lost and pending.
fn figures(result: &Path) -> [u64; 4] {
    let begun = Instant::now();
    while !result.exists() {
        assert!(begun.elapsed() < LONG, "the process does not get on");
        thread::sleep(Duration::from_millis(10));
    }
    let text = fs::read_to_string(result).unwrap();
    let numbers: Vec<u64> = text.split(' ').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

#[test]
fn a_pipe_that_nobody_reads_does_not_stall_who_logs_under_a_drop_policy() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result");
    let mut child = child(&result);
    // Nothing of the pipe is read until all is logged.
    let [took, written, lost, pending] = figures(&result);
    println!("{LINES} lines into a pipe nobody reads: {took} ms; {written} written, {lost} lost, {pending} pending");
    assert_eq!(written + lost + pending, LINES + LINES / 1_000);
    assert!(lost > 0);
    // Two waits of 200 ms for errors at most: to be written, and for room.
    assert!(took < 5_000, "{took} ms");
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .filter(|line| line.contains("\"service\":\"app\""))
        .collect();
    assert!(child.wait().unwrap().success());
    let (mut logged, mut told) = (0, 0);
    for line in &lines {
        // The harness of the child has begun a line before the first of the log.
        let line: serde_json::Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
        match line["namespace"].as_str() {
            Some("app.clog") => told += line["overflow"].as_u64().unwrap(),
            _ => logged += 1,
        }
    }
    assert_eq!((logged, told), (written + pending, lost));
}

#[test]
fn a_pipe_that_is_closed_costs_the_lines_and_not_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result");
    let mut child = child(&result);
    // The harness of the child writes too, and does not live through it: not before the log's first line.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"service\":\"app\"") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    drop(output);
    let [took, written, lost, pending] = figures(&result);
    println!("{LINES} lines into a closed pipe: {took} ms; {written} written, {lost} lost, {pending} pending");
    assert_eq!(written + lost + pending, LINES + LINES / 1_000);
    assert!(written > 0 && lost > 0);
    assert!(child.wait().unwrap().code().is_some(), "no signal has ended it");
}
