use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use super::*;
use crate::config::Format;
use crate::queue::Overflow;

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
        drop(self.0.1.wait_while(guard, |inner| inner.waiting == 0).unwrap());
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.0.lock().unwrap();
        inner.calls += 1;
        inner.waiting += 1;
        self.0.1.notify_all();
        inner = self.0.1.wait_while(inner, |inner| inner.is_held).unwrap();
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
    let clock = Arc::new(SystemTime::now);
    NoticeStyle { format: Format::Json, is_coloured: false, service: "app".to_owned(), clock }
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
fn a_line_that_was_cut_is_finished_and_none_is_lost() {
    for limits in [Queue::default(), queued(Overflow::Block)] {
        let (sink, output) = sink(limits);
        output.set(|inner| (inner.room, inner.refuses_with) = (Some(8), Some(io::ErrorKind::StorageFull)));
        for line in ["first\n", "second\n", "third\n"] {
            sink.write_line(Level::Info, line.as_bytes());
        }
        while sink.stats().write_failures < 3 {
            thread::yield_now();
        }
        assert_eq!(output.text(), "first\nse");
        assert_eq!(sink.report(), report(1, 0, 2));
        let begun = Instant::now();
        output.set(|inner| (inner.room, inner.refuses_with) = (None, None));
        assert_eq!(sink.flush(LONG), report(3, 0, 0));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(output.lines(), ["first", "second", "third"]);
        let notices = output.notices();
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0]["msg"], "the log could not be written for a while; nothing is lost");
        assert!(notices[0]["write_failures"].as_u64().unwrap() >= 3);
    }
}

#[test]
fn a_flush_that_fails_is_tried_again_and_nothing_is_written_twice() {
    let (sink, output) = sink(Queue::default());
    output.set(|inner| inner.flushes_fail = 2);
    log(&sink, 0..3);
    assert_eq!(sink.flush(LONG), report(3, 0, 0));
    assert_eq!(output.lines(), numbers(0..3));
    assert_eq!(sink.stats().write_failures, 2);
}

#[test]
fn an_output_that_fails_is_not_waited_for_and_what_finds_no_room_is_counted_and_told() {
    for overflow in [Overflow::Block, Overflow::DropNewest] {
        let (sink, output) = sink(Queue { max_lines: 100, ..queued(overflow) });
        output.set(|inner| inner.refuses_with = Some(io::ErrorKind::StorageFull));
        let begun = Instant::now();
        log(&sink, [0]);
        while sink.stats().write_failures == 0 {
            thread::yield_now();
        }
        log(&sink, 1..150);
        sink.write_line(Level::Error, b"150\n");
        assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
        assert_eq!(sink.report(), report(0, 50, 101));
        assert_eq!(sink.stats().lost_by_failure, 50);
        output.set(|inner| inner.refuses_with = None);
        assert_eq!(sink.flush(LONG), report(101, 50, 0));
        assert_eq!(output.lines(), numbers((0..100).chain([150])));
        assert_eq!(output.notices()[0]["failed"], 50);
    }
}

#[test]
fn a_broken_pipe_loses_what_waits_at_once_and_what_comes_is_tried_anew() {
    for limits in [Queue::default(), queued(Overflow::Block)] {
        let (sink, output) = sink(limits);
        output.set(|inner| inner.refuses_with = Some(io::ErrorKind::BrokenPipe));
        log(&sink, 0..3);
        assert_eq!(sink.flush(LONG), report(0, 3, 0));
        output.set(|inner| inner.refuses_with = None);
        log(&sink, [3]);
        assert_eq!(sink.flush(LONG), report(1, 3, 0));
        assert_eq!(output.lines(), ["3"]);
        assert_eq!(output.notices()[0]["failed"], 3);
    }
}

