use std::time::{Duration, SystemTime};

use gone_clog::{Clog, ClogConfig, Level};
use gone_kit::ManualClock;

use crate::capture::{Captured, Object, json, open};

/// A log whose clock is moved by hand, from a full second on.
fn with_clock(config: ClogConfig) -> (Clog, Captured, ManualClock) {
    let (clock, hand) = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let (clog, captured) = open(Clog::builder(config).clock(clock));
    (clog, captured, hand)
}

fn sampled(first: u32, then_every: u32) -> ClogConfig {
    let mut config = json();
    (config.sampling.first, config.sampling.then_every) = (first, then_every);
    config
}

fn suppressed(object: &Object) -> u64 {
    object.get("suppressed").map_or(0, |number| number.as_u64().unwrap())
}

#[test]
fn of_many_equal_lines_some_are_written_and_tell_how_many_are_not() {
    let (clog, captured, hand) = with_clock(sampled(3, 10));
    tracing::subscriber::with_default(clog.subscriber(), || {
        let log = clog.logger().namespace("store");
        let storm = || (0..25).for_each(|_| log.info("storm"));
        storm();
        log.info("another");
        hand.advance(Duration::from_secs(1));
        storm();
    });
    let seen: Vec<_> =
        captured.objects().iter().map(|object| (object.text("msg").to_owned(), suppressed(object))).collect();
    let storm = |count| ("storm".to_owned(), count);
    let expected = [
        storm(0),
        storm(0),
        storm(0),
        storm(9),
        storm(9),
        ("another".to_owned(), 0),
        storm(2),
        storm(0),
        storm(0),
        storm(9),
        storm(9),
    ];
    assert_eq!(seen, expected);
    assert_eq!(clog.suppressed(), 40);
}

#[test]
fn a_storm_that_is_over_is_told_by_a_line_of_its_own() {
    let (clog, captured, hand) = with_clock(sampled(1, 0));
    tracing::subscriber::with_default(clog.subscriber(), || {
        let log = clog.logger().namespace("store");
        for _ in 0..100 {
            log.warn("storm\n");
        }
        hand.advance(Duration::from_secs(2));
        log.info("calm");
    });
    let objects = captured.objects();
    let notice = &objects[1];
    assert_eq!(notice.text("msg"), "lines left out: storm\n");
    assert_eq!((notice.text("level"), notice.text("namespace"), suppressed(notice)), ("warn", "app.store", 99));
    assert_eq!(notice.text("caller"), objects[0].text("caller"));
    assert_eq!(objects[2].text("msg"), "calm");
    assert_eq!(objects.len(), 3);
}

#[test]
fn every_line_is_written_or_told_when_the_log_is_flushed() {
    let (clog, captured, hand) = with_clock(sampled(2, 7));
    let mut logged = 0;
    tracing::subscriber::with_default(clog.subscriber(), || {
        for round in 0..400_u64 {
            for _ in 0..round % 9 {
                tracing::info!("message {}", round % 50);
                logged += 1;
            }
            if round % 13 == 0 {
                hand.advance(Duration::from_secs(1));
            }
        }
    });
    let report = clog.flush(Duration::from_secs(5));
    let objects = captured.objects();
    let notices = objects.iter().filter(|object| object.text("msg").starts_with("lines left out: ")).count() as u64;
    let told: u64 = objects.iter().map(suppressed).sum();
    assert_eq!(objects.len() as u64 - notices + told, logged);
    assert_eq!((told, report.written), (clog.suppressed(), objects.len() as u64));
    assert!(told > 100);
    // Told once.
    assert_eq!(clog.close(Duration::from_secs(5)).written, report.written);
}

#[test]
fn errors_are_never_left_out_and_by_default_nothing_is() {
    let (clog, captured, _) = with_clock(sampled(1, 0));
    tracing::subscriber::with_default(clog.subscriber(), || {
        for _ in 0..50 {
            clog.logger().error("failed");
            clog.logger().at(Level::Fatal).write("the end");
        }
    });
    assert_eq!(captured.objects().len(), 100);
    let (clog, captured, _) = with_clock(json());
    tracing::subscriber::with_default(clog.subscriber(), || (0..1_000).for_each(|_| clog.logger().info("same")));
    assert_eq!((captured.objects().len(), clog.suppressed()), (1_000, 0));
}
