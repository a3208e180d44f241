//! A second process of the same test.

use std::io::{BufRead, Write};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;

use crate::error::{BenchError, Result};
use crate::guarded::{Guarded, Output, Reach};

/// What names the role in the environment of the second process.
const VARIABLE: &str = "GONE_TEST_ROLE";
/// What [`Role::say`] puts before its lines, to tell them from those of the test harness.
const SAYS: &str = "role says: ";
/// More lines than these, unread, hold the process up.
const LINES: usize = 1_024;

/// A process that runs the same test binary and therein one test, which plays another role there. It dies with this handle,
/// and with the test's process, however that ends.
///
/// ```no_run
/// # use gone_test_bench::{Result, Role};
/// # use std::time::Duration;
/// #[tokio::test]
/// # async fn x() {}
/// async fn a_paused_holder_learns_of_its_loss() -> Result<()> {
///     if Role::is("holder") {
///         let url = std::env::var("URL").unwrap();
///         Role::say(&format!("held at {url}"));
///         std::future::pending::<()>().await;
///     }
///     let mut holder = Role::start("a_paused_holder_learns_of_its_loss", "holder", &[("URL", "etcd:…")])?;
///     assert_eq!(holder.line(Duration::from_secs(10)).await?, "held at etcd:…");
///     holder.pause();
///     Ok(())
/// }
/// ```
pub struct Role {
    name: String,
    process: Guarded,
    lines: mpsc::Receiver<String>,
}

impl Role {
    /// Whether this process is to play the role.
    pub fn is(name: &str) -> bool {
        std::env::var(VARIABLE).is_ok_and(|role| role == name)
    }

    /// Tells the test's first process something.
    pub fn say(line: &str) {
        let mut out = std::io::stdout().lock();
        // The harness may have begun a line of its own. If nobody listens, the process is about to be killed.
        let _ = out.write_all(format!("\n{SAYS}{line}\n").as_bytes()).and_then(|()| out.flush());
    }

    /// Starts a process that runs the test (its name as the harness prints it, with its modules) in a role.
    ///
    /// # Errors
    ///
    /// No process can be started.
    pub fn start(test: &str, name: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let binary = std::env::current_exe().map_err(|error| BenchError::of("the test's own binary", error))?;
        let mut command = Command::new(binary);
        command.args([test, "--exact", "--nocapture", "--include-ignored"]);
        command.env(VARIABLE, name).envs(environment.iter().copied());
        let (process, output) = Guarded::start(&command, Output::Lines, Reach::Alone)?;
        let (sender, lines) = mpsc::channel(LINES);
        std::thread::spawn(move || {
            let lines = output.lines().map_while(std::io::Result::ok);
            for said in lines.filter_map(|line| Some(line.strip_prefix(SAYS)?.to_owned())) {
                if sender.blocking_send(said).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name: name.to_owned(), process, lines })
    }

    /// The next line that it says. A dropped future loses none.
    ///
    /// # Errors
    ///
    /// It says nothing in that time, or it has ended.
    pub async fn line(&mut self, within: Duration) -> Result<String> {
        match tokio::time::timeout(within, self.lines.recv()).await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(BenchError::new(format!("`{}` has ended", self.name))),
            Err(_) => Err(BenchError::new(format!("`{}` said nothing within {within:?}", self.name))),
        }
    }

    /// A line that it has said already.
    pub fn said(&mut self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.process.has_ended()
    }

    /// Stops it from doing anything (SIGSTOP). Returns when it is so.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Sends it a signal, such as [`Signal::TERM`].
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Kills it. Returns when it is gone, at the latest after five seconds.
    pub fn kill9(&self) {
        self.process.kill();
    }
}
