use std::sync::{Arc, Mutex};

use gone_clog::{Clog, Level, Logger, with_trace_id};
use tracing::instrument::WithSubscriber;

use crate::capture::{Captured, captured, json, logged, open};

/// The exit codes that a hook was called with, each with the number of lines written by then.
type Calls = Arc<Mutex<Vec<(i32, usize)>>>;

/// A log whose hook keeps its calls.
fn with_hook(config: gone_clog::ClogConfig) -> (Clog, Captured, Calls) {
    let calls = Calls::default();
    let written = Captured::default();
    let hook = {
        let (calls, written) = (Arc::clone(&calls), written.clone());
        Arc::new(move |code| calls.lock().unwrap().push((code, written.lines().len())))
    };
    let clog = Clog::builder(config).on_fatal(hook).writer(written.clone()).open().unwrap();
    (clog, written, calls)
}

// CLG-4
#[tokio::test]
async fn a_fatal_line_is_written_and_then_the_exit_hook_is_called_with_code_1() {
    let (clog, written, calls) = with_hook(json());
    let log = clog.logger().namespace("boot");
    with_trace_id("t-1", async { log.fatal("cannot go on") }).with_subscriber(clog.subscriber()).await;
    assert_eq!(*calls.lock().unwrap(), [(1, 1)]);
    let object = written.object();
    assert_eq!(object.text("level"), "fatal");
    assert_eq!(object.text("msg"), "cannot go on");
    assert_eq!(object.text("namespace"), "app.boot");
    assert_eq!(object.text("trace_id"), "t-1");
    assert!(object.text("caller").contains("fatal.rs:"), "{object:?}");
    assert!(clog.had_fatal());
}

// CLG-4
#[test]
fn a_logger_bound_to_no_log_reaches_the_hook_of_the_current_one() {
    let (clog, _, calls) = with_hook(json());
    tracing::subscriber::with_default(clog.subscriber(), || {
        Logger::root("other").fatal("cannot go on");
        Logger::root("other").at(Level::Fatal).field("attempt", 3).write("cannot go on");
    });
    assert_eq!(*calls.lock().unwrap(), [(1, 1), (1, 2)]);
}

// CLG-4
#[test]
fn a_fatal_line_reaches_the_hook_of_its_log_under_another_subscriber_too() {
    let (clog, _, calls) = with_hook(json());
    let (other, elsewhere) = captured(json());
    tracing::subscriber::with_default(other.subscriber(), || clog.logger().fatal("cannot go on"));
    assert_eq!(*calls.lock().unwrap(), [(1, 0)]);
    assert_eq!(elsewhere.object().text("level"), "fatal");
    assert!(!other.had_fatal());
}

#[test]
fn without_a_hook_a_fatal_line_is_remembered_and_the_program_goes_on() {
    let (clog, captured) = open(Clog::builder(json()));
    assert!(!clog.had_fatal());
    tracing::subscriber::with_default(clog.subscriber(), || clog.logger().fatal("cannot go on"));
    assert!(clog.had_fatal());
    assert_eq!(captured.objects().len(), 1);
}

#[test]
fn at_level_fatal_only_fatal_lines_are_written() {
    let mut config = json();
    config.level = Level::Fatal;
    let captured = logged(config, |clog| {
        clog.logger().error("an error");
        tracing::error!("an error");
        // The name alone makes no fatal line.
        tracing::event!(name: "fatal", target: "clog", tracing::Level::ERROR, "an error");
        clog.logger().fatal("the end");
    });
    assert_eq!(captured.object().text("msg"), "the end");
}

#[test]
fn a_hook_may_log() {
    let log = Arc::new(Mutex::new(None::<Logger>));
    let hook = {
        let log = Arc::clone(&log);
        Arc::new(move |code| log.lock().unwrap().as_ref().unwrap().info(format!("stopping with {code}")))
    };
    let (clog, captured) = open(Clog::builder(json()).on_fatal(hook));
    *log.lock().unwrap() = Some(clog.logger());
    tracing::subscriber::with_default(clog.subscriber(), || clog.logger().fatal("the end"));
    let messages: Vec<_> = captured.objects().iter().map(|o| o.text("msg").to_owned()).collect();
    assert_eq!(messages, ["the end", "stopping with 1"]);
}
