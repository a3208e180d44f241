//! A log file: written without a buffer, reopened when it is not at its place any more, and rotated.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{self, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use gone_kit::Clock;

use super::backups::{Backup, Backups};
use super::batch::Step;
use super::tidy::Tidy;
use crate::rotation::Rotation;

/// How often it is checked that the file is still the one at its path: less than the second within
/// which a change is noticed.
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// When a rotation that failed is tried again.
const ROTATE_AGAIN: Duration = Duration::from_secs(10);

pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    id: FileId,
    size: u64,
    /// When the file at the path is looked at next.
    check_at: Option<Instant>,
    /// It could not be opened when it was looked at last, which was told.
    is_lost: bool,
    rotator: Option<Rotator>,
}

struct Rotator {
    rotation: Rotation,
    clock: Clock,
    /// The file itself, where its path is a link.
    real: PathBuf,
    /// The stretch of time that the lines in the file are from; none while it is empty.
    period: Option<i64>,
    /// The second that it was when the clock was read last, and the stretch of time that it lies in.
    seen: Option<(u64, i64)>,
    /// The newest old file; none while its folder has not been looked at.
    last: Option<Backup>,
    again_at: Option<Instant>,
    tidy: Tidy,
}

/// Tells files apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// Here only a file that is gone is noticed.
    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

