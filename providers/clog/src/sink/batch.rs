//! A batch of lines on its way into the output.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use super::file::LogFile;
use super::notice::{NoticeStyle, Untold};

/// The most that is given to the output at once.
const LARGEST: usize = 256 * 1024;
/// What is given to an output whose speed is not known yet. Less than this is not timed.
const FIRST: usize = 16 * 1024;
/// An output that takes longer for a chunk gets smaller ones, so that what is known of its lines is
/// never far from the truth.
const SLOW: Duration = Duration::from_millis(20);
/// One that is faster gets larger ones.
const FAST: Duration = Duration::from_millis(5);

/// Where bytes go.
pub(super) enum Target {
    Stream(Box<dyn Write + Send>),
    File(Box<LogFile>),
}

/// Writes batches of lines. Knows of every line whether the target has it.
pub(super) struct BatchWriter {
    pub(super) target: Target,
    style: NoticeStyle,
    batch: Vec<u8>,
    /// Before it lie the lines that are done.
    done: usize,
    /// Before it lie the bytes that the target took.
    at: usize,
    /// The end of the chunk that is being written.
    chunk_end: usize,
    /// The size of the next chunk.
    chunk: usize,
    /// A notice that stands before what is left of the batch, how much of it the target took, and what
    /// it tells.
    notice: Vec<u8>,
    notice_at: usize,
    told: Untold,
    /// The target took bytes that it has not flushed.
    is_unflushed: bool,
    /// The target may hold half a line that will not be finished.
    is_torn: bool,
}

/// What came of one step.
#[derive(Default)]
pub(super) struct Step {
    /// Lines of the batch that were written, and lost.
    pub(super) lines: u64,
    pub(super) lost: u64,
    /// The bytes of both.
    pub(super) bytes: u64,
    pub(super) notices: u64,
    /// What a notice would have told that was not written.
    pub(super) untold: Untold,
    pub(super) error: Option<io::Error>,
    /// What a notice should tell besides.
    pub(super) events: Vec<String>,
    pub(super) rotations: u64,
    pub(super) rotation_failures: u64,
    pub(super) reopenings: u64,
}

impl BatchWriter {
    pub(super) fn new(target: Target, style: NoticeStyle) -> Self {
        Self {
            target,
            style,
            batch: Vec::new(),
            done: 0,
            at: 0,
            chunk_end: 0,
            chunk: FIRST,
            notice: Vec::new(),
            notice_at: 0,
            told: Untold::default(),
            is_unflushed: false,
            is_torn: false,
        }
    }

    /// Whether nothing is left to write.
    pub(super) fn is_done(&self) -> bool {
        self.done == self.batch.len() && self.notice.is_empty()
    }

    /// Takes the lines of `queue` as the next batch; only when the last one is done.
    pub(super) fn swap(&mut self, queue: &mut Vec<u8>) {
        self.batch.clear();
        (self.done, self.at, self.chunk_end) = (0, 0, 0);
        std::mem::swap(&mut self.batch, queue);
    }

    /// Gives up what is left of the batch: its lines and their bytes.
    pub(super) fn discard(&mut self) -> (u64, u64) {
        let rest = &self.batch[self.done..];
        let given_up = (count_lines(rest), rest.len() as u64);
        self.is_torn = self.at > self.done;
        self.batch.clear();
        (self.done, self.at, self.chunk_end) = (0, 0, 0);
        given_up
    }

    pub(super) fn shrink(&mut self, kept: usize) {
        if self.is_done() && self.batch.capacity() > kept {
            self.batch = Vec::new();
            (self.done, self.at, self.chunk_end) = (0, 0, 0);
        }
    }

    /// Writes a chunk of whole lines, after a notice if there is one to tell. An error of the target
    /// comes back in the step, a panic as an error.
    pub(super) fn step(&mut self, untold: Option<Untold>, reopen: bool) -> Step {
        let mut step = Step::default();
        let result = catch_unwind(AssertUnwindSafe(|| self.try_step(untold, reopen, &mut step)));
        let Err(error) = result.unwrap_or_else(|_| {
            // What the target did with its bytes is not known: they are not given to it again.
            step.lost += count_lines(&self.batch[self.done..self.chunk_end]);
            step.bytes += (self.chunk_end - self.done) as u64;
            (self.done, self.at) = (self.chunk_end, self.chunk_end);
            self.drop_notice(&mut step);
            self.is_torn = true;
            self.is_unflushed = false;
            Err(io::Error::other("the writer panicked"))
        }) else {
            return step;
        };
        if error.kind() == io::ErrorKind::BrokenPipe {
            // Nobody will ever read this.
            self.drop_notice(&mut step);
            let (lines, bytes) = self.discard();
            step.lost += lines;
            step.bytes += bytes;
            self.is_unflushed = false;
        }
        if let Target::File(file) = &mut self.target {
            file.suspect();
        }
        step.error = Some(error);
        step
    }

