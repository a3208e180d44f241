//! A file that must not grow beyond a limit, as on a full disk: the limit is the process's own
//! (RLIMIT_FSIZE), which needs no privileges, and is lifted from outside. The process is this test
//! binary once more.
#![cfg(target_os = "linux")]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::Clog;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::outputs::{LONG, Lines, directly_into, into_file};

const KIND: &str = "GONE_CLOG_TEST_DISK";
const LOG: &str = "GONE_CLOG_TEST_LOG";
const LIMIT: u64 = 30_001;

/// What the child does: logs until it is told to stop, and tells its figures when asked.
#[test]
fn as_a_child() {
    let Ok(kind) = env::var(KIND) else { return };
    let log = env::var(LOG).unwrap();
    let path = Path::new(&log);
    let mut config = if kind == "direct" { directly_into(path) } else { into_file(path) };
    config.queue.max_lines = 200;
    let clog = Clog::open(config).unwrap();
    clog.install();
    println!();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut n = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                tracing::info!(thread = 0, n, "an order was saved");
                n += 1;
                thread::sleep(Duration::from_millis(1));
            }
            n
        });
        for command in std::io::stdin().lines() {
            if command.unwrap() == "stop" {
                break;
            }
            let stats = clog.stats();
            println!("stats {} {} {}", stats.write_failures, stats.lost_by_failure, stats.written);
        }
        is_over.store(true, Ordering::Relaxed);
        let logged = load.join().unwrap();
        let report = clog.close(LONG);
        println!("closed {logged} {} {} {}", report.written, report.lost, report.pending);
    });
    std::process::exit(0);
}

/// Sends a command, and reads the numbers of the answer.
fn ask(child: &mut Child, answers: &mut BufReader<ChildStdout>, command: &str, answer: &str) -> Vec<u64> {
    writeln!(child.stdin.as_mut().unwrap(), "{command}").unwrap();
    let mut line = String::new();
    while !line.starts_with(answer) {
        line.clear();
        assert!(answers.read_line(&mut line).unwrap() > 0, "the process has ended");
    }
    line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect()
}

fn limit(child: &Child, size: Option<u64>) {
    prlimit(Some(Pid::from_child(child)), Resource::Fsize, Rlimit { current: size, maximum: None }).unwrap();
}

fn a_full_disk(kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    // The signal that comes with the limit would end the process; ENOSPC has none.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "disk::as_a_child", "--nocapture"])
        .env(KIND, kind)
        .env(LOG, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    limit(&child, Some(LIMIT));
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    let mut figures = vec![0; 3];
    let begun = Instant::now();
    while figures[1] == 0 {
        assert!(begun.elapsed() < LONG, "{figures:?}");
        thread::sleep(Duration::from_millis(50));
        figures = ask(&mut child, &mut answers, "stats", "stats");
    }
    assert_eq!(path.metadata().unwrap().len(), LIMIT, "full to the last byte");
    // The process lives, and the counters grow.
    thread::sleep(Duration::from_millis(300));
    let later = ask(&mut child, &mut answers, "stats", "stats");
    assert!(later[0] > figures[0] && later[1] > figures[1], "{figures:?}, then {later:?}");
    assert_eq!(later[2], figures[2]);
    // There is room again.
    limit(&child, None);
    let begun = Instant::now();
    while path.metadata().unwrap().len() <= LIMIT {
        assert!(begun.elapsed() < Duration::from_secs(1), "not resumed");
        thread::sleep(Duration::from_millis(1));
    }
    println!("{kind}: at the limit {later:?} (failures, lost, written), resumed after {:?}", begun.elapsed());
    thread::sleep(Duration::from_millis(700));
    let closed = ask(&mut child, &mut answers, "stop", "closed");
    assert!(child.wait().unwrap().success());
    let [logged, written, lost, pending] = closed[..] else { panic!("{closed:?}") };
    println!("{kind}: {logged} lines logged, {written} written, {lost} lost");
    assert_eq!((written + lost, pending), (logged, 0));
    // The line that the limit cut is whole, and the loss is told in the log.
    let lines = Lines::of(&path);
    assert_eq!(lines.count(), written);
    assert_eq!(lines.told(), lost);
    lines.assert_order();
    assert!(lines.notices[0]["error"].as_str().unwrap().contains("too large"), "{:?}", lines.notices);
}

// LOG-R5
#[test]
fn a_process_lives_through_a_full_disk_counts_and_resumes_within_a_second() {
    a_full_disk("queued");
    a_full_disk("direct");
}
