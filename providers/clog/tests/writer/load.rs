//! More lines than the output takes.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gone_clog::{Clog, Overflow};

use crate::outputs::{LONG, Lines, NOTICE, Slow, Stalled, load, production};

/// Eight threads log into an output that takes nothing for a while, under the policy `block`.
fn all_lines_arrive(per_thread: u64, stall: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut config = production();
    config.queue.max_lines = (per_thread / 2).min(config.queue.max_lines);
    let writer = Stalled { file: File::create(&path).unwrap(), stall, seen: Arc::default() };
    let clog = Clog::with_writer(config, writer).unwrap();
    let begun = Instant::now();
    load(&clog, 8, per_thread);
    let logged = begun.elapsed();
    let report = clog.close(LONG);
    println!("8 x {per_thread} lines, stalled {stall:?}: logged in {logged:?}, closed at {:?}", begun.elapsed());
    assert!(logged >= stall, "the lines did not fit into the queue");
    assert_eq!((report.written, report.lost, report.pending), (8 * per_thread, 0, 0));
    let lines = Lines::of(&path);
    assert_eq!(lines.count(), 8 * per_thread);
    for of_thread in lines.by_thread.values() {
        assert!(of_thread.iter().copied().eq(0..per_thread), "the thread's own order");
    }
    assert!(lines.notices.is_empty());
}

// LOG-R1
#[test]
fn a_stalled_output_loses_no_line_under_the_policy_block() {
    all_lines_arrive(4_000, Duration::from_millis(700));
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_a_stalled_output_loses_no_line_under_the_policy_block() {
    all_lines_arrive(125_000, Duration::from_secs(5));
}

/// The same under a policy that drops.
fn lines_and_drops_add_up(per_thread: u64, stall: Duration, overflow: Overflow) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut config = production();
    config.queue.overflow = overflow;
    config.queue.max_lines = (per_thread / 2).min(config.queue.max_lines);
    let seen = Arc::default();
    let writer = Stalled { file: File::create(&path).unwrap(), stall, seen: Arc::clone(&seen) };
    let clog = Clog::with_writer(config, writer).unwrap();
    let begun = Instant::now();
    load(&clog, 8, per_thread);
    let logged = begun.elapsed();
    // No flush: the notice comes by itself.
    loop {
        let seen = seen.lock().unwrap();
        if let (Some(resumed), Some(told)) = (seen.resumed, seen.first_notice) {
            println!("the first notice came {:?} after the output went on", told - resumed);
            assert!(told - resumed <= Duration::from_secs(1));
            break;
        }
        assert!(begun.elapsed() < stall + LONG, "no notice");
        drop(seen);
        std::thread::sleep(Duration::from_millis(5));
    }
    let report = clog.close(LONG);
    println!("8 x {per_thread} lines, stalled {stall:?}, {overflow}: logged in {logged:?}, {report:?}");
    assert_eq!((report.written + report.lost, report.pending), (8 * per_thread, 0));
    assert!(report.lost > 0);
    let lines = Lines::of(&path);
    lines.assert_order();
    assert_eq!(lines.count(), report.written);
    assert_eq!(lines.told(), report.lost, "what the notices tell");
    assert_eq!(lines.count() + lines.told(), 8 * per_thread);
    for notice in &lines.notices {
        assert_eq!(notice["level"], "warn");
        assert_eq!(notice["service"], "app");
        assert!(notice.to_string().contains(NOTICE));
    }
}

// LOG-R2
#[test]
fn lines_and_told_drops_add_up_to_what_was_logged() {
    for overflow in [Overflow::DropNewest, Overflow::DropBelow] {
        lines_and_drops_add_up(4_000, Duration::from_millis(500), overflow);
    }
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_lines_and_told_drops_add_up_to_what_was_logged() {
    lines_and_drops_add_up(125_000, Duration::from_secs(5), Overflow::DropNewest);
}

/// A log into a file that takes 200 µs a line, with so many lines in its queue.
fn slow(path: &std::path::Path, count: u64) -> Clog {
    let mut config = production();
    config.queue.max_bytes = 64 * 1024 * 1024;
    let writer = Slow { file: File::create(path).unwrap(), per_line: Duration::from_micros(200) };
    let clog = Clog::with_writer(config, writer).unwrap();
    load(&clog, 1, count);
    clog
}

/// A flush of a slow output that has not the time, then one that has.
fn a_flush_tells_what_is_missing(count: u64, short: Duration, long: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let clog = slow(&path, count);
    let begun = Instant::now();
    let report = clog.flush(short);
    let took = begun.elapsed();
    let on_disk = Lines::of(&path).count();
    println!("flush({short:?}) of {count} slow lines took {took:?}: {report:?}; then {on_disk} are on disk");
    assert!(took <= short + Duration::from_millis(100), "{took:?}");
    assert_eq!((report.written + report.pending, report.lost), (count, 0));
    assert!(report.pending > 0);
    // The output went on between the report and the look at the file, for some chunks at most.
    assert!((report.written..report.written + 1_000).contains(&on_disk), "{on_disk}");
    let report = clog.flush(long);
    println!("flush({long:?}) returned at {:?}: {report:?}", begun.elapsed());
    assert_eq!((report.written, report.lost, report.pending), (count, 0, 0));
    assert_eq!(Lines::of(&path).count(), count);
}

/// A close of a slow output that has not the time.
fn a_close_tells_what_is_lost(count: u64, short: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let clog = slow(&path, count);
    let begun = Instant::now();
    let report = clog.close(short);
    let took = begun.elapsed();
    let on_disk = Lines::of(&path).count();
    println!("close({short:?}) of {count} slow lines took {took:?}: {report:?}; {on_disk} are on disk");
    assert!(took <= short + Duration::from_millis(100), "{took:?}");
    assert_eq!(report.pending, 0);
    assert_eq!(report.written, on_disk);
    assert_eq!(report.lost, count - on_disk, "exactly the missing ones");
    assert!(report.lost > 0);
}

// LOG-R3
#[test]
fn a_flush_or_close_without_the_time_tells_exactly_what_is_missing() {
    a_flush_tells_what_is_missing(3_000, Duration::from_millis(150), LONG);
    a_close_tells_what_is_lost(3_000, Duration::from_millis(150));
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_a_flush_or_close_without_the_time_tells_exactly_what_is_missing() {
    a_flush_tells_what_is_missing(50_000, Duration::from_secs(1), Duration::from_secs(30));
    a_close_tells_what_is_lost(50_000, Duration::from_secs(1));
}
