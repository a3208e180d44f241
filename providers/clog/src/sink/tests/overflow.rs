//! A full queue.

use std::thread;

use super::*;

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
fn a_line_costs_no_allocation_once_the_buffers_have_grown() {
    for limits in [Queue::default(), queued(Overflow::Block)] {
        let sink = Sink::to_stream(Box::new(io::sink()), limits, style());
        let line = [vec![b'x'; 300], vec![b'\n']].concat();
        let log = |lines| (0..lines).for_each(|_| sink.write_line(Level::Info, &line));
        // Both buffers hold more than will be needed.
        for _ in 0..2 {
            let mut state = sink.shared.lock();
            state.push(&line);
            let mut writer = state.writer.take().unwrap();
            for _ in 0..2_000 {
                state.push(&line);
            }
            state.take_batch(&mut writer);
            state.writer = Some(writer);
            drop(state);
            sink.flush(LONG);
        }
        let counted = allocation_counter::measure(|| log(1_000));
        assert_eq!(counted.count_total, 0, "{counted:?}");
        assert_eq!(sink.flush(LONG), report(5_002, 0, 0));
    }
}
