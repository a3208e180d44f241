//! Old log files: their names, which of them there are, and which go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::rotation::Rotation;

/// The ending of a compressed one.
const COMPRESSED: &str = ".gz";
/// The ending of one that is being compressed.
const UNFINISHED: &str = ".gz.part";
/// The last number within a second.
const LAST_NUMBER: u32 = 9_999;

/// The old files of one log file.
#[derive(Clone)]
pub(super) struct Backups {
    folder: PathBuf,
    /// What their names begin and end with.
    before: String,
    after: String,
}

/// An old file, by when it was put aside. They sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backup {
    /// Since 1970.
    second: i64,
    /// Among those of the second.
    number: u32,
}

/// The forms in which an old file may lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Compressed,
    /// Left behind by a compression that did not come to its end.
    Unfinished,
}

impl Backups {
    pub(super) fn of(file: &Path) -> Self {
        let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let ending = text(file.extension());
        Self {
            folder: file.parent().map(Path::to_owned).unwrap_or_default(),
            before: text(file.file_stem()) + "-",
            after: if ending.is_empty() { ending } else { format!(".{ending}") },
        }
    }

    /// The next old file, later than `last` whatever the clock says.
    pub(super) fn next(&self, now: SystemTime, last: Option<Backup>) -> Backup {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let second = i64::try_from(second).unwrap_or(i64::MAX).min(Timestamp::MAX.as_second() - 1);
        match last {
            Some(last) if last.second < second => Backup { second, number: 0 },
            Some(last) if last.number < LAST_NUMBER => Backup { number: last.number + 1, ..last },
            Some(last) => Backup { second: last.second + 1, number: 0 },
            None => Backup { second, number: 0 },
        }
    }

    pub(super) fn path(&self, backup: Backup) -> PathBuf {
        let Self { folder, before, after } = self;
        folder.join(format!("{before}{}-{:04}{after}", stamp(backup.second), backup.number))
    }

    /// The old files that there are, the oldest first.
    pub(super) fn list(&self) -> io::Result<Vec<(Backup, Form)>> {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(backup) = entry.file_name().to_str().and_then(|name| self.read(name))
                && entry.file_type().is_ok_and(|kind| kind.is_file())
            {
                found.push(backup);
            }
        }
        found.sort_by_key(|(backup, _)| *backup);
        Ok(found)
    }

    /// Reads a name; none for one that is not of an old file of this log.
    fn read(&self, name: &str) -> Option<(Backup, Form)> {
        let name = name.strip_prefix(&*self.before)?;
        let (stamp, rest) = name.split_at_checked(STAMP.len())?;
        let (number, rest) = rest.strip_prefix('-')?.split_at_checked(4)?;
        let form = match rest.strip_prefix(&*self.after)? {
            "" => Form::Plain,
            COMPRESSED => Form::Compressed,
            UNFINISHED => Form::Unfinished,
            _ => return None,
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some((Backup { second: read_stamp(stamp)?, number: number.parse().ok()? }, form))
    }

    /// Deletes the old files that the rotation does not keep, and gives those that it does.
    pub(super) fn clean(&self, rotation: &Rotation, now: SystemTime) -> (Vec<(Backup, Form)>, Vec<io::Error>) {
        let mut errors = Vec::new();
        let listed = self.list().unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        });
        let age = Duration::from_secs(rotation.max_age_days.saturating_mul(86_400));
        let oldest = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(age).as_secs();
        let mut kept: Vec<(Backup, Form)> = Vec::new();
        // The newest first; one that lies there in two forms counts once.
        let mut number = 0;
        let mut last = None;
        for (backup, form) in listed.into_iter().rev() {
            if last != Some(backup) {
                number += 1;
                last = Some(backup);
            }
            let is_one_too_many = rotation.max_backups > 0 && number > rotation.max_backups;
            let is_too_old = rotation.max_age_days > 0 && backup.second < i64::try_from(oldest).unwrap_or(i64::MAX);
            if is_one_too_many || is_too_old || form == Form::Unfinished {
                match fs::remove_file(self.path_in(backup, form)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => errors.push(error),
                    _ => {}
                }
            } else {
                kept.push((backup, form));
            }
        }
        (kept, errors)
    }

    pub(super) fn path_in(&self, backup: Backup, form: Form) -> PathBuf {
        let mut path = self.path(backup).into_os_string();
        path.push(match form {
            Form::Plain => "",
            Form::Compressed => COMPRESSED,
            Form::Unfinished => UNFINISHED,
        });
        path.into()
    }
}

