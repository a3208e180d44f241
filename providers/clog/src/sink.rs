//! Where finished lines go.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of the lines of a log so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Lines that were handed to the output in full.
    pub written: u64,
    /// Lines that were not: the output failed, or was closed already.
    pub lost: u64,
}

/// The output, one line at a time.
pub(crate) struct Sink {
    output: Mutex<Output>,
    written: AtomicU64,
    lost: AtomicU64,
}

struct Output {
    /// None after the close.
    writer: Option<Box<dyn Write + Send>>,
    /// A line may have been cut: the next one must not go on where it stopped.
    is_torn: bool,
}

thread_local! {
    /// Whether this thread is inside a writer, which may log itself.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

impl Sink {
    pub(crate) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self {
            output: Mutex::new(Output { writer: Some(writer), is_torn: false }),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// Writes a line, which ends with its line break, and flushes it. A failure is counted and
    /// told to nobody: there is no place left to tell it.
    pub(crate) fn write_line(&self, line: &[u8]) {
        let result = match Writing::begin() {
            Some(_writing) => self.output().write_line(line),
            None => Err(io::ErrorKind::Deadlock.into()),
        };
        let counter = if result.is_ok() { &self.written } else { &self.lost };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes out what is pending.
    pub(crate) fn flush(&self) -> FlushReport {
        if let Some(_writing) = Writing::begin()
            && let Some(writer) = &mut self.output().writer
        {
            // Each line was flushed and counted already: there is nothing left to lose here.
            let _ = writer.flush();
        }
        self.report()
    }

    /// Flushes and drops the writer; lines that come later are lost, and counted.
    pub(crate) fn close(&self) -> FlushReport {
        if let Some(_writing) = Writing::begin() {
            let writer = self.output().writer.take();
            if let Some(mut writer) = writer {
                let _ = writer.flush();
            }
        }
        self.report()
    }

    /// What became of all lines so far.
    pub(crate) fn report(&self) -> FlushReport {
        FlushReport { written: self.written.load(Ordering::Relaxed), lost: self.lost.load(Ordering::Relaxed) }
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        // A writer that panicked may have cut its line; the others go on.
        self.output.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut output = poisoned.into_inner();
            output.is_torn = true;
            self.output.clear_poison();
            output
        })
    }
}

impl Output {
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let writer = self.writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if self.is_torn {
            writer.write_all(b"\n")?;
        }
        self.is_torn = true;
        writer.write_all(line)?;
        writer.flush()?;
        self.is_torn = false;
        Ok(())
    }
}

/// Marks this thread as inside a writer, until dropped.
struct Writing;

impl Writing {
    /// None when the thread is inside one already: a writer that logs must not wait for itself.
    fn begin() -> Option<Self> {
        (!WRITING.replace(true)).then_some(Self)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.set(false);
    }
}

/// Opens a file to append to, and makes its folder.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Takes a number of bytes, then fails a number of times, then takes all.
    struct Flaky {
        taken: Arc<Mutex<Vec<u8>>>,
        room: usize,
        failures: usize,
    }

    impl Write for Flaky {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 && self.failures > 0 {
                self.failures -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let length = if self.failures > 0 { bytes.len().min(self.room) } else { bytes.len() };
            self.room = self.room.saturating_sub(length);
            self.taken.lock().unwrap().extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_failed_line_is_counted_and_the_next_one_begins_anew() {
        let taken = Arc::default();
        let sink = Sink::new(Box::new(Flaky { taken: Arc::clone(&taken), room: 8, failures: 1 }));
        for line in ["first\n", "second\n", "third\n"] {
            sink.write_line(line.as_bytes());
        }
        assert_eq!(*taken.lock().unwrap(), b"first\nse\nthird\n");
        assert_eq!(sink.flush(), FlushReport { written: 2, lost: 1 });
    }

    #[test]
    fn a_line_after_the_close_is_lost_and_counted() {
        let sink = Sink::new(Box::new(io::sink()));
        sink.write_line(b"a\n");
        assert_eq!(sink.close(), FlushReport { written: 1, lost: 0 });
        sink.write_line(b"b\n");
        assert_eq!(sink.close(), FlushReport { written: 1, lost: 1 });
    }

    struct Panics(bool);

    impl Write for Panics {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.0) { panic!("the disk is on fire") } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_writer_that_panicked_does_not_stop_the_lines_after() {
        let sink = Sink::new(Box::new(Panics(true)));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sink.write_line(b"a\n")));
        assert!(panic.is_err());
        sink.write_line(b"b\n");
        assert_eq!(sink.flush().written, 1);
    }

    struct LogsItself(Arc<Mutex<Option<Arc<Sink>>>>);

    impl Write for LogsItself {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(sink) = &*self.0.lock().unwrap() {
                sink.write_line(b"from inside\n");
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_writer_that_logs_itself_loses_that_line_and_does_not_hang() {
        let slot = Arc::new(Mutex::new(None));
        let sink = Arc::new(Sink::new(Box::new(LogsItself(Arc::clone(&slot)))));
        *slot.lock().unwrap() = Some(Arc::clone(&sink));
        sink.write_line(b"a\n");
        assert_eq!(sink.flush(), FlushReport { written: 1, lost: 1 });
    }
}