impl LogFile {
    /// Opens a file to append to, and makes its folder.
    pub(crate) fn open(path: &Path, rotation: Option<Rotation>, clock: Clock) -> io::Result<Self> {
        let file = append_to(path)?;
        let metadata = file.metadata()?;
        let rotator = match rotation {
            None => None,
            Some(_) if !metadata.is_file() => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file and cannot be rotated"));
            }
            Some(rotation) => {
                let real = fs::canonicalize(path)?;
                let period = match (rotation.every, metadata.modified()) {
                    (Some(every), Ok(modified)) if metadata.len() > 0 => Some(every.period(modified)),
                    _ => None,
                };
                Some(Rotator {
                    rotation,
                    clock,
                    real,
                    period,
                    seen: None,
                    last: None,
                    again_at: None,
                    tidy: Tidy::default(),
                })
            }
        };
        Ok(Self {
            // The process may go to another folder.
            path: path::absolute(path)?,
            id: FileId::of(&metadata),
            size: metadata.len(),
            file,
            check_at: None,
            is_lost: false,
            rotator,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.size += taken as u64;
        Ok(taken)
    }

    /// How many bytes may be written before the next rotation.
    pub(super) fn room(&self) -> usize {
        match &self.rotator {
            Some(it) if it.rotation.max_bytes > 0 && it.again_at.is_none() => {
                usize::try_from(it.rotation.max_bytes.saturating_sub(self.size)).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    /// Something is wrong: the next check is not put off.
    pub(super) fn suspect(&mut self) {
        self.check_at = None;
    }

    /// Looks whether the file is still the one at its path, at once or when it is time to, and opens the
    /// one that is there if not. While that cannot be done the lines go on into the file that was there.
    /// Whether it is another file now.
    pub(super) fn check(&mut self, at_once: bool, step: &mut Step) -> bool {
        if let Some(rotator) = &self.rotator {
            rotator.tidy.collect(step);
        }
        let now = Instant::now();
        if !at_once && self.check_at.is_some_and(|due| now < due) {
            return false;
        }
        self.check_at = Some(now + CHECK_EVERY);
        match fs::metadata(&self.path) {
            Ok(metadata) if FileId::of(&metadata) == self.id && (cfg!(unix) || !at_once) => {
                // It may have been cut.
                self.size = metadata.len();
                self.is_lost = false;
                false
            }
            _ => self.reopen(step),
        }
    }

    fn reopen(&mut self, step: &mut Step) -> bool {
        let opened = append_to(&self.path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((metadata, file)) => {
                self.file = file;
                self.id = FileId::of(&metadata);
                self.size = metadata.len();
                self.is_lost = false;
                step.reopenings += 1;
                if let Some(rotator) = &mut self.rotator {
                    rotator.real = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
                    rotator.period = None;
                }
                true
            }
            Err(error) => {
                if !self.is_lost {
                    let path = self.path.display();
                    step.events.push(format!(
                        "cannot open the log file {path} again: {error}; lines go into the file that was there before"
                    ));
                }
                self.is_lost = true;
                false
            }
        }
    }

    /// Begins a new file if the next line, of `next` bytes, does not belong into this one. When that
    /// fails, the lines go on into the old one.
    pub(super) fn rotate_if_due(&mut self, next: usize, step: &mut Step) {
        let Some(rotator) = &mut self.rotator else { return };
        let current = rotator.current_period();
        let most = rotator.rotation.max_bytes;
        let is_full = most > 0 && self.size.saturating_add(next as u64) > most;
        let is_old = rotator.period.is_some() && rotator.period != current;
        let is_due = self.size > 0 && (is_full || is_old);
        // What somebody else put at the path is not ours to move.
        if is_due && rotator.again_at.is_none_or(|at| Instant::now() >= at) && !self.check(true, step) {
            self.rotate(step);
        }
        if let Some(rotator) = self.rotator.as_mut().filter(|it| it.again_at.is_none()) {
            rotator.period = current;
        }
    }

    fn rotate(&mut self, step: &mut Step) {
        let Some(rotator) = &mut self.rotator else { return };
        let is_first = rotator.again_at.is_none();
        match rotator.rotate(&self.file) {
            Ok(file) => {
                // Without this, the next check finds it out.
                if let Ok(metadata) = file.metadata() {
                    self.id = FileId::of(&metadata);
                }
                self.file = file;
                self.size = 0;
                rotator.again_at = None;
                step.rotations += 1;
            }
            Err(error) => {
                rotator.again_at = Some(Instant::now() + ROTATE_AGAIN);
                step.rotation_failures += 1;
                if is_first {
                    let path = self.path.display();
                    step.events.push(format!("cannot rotate the log file {path}: {error}; it grows until this works"));
                }
            }
        }
    }

    /// Waits until old files are compressed and deleted, or the deadline has passed.
    pub(super) fn wait_for_tidy(&self, deadline: Instant) {
        if let Some(rotator) = &self.rotator {
            rotator.tidy.wait(deadline);
        }
    }
}

impl Rotator {
    /// The stretch of time that it is now; none where files are not rotated by time.
    fn current_period(&mut self) -> Option<i64> {
        let every = self.rotation.every?;
        let now = self.clock.wall();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        match self.seen {
            Some((last, period)) if last == second => Some(period),
            _ => {
                let period = every.period(now);
                self.seen = Some((second, period));
                Some(period)
            }
        }
    }

    fn rotate(&mut self, old: &File) -> io::Result<File> {
        let backups = Backups::of(&self.real);
        let last = match self.last {
            Some(last) => Some(last),
            None => backups.list()?.into_iter().map(|(backup, _)| backup).max(),
        };
        let backup = backups.next(self.clock.wall(), last);
        let aside = backups.path(backup);
        // Not even what came there since is written over.
        if fs::symlink_metadata(&aside).is_ok() {
            self.last = Some(backup);
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", aside.display())));
        }
        fs::rename(&self.real, &aside)?;
        let file = match append_to(&self.real) {
            Ok(file) => file,
            Err(error) => {
                // Lines go on into the old file, so it belongs where it was.
                let _ = fs::rename(&aside, &self.real);
                return Err(error);
            }
        };
        if let Ok(metadata) = old.metadata() {
            let _ = file.set_permissions(metadata.permissions());
        }
        self.last = Some(backup);
        self.tidy.begin(backups, self.rotation.clone(), self.clock.clone());
        Ok(file)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| *folder != OsStr::new("")) {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}
