//! Outputs that fail.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

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

struct LogsItself(Output, Arc<Mutex<Option<Weak<Sink>>>>);

impl Write for LogsItself {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(sink) = self.1.lock().unwrap().as_ref().and_then(Weak::upgrade) {
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
