//! Files that the log rotates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
#[cfg(feature = "gzip")]
use std::thread;
use std::time::{Duration, SystemTime};

use gone_clog::{Clog, ClogError, Every, Output, Rotation};
use gone_kit::ManualClock;

use crate::outputs::{LONG, Lines, directly_into, info, into_file, load};

/// The files of a folder by name, compressed ones unpacked. One that is being compressed is there in
/// its plain form.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && !name.ends_with(".part") {
            files.insert(name, read(&path));
        }
    }
    files
}

fn read(path: &Path) -> String {
    #[cfg(feature = "gzip")]
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(fs::File::open(path).unwrap());
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        return text;
    }
    fs::read_to_string(path).unwrap()
}

fn rotation(change: impl FnOnce(&mut Rotation)) -> Option<Rotation> {
    let mut rotation = Rotation::default();
    rotation.max_backups = 0;
    change(&mut rotation);
    Some(rotation)
}

// CLG-9
#[test]
fn writing_past_the_size_limit_leaves_a_current_file_of_json_and_backups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/app.log");
    let mut config = directly_into(&path);
    config.rotation = rotation(|it| it.max_bytes = 10_000);
    let clog = Clog::open(config).unwrap();
    load(&clog, 1, 200);
    assert_eq!(clog.close(LONG).written, 200);
    let files = files(path.parent().unwrap());
    assert!(files.len() >= 3, "{:?}", files.keys());
    assert_eq!(clog.stats().rotations, files.len() as u64 - 1);
    let mut all = Lines::default();
    // The current file's name sorts behind those of the backups, theirs by time.
    for (name, text) in &files {
        assert!(text.len() <= 10_000, "{name} has {} bytes", text.len());
        all.read(text);
    }
    assert_eq!(files.keys().next_back().unwrap(), "app.log");
    assert!(all.by_thread[&0].iter().copied().eq(0..200), "each line once and in order over all files");
    let mut current = Lines::default();
    current.read(&files["app.log"]);
    assert!(current.count() > 0);
}

#[test]
fn without_a_rotation_a_file_grows_and_stays_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let clog = Clog::open(into_file(&path)).unwrap();
    let message = "x".repeat(4_000);
    for _ in 0..1_000 {
        info(&clog, &message);
    }
    clog.close(LONG);
    assert_eq!(files(folder.path()).len(), 1);
    assert_eq!(clog.stats().rotations, 0);
}

/// Many threads log into a file that is rotated again and again.
fn rotation_loses_nothing(per_thread: u64) {
    let folder = tempfile::tempdir().unwrap();
    for (name, direct) in [("queued.log", false), ("direct.log", true)] {
        let path = folder.path().join(name).join("app.log");
        let mut config = if direct { directly_into(&path) } else { into_file(&path) };
        config.rotation = rotation(|it| {
            it.max_bytes = 50_000;
            it.compress = cfg!(feature = "gzip");
        });
        let clog = Clog::open(config).unwrap();
        load(&clog, 4, per_thread);
        let report = clog.close(LONG);
        let stats = clog.stats();
        println!("{name}: {report:?}, {} rotations", stats.rotations);
        assert_eq!((report.written, report.lost, report.pending), (4 * per_thread, 0, 0));
        assert_eq!(stats.rotation_failures, 0);
        let mut all = Lines::default();
        for text in files(path.parent().unwrap()).values() {
            all.read(text);
        }
        for of_thread in all.by_thread.values() {
            assert!(of_thread.iter().copied().eq(0..per_thread), "each line once and in order over all files");
        }
        assert_eq!(all.by_thread.len(), 4);
        assert!(stats.rotations > 5);
    }
}

// LOG-R5
#[test]
fn rotation_under_load_loses_no_line() {
    rotation_loses_nothing(2_000);
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_rotation_under_load_loses_no_line() {
    rotation_loses_nothing(100_000);
}

/// A moment of local time.
fn local(time: &str) -> SystemTime {
    let civil: jiff::civil::DateTime = time.parse().unwrap();
    let at = jiff::tz::TimeZone::system().to_timestamp(civil).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_second().try_into().unwrap())
}

#[test]
fn a_new_day_or_hour_begins_a_new_file() {
    for (every, same, next) in [
        (Every::Day, "2025-03-11T23:59:59", "2025-03-12T00:00:00"),
        (Every::Hour, "2025-03-11T10:59:59", "2025-03-11T11:00:00"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let (clock, hand) = ManualClock::at(local("2025-03-11T10:00:00"));
        let mut config = directly_into(&path);
        config.rotation = rotation(|it| (it.every, it.max_bytes) = (Some(every), 0));
        let clog = Clog::builder(config).clock(clock).open().unwrap();
        info(&clog, "first");
        hand.set_wall(local(same));
        info(&clog, "second");
        assert_eq!(files(folder.path()).len(), 1);
        hand.set_wall(local(next));
        info(&clog, "third");
        clog.close(LONG);
        let files = files(folder.path());
        assert_eq!(files.len(), 2, "{:?}", files.keys());
        assert!(files["app.log"].contains("third") && !files["app.log"].contains("second"));
    }
}

#[test]
fn a_file_that_an_earlier_day_left_makes_room_at_the_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "of yesterday\n").unwrap();
    let yesterday = SystemTime::now() - Duration::from_secs(30 * 3_600);
    fs::File::options().append(true).open(&path).unwrap().set_modified(yesterday).unwrap();
    let mut config = directly_into(&path);
    config.rotation = rotation(|it| it.every = Some(Every::Day));
    let clog = Clog::open(config).unwrap();
    info(&clog, "of today");
    clog.close(LONG);
    let files = files(folder.path());
    assert_eq!(files.len(), 2);
    assert!(files["app.log"].contains("of today") && !files["app.log"].contains("yesterday"));
}