#[test]
fn a_flush_gives_up_an_output_that_refused_everything_for_a_second() {
    let (sink, output) = sink(queued(Overflow::Block));
    output.set(|inner| inner.refuses_with = Some(io::ErrorKind::StorageFull));
    log(&sink, 0..3);
    let begun = Instant::now();
    assert_eq!(sink.flush(LONG), report(0, 0, 3));
    assert!((GIVE_UP..GIVE_UP * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(sink.close(Duration::ZERO), report(0, 3, 0));
    assert_eq!(sink.stats().lost_by_close, 3);
}

#[test]
fn a_full_queue_makes_lines_wait_and_keeps_each_threads_order() {
    let (sink, output) = sink(Queue { max_lines: 10, ..queued(Overflow::Block) });
    output.set(|inner| inner.is_held = true);
    thread::scope(|scope| {
        for thread in 0..4 {
            let sink = &sink;
            scope.spawn(move || log(sink, (0..500).map(|line| thread * 1_000 + line)));
        }
        output.wait_until_held();
        thread::sleep(SHORT);
        assert_eq!(sink.report().pending, 10);
        output.set(|inner| inner.is_held = false);
    });
    assert_eq!(sink.flush(LONG), report(2_000, 0, 0));
    let lines: Vec<u64> = output.lines().iter().map(|line| line.parse().unwrap()).collect();
    for thread in 0..4 {
        let of_thread: Vec<u64> = lines.iter().copied().filter(|line| line / 1_000 == thread).collect();
        assert_eq!(of_thread, (0..500).map(|line| thread * 1_000 + line).collect::<Vec<_>>());
    }
}

#[test]
fn a_wait_for_room_has_an_end_and_the_next_lines_do_not_wait_again() {
    let (sink, output) = sink(Queue { max_lines: 3, max_wait: SHORT, ..queued(Overflow::Block) });
    output.set(|inner| inner.is_held = true);
    let begun = Instant::now();
    log(&sink, 0..100);
    assert!((SHORT..SHORT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert_eq!(sink.report(), report(0, 97, 3));
    output.set(|inner| inner.is_held = false);
    assert_eq!(sink.flush(LONG), report(3, 97, 0));
    assert_eq!(output.notices()[0]["overflow"], 97);
    // Once the output takes lines again they are waited for again.
    log(&sink, 100..200);
    assert_eq!(sink.flush(LONG), report(103, 97, 0));
}

#[test]
fn a_stalled_output_costs_no_time_under_a_drop_policy_and_an_error_finds_room_where_others_do_not() {
    for overflow in [Overflow::DropNewest, Overflow::DropBelow] {
        let limits = Queue { max_lines: 100, error_wait: SHORT, ..queued(overflow) };
        let (sink, output) = sink(limits);
        output.set(|inner| inner.is_held = true);
        log(&sink, [0]);
        output.wait_until_held();
        let begun = Instant::now();
        log(&sink, 1..10_000);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert_eq!(sink.report(), report(0, 9_900, 100));
        // A quarter of the queue is for errors; they are waited for once, and then no more.
        let begun = Instant::now();
        for line in 10_000..10_025 {
            sink.write_line(Level::Error, format!("{line}\n").as_bytes());
        }
        assert_eq!(sink.report(), report(0, 9_900, 125));
        assert!(begun.elapsed() < SHORT * 10, "{:?}", begun.elapsed());
        // Beyond it one waits for room, in vain.
        let begun = Instant::now();
        sink.write_line(Level::Error, b"never\n");
        assert!((SHORT..SHORT * 10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
        output.set(|inner| inner.is_held = false);
        assert_eq!(sink.flush(LONG), report(125, 9_901, 0));
        assert_eq!(output.lines(), numbers((0..100).chain(10_000..10_025)));
        let told: u64 = output.notices().iter().map(|notice| notice["overflow"].as_u64().unwrap()).sum();
        assert_eq!(told, 9_901);
    }
}

#[test]
fn lines_of_the_level_that_is_kept_wait_and_those_below_are_dropped() {
    let limits = Queue { max_lines: 2, drop_below: Level::Warn, error_wait: LONG, ..queued(Overflow::DropBelow) };
    let (sink, output) = sink(limits);
    output.set(|inner| inner.is_held = true);
    log(&sink, 0..2);
    output.wait_until_held();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| sink.write_line(Level::Warn, b"warned\n"));
        while sink.shared.lock().waiting_for_room == 0 {
            thread::yield_now();
        }
        log(&sink, [2]);
        output.set(|inner| inner.is_held = false);
        waiting.join().unwrap();
    });
    assert_eq!(sink.flush(LONG), report(3, 1, 0));
    assert_eq!(output.lines(), ["0", "1", "warned"]);
}

#[test]
fn the_queue_is_bounded_in_bytes_too_and_takes_a_longer_line_alone() {
    let (sink, output) = sink(Queue { max_bytes: 64 * 1024, ..queued(Overflow::DropNewest) });
    output.set(|inner| inner.is_held = true);
    let line = [vec![b'x'; 1_023], vec![b'\n']].concat();
    for _ in 0..100 {
        sink.write_line(Level::Info, &line);
    }
    assert_eq!(sink.report(), report(0, 36, 64));
    assert_eq!(sink.stats().pending_bytes, 64 * 1024);
    output.set(|inner| inner.is_held = false);
    sink.flush(LONG);
    sink.write_line(Level::Info, &[vec![b'y'; 100_000], vec![b'\n']].concat());
    assert_eq!(sink.flush(LONG), report(65, 36, 0));
}

#[test]
fn drops_are_told_within_a_second_without_a_flush() {
    let (sink, output) = sink(Queue { max_lines: 10, ..queued(Overflow::DropNewest) });
    output.set(|inner| inner.is_held = true);
    log(&sink, 0..30);
    output.set(|inner| inner.is_held = false);
    let begun = Instant::now();
    let told = || output.notices().iter().map(|notice| notice["overflow"].as_u64().unwrap()).sum::<u64>();
    while told() < 20 {
        assert!(begun.elapsed() < Duration::from_secs(1), "{}", output.text());
        thread::sleep(Duration::from_millis(5));
    }
    // The next ones too, although a notice was just given.
    output.set(|inner| inner.is_held = true);
    log(&sink, 0..30);
    output.set(|inner| inner.is_held = false);
    let begun = Instant::now();
    while told() < 40 {
        assert!(begun.elapsed() < Duration::from_secs(1), "{}", output.text());
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(sink.flush(LONG).lost, 40);
    assert_eq!(sink.stats().notices as usize, output.notices().len());
}

#[test]
fn a_close_within_its_time_loses_nothing_and_lines_after_it_are_counted() {
    let (sink, output) = sink(queued(Overflow::Block));
    log(&sink, 0..1_000);
    assert_eq!(sink.close(LONG), report(1_000, 0, 0));
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

/// Panics at some of its calls, and is an output otherwise.
struct Panics(Output, AtomicU64);

impl Write for Panics {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 1 {
            self.0.write(&bytes[..2])?;
            self.0.flush()?;
            panic!("the disk is on fire");
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_writer_that_panics_loses_what_it_had_and_stops_neither_the_caller_nor_the_lines_after() {
    for limits in [Queue::default(), queued(Overflow::Block)] {
        let output = Output::default();
        let sink = Sink::to_stream(Box::new(Panics(output.clone(), AtomicU64::new(0))), limits, style());
        for line in ["first\n", "second\n", "third\n"] {
            sink.write_line(Level::Error, line.as_bytes());
            sink.flush(LONG);
        }
        assert_eq!(sink.flush(LONG), report(2, 1, 0));
        let text = output.text();
        assert!(text.starts_with("first\nse\n") && text.contains("\nthird\n"), "{text}");
        assert_eq!(output.notices()[0]["failed"], 1);
    }
}

struct LogsItself(Output, Arc<Mutex<Option<std::sync::Weak<Sink>>>>);

impl Write for LogsItself {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(sink) = self.1.lock().unwrap().as_ref().and_then(std::sync::Weak::upgrade) {
            sink.write_line(Level::Error, b"from inside\n");
            sink.flush(LONG);
            sink.reopen();
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_writer_that_logs_itself_loses_that_line_and_does_not_hang() {
    for limits in [Queue::default(), queued(Overflow::Block)] {
        let (output, slot) = (Output::default(), Arc::default());
        let writer = LogsItself(output.clone(), Arc::clone(&slot));
        let sink = Arc::new(Sink::to_stream(Box::new(writer), limits, style()));
        *slot.lock().unwrap() = Some(Arc::downgrade(&sink));
        log(&sink, [0]);
        let flushed = sink.flush(LONG);
        assert_eq!((flushed.written, flushed.pending), (1, 0));
        *slot.lock().unwrap() = None;
        log(&sink, [1]);
        assert_eq!(sink.flush(LONG).written, 2);
        assert_eq!(output.lines(), ["0", "1"]);
        let told: u64 = output.notices().iter().map(|notice| notice["failed"].as_u64().unwrap()).sum();
        let lost = sink.report().lost;
        assert!((1..=lost).contains(&told), "{told} of {lost}");
    }
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
