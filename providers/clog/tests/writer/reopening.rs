//! Files that others move away or delete.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::Clog;

use crate::outputs::{LONG, Lines, directly_into, info, into_file, load};
use crate::rotation::files;

/// Somebody moves the file away, again and again, while many threads log.
fn moved_away(direct: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let clog = Clog::open(if direct { directly_into(&path) } else { into_file(&path) }).unwrap();
    let is_over = AtomicBool::new(false);
    let moved: Vec<PathBuf> = thread::scope(|scope| {
        let moving = scope.spawn(|| {
            let mut moved = Vec::new();
            while !is_over.load(Ordering::Relaxed) && moved.len() < 1_000 {
                let aside = folder.path().join(format!("moved.{:04}", moved.len()));
                if fs::rename(&path, &aside).is_ok() {
                    moved.push(aside);
                }
                thread::sleep(Duration::from_millis(100));
            }
            moved
        });
        for _ in 0..15 {
            load(&clog, 4, 100);
            thread::sleep(Duration::from_millis(60));
        }
        is_over.store(true, Ordering::Relaxed);
        moving.join().unwrap()
    });
    let report = clog.close(LONG);
    assert_eq!((report.written, report.lost), (15 * 400, 0));
    let reopenings = clog.stats().reopenings;
    println!("moved {} times, opened again {reopenings} times", moved.len());
    assert!(reopenings >= 2);
    let count: u64 = files(folder.path())
        .values()
        .map(|text| {
            let mut lines = Lines::default();
            lines.read(text);
            lines.count()
        })
        .sum();
    assert_eq!(count, 15 * 400);
}

#[test]
fn a_file_that_others_move_away_is_opened_again_and_no_line_is_lost() {
    moved_away(false);
    moved_away(true);
}

#[test]
fn a_file_that_is_gone_is_noticed_within_a_second_and_made_with_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/app.log");
    let clog = Clog::open(directly_into(&path)).unwrap();
    info(&clog, "first");
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(1), "not noticed");
        info(&clog, "hello?");
        thread::sleep(Duration::from_millis(10));
    }
    info(&clog, "last");
    assert!(fs::read_to_string(&path).unwrap().contains("last"));
}

#[test]
fn a_file_is_opened_again_on_demand_before_the_next_line() {
    for direct in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("app.log"), folder.path().join("moved"));
        let clog = Clog::open(if direct { directly_into(&path) } else { into_file(&path) }).unwrap();
        info(&clog, "before");
        clog.flush(LONG);
        fs::rename(&path, &aside).unwrap();
        clog.reopen();
        info(&clog, "after");
        assert_eq!(clog.close(LONG).written, 2);
        assert!(fs::read_to_string(&aside).unwrap().contains("before"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("after") && !text.contains("before"), "{text}");
        assert_eq!(clog.stats().reopenings, 1);
    }
}

#[test]
fn a_file_that_cannot_be_opened_again_is_told_and_lines_go_where_they_went() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("app.log"), folder.path().join("moved"));
    let clog = Clog::open(directly_into(&path)).unwrap();
    info(&clog, "before");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    clog.reopen();
    info(&clog, "meanwhile");
    clog.flush(LONG);
    let text = fs::read_to_string(&aside).unwrap();
    assert!(text.contains("meanwhile") && text.contains("cannot open the log file"), "{text}");
    fs::remove_dir(&path).unwrap();
    clog.reopen();
    info(&clog, "after");
    assert!(fs::read_to_string(&path).unwrap().contains("after"));
    assert_eq!(clog.close(LONG).lost, 0);
}