/// The form of the moment in a name.
const STAMP: &str = "00000000T000000Z";

fn stamp(second: i64) -> String {
    let at = Offset::UTC.to_datetime(Timestamp::from_second(second).unwrap_or(Timestamp::MAX));
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second())
}

fn read_stamp(text: &str) -> Option<i64> {
    let is_stamp = text.bytes().zip(STAMP.bytes()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    if !is_stamp {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
    let year = text[..4].parse().ok()?;
    let at =
        DateTime::new(year, number(4, 6)?, number(6, 8)?, number(9, 11)?, number(11, 13)?, number(13, 15)?, 0).ok()?;
    Some(Offset::UTC.to_timestamp(at).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn a_name_tells_when_and_is_read_back() {
        let backups = Backups::of(Path::new("logs/app.log"));
        let first = backups.next(at(1_741_687_402), None);
        assert_eq!(backups.path(first), Path::new("logs/app-20250311T100322Z-0000.log"));
        for form in [Form::Plain, Form::Compressed, Form::Unfinished] {
            let path = backups.path_in(first, form);
            assert_eq!(backups.read(path.file_name().unwrap().to_str().unwrap()), Some((first, form)));
        }
        let bare = Backups::of(Path::new("app"));
        assert_eq!(bare.path(first), Path::new("app-20250311T100322Z-0000"));
    }

    #[test]
    fn names_sort_by_time_within_a_second_and_when_the_clock_is_set_back() {
        let backups = Backups::of(Path::new("app.log"));
        let mut last = None;
        let mut names = Vec::new();
        for second in [100, 100, 100, 50, 101, 101, 9_999] {
            let next = backups.next(at(second), last);
            names.push(backups.path(next));
            last = Some(next);
        }
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(names, sorted);
        let full = Backup { second: 100, number: LAST_NUMBER };
        assert_eq!(backups.next(at(100), Some(full)), Backup { second: 101, number: 0 });
    }

    #[test]
    fn what_is_not_ours_is_not_read() {
        let backups = Backups::of(Path::new("app.log"));
        for name in [
            "app.log",
            "app-x-20250311T100322Z-0000.log",
            "app-20250311T100322Z-0000.log.bz2",
            "app-20250311T100322Z-0000.txt",
            "app-20250311T100322Z-00.log",
            "app-20250311T100322Z-+001.log",
            "app-20251311T100322Z-0000.log",
            "app-2025é311T10032Z-0000.log",
            "app-20250311.log",
            "app-",
            "other-20250311T100322Z-0000.log",
        ] {
            assert_eq!(backups.read(name), None, "{name}");
        }
    }

    #[test]
    fn cleaning_goes_by_count_and_by_age_and_spares_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let backups = Backups::of(&folder.path().join("app.log"));
        let day = 86_400;
        let now = 1_741_687_402;
        let all: Vec<_> = (0..5).map(|age| Backup { second: now - age * day, number: 0 }).collect();
        let put = |backup, form| fs::write(backups.path_in(backup, form), "x").unwrap();
        for (at, backup) in all.iter().enumerate() {
            put(*backup, if at % 2 == 0 { Form::Plain } else { Form::Compressed });
        }
        put(all[1], Form::Unfinished);
        let foreign = ["app.log", "app-old.log", "app-20250101.log.gz", "notes"];
        for name in foreign {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let clean = |rotation: &Rotation| {
            let (mut kept, errors) = backups.clean(rotation, at(now as u64));
            assert!(errors.is_empty(), "{errors:?}");
            kept.reverse();
            assert_eq!(kept, backups.list().unwrap());
            kept.into_iter().map(|(backup, _)| backup).rev().collect::<Vec<_>>()
        };
        assert_eq!(clean(&Rotation { max_backups: 4, ..Rotation::default() }), all[..4]);
        assert_eq!(clean(&Rotation { max_backups: 0, max_age_days: 2, ..Rotation::default() }), all[..3]);
        assert_eq!(clean(&Rotation { max_backups: 0, ..Rotation::default() }), all[..3]);
        for name in foreign {
            assert!(folder.path().join(name).exists(), "{name}");
        }
    }
}
