//! A real file system without space: a tiny tmpfs, which only root may mount. Other tests stand a limit of the process in its place.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gone_clog::Clog;

use crate::outputs::{LONG, Lines, directly_into, into_file};

/// Unmounts at its end.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

/// Fills a file system, and makes room again.
fn no_space(direct: bool) {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(folder.path()).output();
    let mount = mount.expect("`mount` runs");
    assert!(mount.status.success(), "a tmpfs could be mounted: {}", String::from_utf8_lossy(&mount.stderr));
    let _mounted = Mounted(folder.path());
    let (path, ballast) = (folder.path().join("app.log"), folder.path().join("ballast"));
    fs::write(&ballast, vec![0; 180 * 1024]).unwrap();
    let mut config = if direct { directly_into(&path) } else { into_file(&path) };
    config.queue.max_lines = 300;
    let clog = Clog::open(config).unwrap();
    tracing::subscriber::with_default(clog.subscriber(), || {
        let mut n = 0_u64;
        let mut log = || {
            tracing::info!(thread = 0, n, "an order was saved");
            n += 1;
            thread::sleep(Duration::from_micros(200));
        };
        let begun = Instant::now();
        while clog.stats().lost_by_failure < 100 {
            assert!(begun.elapsed() < LONG);
            log();
        }
        let full = clog.stats();
        assert!(full.write_failures > 0);
        let written = full.written;
        fs::remove_file(&ballast).unwrap();
        let begun = Instant::now();
        while clog.stats().written <= written {
            assert!(begun.elapsed() < Duration::from_secs(1), "not resumed");
            log();
        }
        println!("direct {direct}: {full:?}; resumed {:?} after there was room", begun.elapsed());
        for _ in 0..50 {
            log();
        }
        let report = clog.close(LONG);
        assert_eq!((report.written + report.lost, report.pending), (n, 0));
        let lines = Lines::of(&path);
        assert_eq!(lines.count(), report.written);
        assert_eq!(lines.told(), report.lost);
        lines.assert_order();
        assert!(lines.notices[0]["error"].as_str().unwrap().contains("No space left"), "{:?}", lines.notices);
    });
}

#[test]
#[ignore = "mounts a file system as root: cargo xtask soak"]
fn full_size_a_full_file_system_is_written_again_within_a_second_of_having_room() {
    no_space(false);
    no_space(true);
}