#[test]
fn old_files_go_by_number_and_age_and_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    for name in ["app-old.log", "app-20250101T000000Z-0000.txt"] {
        fs::write(folder.path().join(name), "not ours").unwrap();
    }
    let (clock, hand) = ManualClock::at(local("2025-03-11T10:00:00"));
    let mut config = directly_into(&path);
    config.rotation = rotation(|it| {
        it.max_bytes = 1_024;
        it.max_backups = 3;
        it.max_age_days = 10;
    });
    let clog = Clog::builder(config.clone()).clock(clock.clone()).open().unwrap();
    load(&clog, 1, 100);
    clog.close(LONG);
    let names =
        |folder: &Path| files(folder).into_keys().filter(|it| it.starts_with("app-2025031")).collect::<Vec<_>>();
    let kept = names(folder.path());
    let rotations = clog.stats().rotations;
    let last = (rotations - 3..rotations).map(|number| format!("Z-{number:04}.log"));
    assert!(kept.iter().zip(last).all(|(name, end)| name.ends_with(&end)) && kept.len() == 3, "{kept:?}");
    // Weeks later the old ones are too old.
    hand.set_wall(local("2025-03-31T10:00:00"));
    let clog = Clog::builder(config).clock(clock).open().unwrap();
    load(&clog, 1, 10);
    clog.close(LONG);
    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    assert!(folder.path().join("app-old.log").exists());
    assert!(folder.path().join("app-20250101T000000Z-0000.txt").exists());
}

#[cfg(feature = "gzip")]
#[test]
fn old_files_are_compressed_and_one_that_cannot_be_stays_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let (clock, _) = ManualClock::at(local("2025-03-11T10:00:00"));
    let mut config = directly_into(&path);
    config.rotation = rotation(|it| {
        it.max_bytes = 4_000;
        it.compress = true;
    });
    let clog = Clog::builder(config.clone()).clock(clock.clone()).open().unwrap();
    load(&clog, 1, 100);
    clog.close(LONG);
    let all = files(folder.path());
    let compressed = all.keys().filter(|name| name.ends_with(".log.gz")).count();
    assert_eq!((compressed, clog.stats().rotations), (all.len() - 1, compressed as u64));
    let mut lines = Lines::default();
    all.values().for_each(|text| lines.read(text));
    assert!(lines.by_thread[&0].iter().copied().eq(0..100));

    // A folder stands where the next one would be written.
    let second = all.keys().next().unwrap().split('-').nth(1).unwrap();
    let next = format!("app-{second}-{compressed:04}.log");
    fs::create_dir(folder.path().join(format!("{next}.gz.part"))).unwrap();
    let clog = Clog::builder(config).clock(clock).open().unwrap();
    load(&clog, 1, 30);
    let told = || files(folder.path()).values().any(|text| text.contains("cannot compress the old log file"));
    for _ in 0..500 {
        info(&clog, "is it told?");
        if told() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(told());
    assert_eq!(clog.close(LONG).lost, 0);
    assert!(clog.stats().rotation_failures > 0);
    assert!(folder.path().join(next).exists(), "it stays as it was");
}

#[test]
fn a_rotation_that_fails_is_told_once_and_lines_go_on() {
    let folder = tempfile::tempdir().unwrap();
    // The name of an old file would be too long.
    let path = folder.path().join(format!("{}.log", "n".repeat(245)));
    let mut config = directly_into(&path);
    config.rotation = rotation(|it| it.max_bytes = 1_024);
    let clog = Clog::open(config).unwrap();
    load(&clog, 1, 100);
    let report = clog.close(LONG);
    assert_eq!((report.written, report.lost), (100, 0));
    let lines = Lines::of(&path);
    assert!(lines.by_thread[&0].iter().copied().eq(0..100));
    assert_eq!(lines.notices.len(), 1);
    assert!(lines.notices[0]["msg"].as_str().unwrap().starts_with("cannot rotate the log file "));
    assert_eq!(clog.stats().rotation_failures, 1);
}

#[test]
fn what_is_no_file_is_not_rotated() {
    let mut config = directly_into(Path::new("/dev/null"));
    config.rotation = Some(Rotation::default());
    assert!(matches!(Clog::open(config.clone()), Err(ClogError::Open { .. })));
    match Clog::with_writer(config.clone(), std::io::sink()) {
        Err(error) => assert!(error.to_string().starts_with("`rotation`: it is for files"), "{error}"),
        Ok(_) => panic!("a writer with a rotation"),
    }
    config.output = Output::Stderr;
    match Clog::open(config) {
        Err(error) => {
            assert_eq!(error.to_string(), "`rotation`: it is for files, and `output` is `stderr`")
        }
        Ok(_) => panic!("stderr with a rotation"),
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.log"), folder.path().join("app.log"));
    fs::write(&real, "").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut config = directly_into(&link);
    config.rotation = rotation(|it| it.max_bytes = 1_024);
    let clog = Clog::open(config).unwrap();
    load(&clog, 1, 50);
    clog.close(LONG);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(files(folder.path()).keys().filter(|name| name.starts_with("real-")).count() > 2);
}
