//! The sink with outputs that can be held up, can refuse, panic and log.

mod failures;
mod overflow;

use std::io;
use std::thread;

use gone_kit::Clock;

use super::*;
use crate::config::Format;
pub(super) use crate::queue::Overflow;

/// An output that can be held up, can refuse, and keeps what it takes.
#[derive(Clone, Default)]
struct Output(Arc<(Mutex<Inner>, Condvar)>);

#[derive(Default)]
struct Inner {
    taken: Vec<u8>,
    is_held: bool,
    /// Calls that wait while it is held.
    waiting: u64,
    /// What it still takes before it refuses.
    room: Option<usize>,
    refuses_with: Option<io::ErrorKind>,
    /// Bytes that were taken and not flushed; taken in full by a flush.
    unflushed: Vec<u8>,
    flushes_fail: u64,
    calls: u64,
}

impl Output {
    fn set(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().taken.clone()).unwrap()
    }

    /// The lines that were logged, without the notices.
    fn lines(&self) -> Vec<String> {
        self.text().lines().filter(|line| !line.contains(".clog\"")).map(str::to_owned).collect()
    }

    fn notices(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        text.lines().filter(|line| line.contains(".clog\"")).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until a call is held up.
    fn wait_until_held(&self) {
        let guard = self.0.0.lock().unwrap();
        let waited = self.0.1.wait_timeout_while(guard, LONG, |inner| inner.waiting == 0).unwrap().1;
        assert!(!waited.timed_out(), "nothing was written");
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.0.lock().unwrap();
        inner.calls += 1;
        inner.waiting += 1;
        self.0.1.notify_all();
        // A test that fails lets nobody wait for ever.
        inner = self.0.1.wait_timeout_while(inner, LONG, |inner| inner.is_held).unwrap().0;
        inner.waiting -= 1;
        let length = match (inner.refuses_with, inner.room) {
            (Some(kind), None | Some(0)) => return Err(kind.into()),
            (_, Some(room)) => room.min(bytes.len()),
            (_, None) => bytes.len(),
        };
        inner.room = inner.room.map(|room| room - length);
        inner.unflushed.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut inner = self.0.0.lock().unwrap();
        if inner.flushes_fail > 0 {
            inner.flushes_fail -= 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        let unflushed = std::mem::take(&mut inner.unflushed);
        inner.taken.extend(unflushed);
        Ok(())
    }
}

fn style() -> NoticeStyle {
    let (service, clock) = ("app".to_owned(), Clock::system());
    NoticeStyle { format: Format::Json, is_coloured: false, service, clock }
}

fn sink(limits: Queue) -> (Sink, Output) {
    let output = Output::default();
    (Sink::to_stream(Box::new(output.clone()), limits, style()), output)
}

fn queued(overflow: Overflow) -> Queue {
    Queue { overflow, ..Queue::in_production() }
}

fn log(sink: &Sink, lines: impl IntoIterator<Item = u64>) {
    for line in lines {
        sink.write_line(Level::Info, format!("{line}\n").as_bytes());
    }
}

fn numbers(lines: impl IntoIterator<Item = u64>) -> Vec<String> {
    lines.into_iter().map(|line| line.to_string()).collect()
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(50);

fn report(written: u64, lost: u64, pending: u64) -> FlushReport {
    FlushReport { written, lost, pending }
}

#[test]
fn a_direct_line_is_written_when_its_call_returns_and_needs_no_thread() {
    let (sink, output) = sink(Queue::default());
    for line in 0..100 {
        log(&sink, [line]);
        assert_eq!(output.lines().len() as u64, line + 1);
    }
    assert!(!sink.shared.lock().has_thread);
    assert_eq!(sink.flush(Duration::ZERO), report(100, 0, 0));
}

#[test]
fn a_queued_line_is_written_soon_and_one_at_error_when_its_call_returns() {
    let (sink, output) = sink(queued(Overflow::Block));
    assert!(!sink.shared.lock().has_thread, "no thread before the first line");
    log(&sink, 0..1_000);
    sink.write_line(Level::Error, b"1000\n");
    assert_eq!(output.lines(), numbers(0..1_001));
    log(&sink, [1_001]);
    assert_eq!(sink.flush(LONG), report(1_002, 0, 0));
    assert_eq!(output.lines(), numbers(0..1_002));
}

#[test]
fn a_close_within_its_time_loses_nothing_and_lines_after_it_are_counted() {
    let (sink, output) = sink(queued(Overflow::Block));
    log(&sink, 0..1_000);
    assert_eq!(sink.flush(Duration::MAX), report(1_000, 0, 0));
    assert_eq!(sink.close(Duration::MAX), report(1_000, 0, 0));
    log(&sink, [1_000]);
    assert_eq!(sink.close(LONG), report(1_000, 1, 0));
    assert_eq!(sink.flush(LONG), report(1_000, 1, 0));
    assert_eq!(output.lines(), numbers(0..1_000));
    assert_eq!(Arc::strong_count(&output.0), 1, "the output is dropped");
}

#[test]
fn a_close_of_a_stalled_output_keeps_to_its_time_and_says_what_is_open() {
    let (sink, output) = sink(queued(Overflow::Block));
    output.set(|inner| inner.is_held = true);
    log(&sink, [0]);
    output.wait_until_held();
    log(&sink, 1..1_000);
    let begun = Instant::now();
    assert_eq!(sink.close(SHORT), report(0, 999, 1));
    assert!(begun.elapsed() < SHORT + Duration::from_millis(100), "{:?}", begun.elapsed());
    // The line that the output had comes through all the same.
    output.set(|inner| inner.is_held = false);
    let begun = Instant::now();
    while sink.report().pending > 0 {
        assert!(begun.elapsed() < LONG);
        thread::yield_now();
    }
    assert_eq!(sink.report(), report(1, 999, 0));
    assert_eq!(output.lines(), ["0"]);
}

#[test]
fn the_last_handle_writes_what_waits() {
    let (sink, output) = sink(queued(Overflow::Block));
    log(&sink, 0..1_000);
    drop(sink);
    assert_eq!(output.lines(), numbers(0..1_000));
}

#[test]
fn direct_lines_of_many_threads_are_written_in_order_and_whole() {
    let (sink, output) = sink(Queue::default());
    thread::scope(|scope| {
        for thread in 0..8 {
            let (sink, output) = (&sink, &output);
            scope.spawn(move || {
                for line in 0..300 {
                    log(sink, [thread * 1_000 + line]);
                    let number = (thread * 1_000 + line).to_string();
                    assert!(line % 50 != 0 || output.lines().contains(&number), "written before the call returns");
                }
            });
        }
    });
    assert_eq!(sink.report(), report(2_400, 0, 0));
}

#[test]
fn a_direct_line_behind_a_stalled_one_waits_its_time_and_stays_in_the_queue() {
    let (sink, output) = sink(Queue { max_wait: SHORT, ..Queue::default() });
    output.set(|inner| inner.is_held = true);
    thread::scope(|scope| {
        scope.spawn(|| log(&sink, [0]));
        output.wait_until_held();
        let begun = Instant::now();
        log(&sink, 1..100);
        assert!((SHORT..SHORT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        assert_eq!(sink.report(), report(0, 0, 100));
        output.set(|inner| inner.is_held = false);
    });
    // Nobody logs or flushes: the thread of the log writes what is left.
    let begun = Instant::now();
    while sink.report().pending > 0 {
        assert!(begun.elapsed() < Duration::from_secs(1));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(output.lines(), numbers(0..100));
}

#[test]
fn the_log_waits_without_a_thread_that_spins() {
    let (sink, output) = sink(queued(Overflow::Block));
    log(&sink, [0]);
    sink.flush(LONG);
    let begun = Instant::now();
    while !sink.shared.lock().is_parked {
        assert!(begun.elapsed() < LONG);
        thread::yield_now();
    }
    let calls = output.0.0.lock().unwrap().calls;
    assert_eq!(calls, 1);
    log(&sink, [1]);
    assert_eq!(sink.flush(LONG), report(2, 0, 0));
}