    fn try_step(&mut self, untold: Option<Untold>, reopen: bool, step: &mut Step) -> io::Result<()> {
        // What a panic puts at risk: nothing yet, or the line that is half written.
        let half = if self.at > self.done { first_line(&self.batch[self.done..]) } else { 0 };
        self.chunk_end = self.done + half;
        if self.is_unflushed {
            self.flush(step)?;
        }
        if self.is_torn {
            self.target.write_all(b"\n")?;
            self.is_torn = false;
        }
        let is_mid_line = self.at > self.done || self.notice_at > 0;
        match untold {
            Some(untold) if self.notice.is_empty() => {
                self.told = untold;
                self.style.write(&self.told, &mut self.notice);
            }
            Some(untold) => step.untold = untold,
            None => {}
        }
        let mut room = usize::MAX;
        if let Target::File(file) = &mut self.target {
            let is_other = file.check(reopen, step);
            if is_other {
                // The half of a line in the old file stays there; the new one gets all of it.
                (self.at, self.notice_at) = (self.done, 0);
            }
            if is_other || !is_mid_line {
                let next = match self.notice.len() {
                    0 => first_line(&self.batch[self.done..]),
                    length => length,
                };
                file.rotate_if_due(next, step);
            }
            room = file.room();
        } else if reopen {
            step.events.push("this log's output is no file: there is nothing to reopen".to_owned());
        }
        if !self.notice.is_empty() && self.at == self.done {
            return self.write_notice(step);
        }
        self.chunk_end = self.done + chunk_length(&self.batch[self.done..], self.chunk.min(room));
        let timed = (self.chunk_end - self.at >= FIRST.min(self.chunk)).then(Instant::now);
        while self.at < self.chunk_end {
            match self.target.write_some(&self.batch[self.at..self.chunk_end]) {
                Ok(taken) => self.at += taken,
                Err(error) => {
                    // What it took before counts, if it can be flushed.
                    let _ = if self.at > self.done { self.flush(step) } else { Ok(()) };
                    return Err(error);
                }
            }
        }
        self.flush(step)?;
        if let Some(begun) = timed {
            let took = begun.elapsed();
            if took > SLOW {
                self.chunk = (self.chunk / 2).max(1);
            } else if took < FAST {
                self.chunk = (self.chunk * 2).min(LARGEST);
            }
        }
        Ok(())
    }

    fn write_notice(&mut self, step: &mut Step) -> io::Result<()> {
        while self.notice_at < self.notice.len() {
            self.notice_at += self.target.write_some(&self.notice[self.notice_at..])?;
        }
        self.flush(step)
    }

    /// Flushes the target; what it took before is done then.
    fn flush(&mut self, step: &mut Step) -> io::Result<()> {
        self.is_unflushed = true;
        self.target.flush()?;
        self.is_unflushed = false;
        if self.notice_at > 0 && self.notice_at == self.notice.len() {
            step.notices += count_lines(&self.notice);
            self.notice.clear();
            self.notice_at = 0;
            self.told = Untold::default();
        }
        let taken = &self.batch[self.done..self.at];
        let whole = memchr::memrchr(b'\n', taken).map_or(0, |last| last + 1);
        step.lines += count_lines(&taken[..whole]);
        step.bytes += whole as u64;
        self.done += whole;
        Ok(())
    }

    fn drop_notice(&mut self, step: &mut Step) {
        self.notice.clear();
        self.notice_at = 0;
        step.untold.give_back(std::mem::take(&mut self.told));
    }
}

impl Target {
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let taken = self.write_some(bytes)?;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Writes at least one byte.
    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let result = match self {
                Self::Stream(stream) => stream.write(bytes),
                Self::File(file) => file.write(bytes),
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => return Ok(taken.min(bytes.len())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A full pipe that was made non-blocking: no failure, only slow.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => loop {
                match stream.flush() {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                    result => return result,
                }
            },
            // Written without a buffer.
            Self::File(_) => Ok(()),
        }
    }
}

fn count_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// The length of the first line, its line break included.
fn first_line(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

/// The length of the whole lines that fit into `most`, or of the first one.
fn chunk_length(text: &[u8], most: usize) -> usize {
    if text.len() <= most {
        return text.len();
    }
    match memchr::memrchr(b'\n', &text[..most]) {
        Some(last) => last + 1,
        None => first_line(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_whole_lines_and_at_least_one() {
        let text = b"one\ntwo\nthree\n";
        for (most, expected) in [(0, 4), (1, 4), (4, 4), (7, 4), (8, 8), (13, 8), (14, 14), (100, 14)] {
            assert_eq!(chunk_length(text, most), expected, "{most}");
        }
        assert_eq!(count_lines(text), 3);
        assert_eq!(first_line(b""), 0);
    }
}
