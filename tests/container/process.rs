//! Real processes and real signals: this test binary runs itself as the program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use gone::prelude::*;

use crate::bare;

/// Long enough for any machine; a program that lives longer is killed, and its test fails.
const PATIENCE: Duration = Duration::from_secs(20);
const CASE: &str = "GONE_TEST_CASE";

/// Says what it does; hangs or fails where its case says so.
#[derive(Goner)]
struct Hooks;

fn case(name: &str) -> bool {
    std::env::var(CASE).is_ok_and(|case| case == name)
}

fn say(line: &str) {
    println!("{line}");
}

impl Init for Hooks {
    async fn init(&mut self) -> gone::Result<()> {
        say("init");
        Ok(())
    }
}

impl Start for Hooks {
    async fn start(&self) -> gone::Result<()> {
        say("start");
        if case("hangs in start") || case("hangs in the rollback") {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

impl Run for Hooks {
    /// Begins when the boot is over: on one thread, not before `serve` waits for signals.
    async fn run(&self, shutdown: ShutdownToken) -> gone::Result<()> {
        if case("serves") {
            say("serving");
        }
        shutdown.cancelled().await;
        Ok(())
    }
}

impl Stop for Hooks {
    async fn stop(&self) -> gone::Result<()> {
        say("stop");
        if case("hangs in stop") {
            std::future::pending::<()>().await;
        }
        if case("fails in stop") {
            gone::bail!("cannot stop");
        }
        Ok(())
    }
}

impl Close for Hooks {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        say("close");
        if case("hangs in the rollback") {
            std::future::pending::<()>().await;
        }
        Ok(CloseReport::clean())
    }
}

/// A background task that fails.
#[derive(Goner)]
struct Fails;

impl Run for Fails {
    async fn run(&self, _: ShutdownToken) -> gone::Result<()> {
        gone::bail!("the background is gone")
    }
}

/// The program: does nothing unless a test of this file runs it.
#[test]
fn child() {
    if std::env::var_os(CASE).is_none() {
        return;
    }
    let program = async {
        let budget = if case("hangs in the rollback") { PATIENCE } else { Duration::from_millis(200) };
        let builder = bare().load(Hooks::goner()).options(|it| it.shutdown = budget);
        let builder = if case("fails in the background") { builder.load(Fails::goner()) } else { builder };
        if case("serves") || case("fails in the background") {
            return builder.serve().await;
        }
        builder
            .run(async |shutdown: Shutdown| {
                say("function");
                if case("waits") || case("hangs in stop") {
                    shutdown.requested().await;
                    say("told");
                }
                if case("is deaf") {
                    std::future::pending::<()>().await;
                }
                if case("fails in the function") {
                    gone::bail!("the function's own");
                }
                Ok(())
            })
            .await
    };
    let code = match gone::__private::runtime(true, None).unwrap().block_on(program) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error:?}");
            error.exit_code()
        }
    };
    std::process::exit(code.into());
}

struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Program {
    fn start(case: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["process::child", "--exact", "--nocapture", "--test-threads=1"]).env(CASE, case);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let id = child.id().to_string();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            drop(Command::new("kill").args(["-KILL", &id]).stderr(Stdio::null()).status());
        });
        Program { child, out }
    }

    fn until(&mut self, expected: &str) {
        let mut line = String::new();
        // The harness may have begun a line of its own.
        while !line.trim_end().ends_with(expected) {
            line.clear();
            assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "it ended before it said {expected:?}");
        }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Its exit code, the rest of what it said, and its errors.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut errors) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), out, errors)
    }
}

#[test]
fn a_clean_end_is_zero_and_a_failed_function_one_after_an_orderly_stop() {
    let (code, out, errors) = Program::start("ends well").end();
    assert_eq!(code, Some(0), "{errors}");
    assert!(out.contains("init\nstart\nfunction\nstop\nclose\n"), "{out}");
    let (code, out, errors) = Program::start("fails in the function").end();
    assert_eq!(code, Some(1));
    assert!(out.ends_with("function\nstop\nclose\n") && errors.contains("the function's own"), "{out}{errors}");
}

#[test]
fn only_a_failed_stop_is_two() {
    let (code, out, errors) = Program::start("fails in stop").end();
    assert_eq!(code, Some(2));
    assert!(out.ends_with("stop\nclose\n") && errors.contains("`Hooks` failed in stop"), "{out}{errors}");
}

#[test]
fn one_signal_while_it_serves_or_runs_is_a_clean_end() {
    for (case, last) in [("serves", "serving"), ("waits", "function")] {
        for signal in ["TERM", "INT"] {
            let mut program = Program::start(case);
            program.until(last);
            program.signal(signal);
            let (code, out, errors) = program.end();
            assert_eq!(code, Some(0), "{case} {signal}: {errors}");
            assert!(out.ends_with("stop\nclose\n"), "{out}");
            assert_eq!(out.contains("told"), case == "waits", "{out}");
        }
    }
}

#[test]
fn a_function_that_does_not_return_when_told_is_dropped_after_the_shutdown_budget() {
    let mut program = Program::start("is deaf");
    program.until("function");
    program.signal("TERM");
    let (code, out, errors) = program.end();
    assert_eq!((code, out.as_str()), (Some(0), "stop\nclose\n"), "{errors}");
}

// container C-82
#[test]
fn a_background_task_that_fails_takes_the_application_down_in_order_and_is_what_it_ends_with() {
    let (code, out, errors) = Program::start("fails in the background").end();
    assert_eq!(code, Some(1));
    assert!(out.ends_with("start\nstop\nclose\n"), "{out}");
    assert!(errors.contains("`Fails` failed in run") && errors.contains("the background is gone"), "{errors}");
}

#[test]
fn a_signal_before_it_is_ready_rolls_back_and_says_so_in_the_code() {
    for (signal, expected) in [("TERM", 143), ("INT", 130)] {
        let mut program = Program::start("hangs in start");
        program.until("start");
        program.signal(signal);
        let (code, out, errors) = program.end();
        assert_eq!(code, Some(expected), "{errors}");
        assert_eq!(out, "close\n", "built, so closed; not started, so not stopped");
        assert!(errors.contains("before the application was ready"), "{errors}");
    }
}

// container C-93
#[test]
fn a_second_signal_ends_at_once_and_names_what_did_not_finish() {
    let mut program = Program::start("hangs in stop");
    program.until("function");
    program.signal("TERM");
    program.until("stop");
    program.signal("TERM");
    let (code, out, errors) = program.end();
    assert_eq!(code, Some(143));
    assert!(errors.contains("did not finish: `Hooks` in stop"), "{errors}");
    assert!(!out.contains("close"), "{out}");
}

#[test]
fn a_second_signal_while_the_boot_rolls_back_ends_at_once_too() {
    let mut program = Program::start("hangs in the rollback");
    program.until("start");
    program.signal("INT");
    program.until("close");
    program.signal("TERM");
    let (code, _, errors) = program.end();
    assert_eq!(code, Some(143));
    assert!(errors.contains("did not finish: `Hooks` in close"), "{errors}");
}
