//! A real server: started on a port and in a folder of its own, ready when it answers, and gone with the test.

/// How a server that has only one form is had: one for a test alone, or one for all tests.
macro_rules! started {
    ($software:ident) => {
        impl $software {
            /// Starts one and waits until it answers. A dropped future leaves nothing running.
            ///
            /// # Errors
            ///
            /// As [`Server::new`].
            pub async fn start() -> $crate::error::Result<Server<Self>> {
                Server::new(Self).await
            }

            /// One for all tests of this binary: each keeps to what is its own, and none stops it.
            ///
            /// # Panics
            ///
            /// When it does not start, with the reason.
            pub async fn shared() -> &'static Server<Self> {
                static SHARED: tokio::sync::OnceCell<Server<$software>> = tokio::sync::OnceCell::const_new();
                match SHARED.get_or_try_init(Self::start).await {
                    Ok(server) => server,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
}

mod certificates;
mod etcd;
mod etcd_cluster;
mod mariadb;
mod place;
mod postgres;
mod probe;
mod redis;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::{BenchError, Result};
use crate::guarded::{Guarded, Output, Reach};

pub use certificates::{Certificate, Certificates};
pub use etcd::Etcd;
pub use etcd_cluster::EtcdCluster;
pub use mariadb::MariaDb;
pub use place::Place;
use place::ids_of;
pub use postgres::Postgres;
pub use redis::Redis;

/// How long a server may take until it answers, on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often another port is tried when somebody was faster.
const TRIES: usize = 5;
/// How much of its log is shown when it does not start.
const LOG_LINES: usize = 30;

/// What tells one server from another: how it is started, and how one sees that it answers.
pub trait Software: Send + Sync + 'static {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Its package in Debian.
    fn package(&self) -> &'static str;

    /// The user that it runs as when we are root, if it refuses root. The package makes that user.
    fn user(&self) -> Option<&'static str> {
        None
    }

    /// How many ports of its own it listens on.
    fn ports(&self) -> usize {
        1
    }

    /// Commands that make the data folder, run once, one after the other, before the first start.
    fn prepare(&self, place: &Place) -> Vec<Command> {
        let _ = place;
        Vec::new()
    }

    /// The command that runs it in the foreground.
    fn command(&self, place: &Place) -> Command;

    /// Asks it something that only a server that is ready answers well. Each call takes a second at most.
    fn answers(&self, place: &Place) -> io::Result<bool>;

    /// The signal that asks it to stop without waiting for its clients.
    fn stop_signal(&self) -> Signal {
        Signal::TERM
    }

    /// How long it may take then.
    fn stops_within(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// A server of its own for a test. It dies with the last clone, and with the test's process, however that ends.
pub struct Server<S: Software> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    software: S,
    /// None when it was stopped or killed. Dropped before the place, which it lives in.
    process: Mutex<Option<Guarded>>,
    place: Place,
}

impl<S: Software> Clone for Server<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S: Software> Server<S> {
    /// Starts one and waits until it answers. A dropped future leaves nothing running.
    ///
    /// # Errors
    ///
    /// It is not installed, did not start (the end of its log is shown), or does not answer.
    pub async fn new(software: S) -> Result<Self> {
        blocking(move || Self::new_blocking(software)).await
    }

    /// The same, outside of async code.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn new_blocking(software: S) -> Result<Self> {
        let mut software = software;
        for _ in 1..TRIES {
            let place = place_for(&software)?;
            match Self::try_in(software, place) {
                Ok(server) => return Ok(server),
                Err((back, error)) if error.to_string().to_lowercase().contains("already in use") => software = back,
                Err((_, error)) => return Err(error),
            }
        }
        let place = place_for(&software)?;
        Self::try_in(software, place).map_err(|(_, error)| error)
    }

    fn try_in(software: S, place: Place) -> std::result::Result<Self, (S, BenchError)> {
        let inner = Inner { software, process: Mutex::new(None), place };
        match inner.prepare().and_then(|()| inner.start()) {
            Ok(()) => Ok(Self { inner: Arc::new(inner) }),
            Err(error) => Err((inner.software, error)),
        }
    }

    /// What was started.
    pub fn software(&self) -> &S {
        &self.inner.software
    }

    /// Its folder and its ports.
    pub fn place(&self) -> &Place {
        &self.inner.place
    }

    /// `127.0.0.1:port`: where its clients connect.
    pub fn address(&self) -> String {
        self.inner.place.address(0)
    }

    /// The number of its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.inner.lock().as_ref().map(Guarded::id)
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.inner.log()
    }

    /// Starts it again after [`stop`](Self::stop) or [`kill9`](Self::kill9): same port, same data. One that runs is left alone.
    /// A dropped future lets it start.
    ///
    /// # Errors
    ///
    /// It did not start (the end of its log is shown), or does not answer.
    pub async fn start(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.start()).await
    }

    /// Asks it to stop and waits until it has. A dropped future lets it stop.
    ///
    /// # Errors
    ///
    /// It did not stop in time and was killed.
    pub async fn stop(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.stop()).await
    }

    /// [`stop`](Self::stop) and [`start`](Self::start). A dropped future lets it stop and start.
    ///
    /// # Errors
    ///
    /// As those two.
    pub async fn restart(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.stop().and_then(|()| inner.start())).await
    }

    /// Kills it: its connections are reset by the kernel, nothing is cleaned up. Returns when it is gone.
    pub fn kill9(&self) {
        if let Some(process) = self.inner.lock().take() {
            process.kill();
        }
    }

    /// Stops it from doing anything (SIGSTOP): connections stay and are accepted, nothing is answered. Returns when it is so.
    pub fn pause(&self) {
        if let Some(process) = &*self.inner.lock() {
            process.pause();
        }
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        if let Some(process) = &*self.inner.lock() {
            process.resume();
        }
    }
}

impl<S: Software> Inner<S> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Guarded>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepare(&self) -> Result<()> {
        for command in self.software.prepare(&self.place) {
            let log = self.open_log()?;
            let process = self.spawn(&command, log)?;
            if !process.await_end(READY_WITHIN) {
                return Err(self.failed("did not prepare its data in time"));
            }
        }
        Ok(())
    }

    fn start(&self) -> Result<()> {
        let mut running = self.lock();
        if running.as_ref().is_some_and(|process| !process.has_ended()) {
            return Ok(());
        }
        drop(running.take());
        let log = self.open_log()?;
        let process = self.spawn(&self.software.command(&self.place), log)?;
        let until = Instant::now() + READY_WITHIN;
        while !self.software.answers(&self.place).unwrap_or(false) {
            if process.has_ended() {
                return Err(self.failed("ended before it was ready"));
            }
            if Instant::now() >= until {
                return Err(self.failed("does not answer"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if process.has_ended() {
            return Err(self.failed("ended, and somebody else answers at its port"));
        }
        *running = Some(process);
        Ok(())
    }

    fn stop(&self) -> Result<()> {
        let Some(process) = self.lock().take() else { return Ok(()) };
        // One that is paused could not see the request.
        process.resume();
        process.signal(self.software.stop_signal());
        let in_time = process.await_end(self.software.stops_within());
        drop(process);
        match in_time {
            true => Ok(()),
            false => Err(self.failed("did not stop when asked to, and was killed")),
        }
    }

    /// Runs a command as the server's user.
    fn spawn(&self, command: &Command, log: File) -> Result<Guarded> {
        let program = Path::new(command.get_program());
        if !is_installed(program) {
            return Err(not_installed(&self.software, &format!("program {}", program.display())));
        }
        let mut whole = match user_of(&self.software) {
            None => Command::new(program),
            Some(user) => {
                let mut whole = Command::new("setpriv");
                whole.args(["--reuid", user, "--regid", user, "--init-groups", "--"]).arg(program);
                whole
            }
        };
        whole.args(command.get_args()).env("TMPDIR", self.place.folder());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => whole.env(name, value),
                None => whole.env_remove(name),
            };
        }
        Guarded::start(&whole, Output::Log(log), Reach::Children).map(|(process, _)| process)
    }

    fn open_log(&self) -> Result<File> {
        let file = self.place.log();
        let open = OpenOptions::new().create(true).append(true).open(&file);
        open.map_err(|error| BenchError::of(file.display(), error))
    }

    fn log(&self) -> String {
        let text = std::fs::read(self.place.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn failed(&self, what: &str) -> BenchError {
        BenchError::new(format!("{} {what}; the end of its log:\n{}", self.software.name(), self.log()))
    }
}

/// The user that a server is run as, if not as we are.
fn user_of(software: &impl Software) -> Option<&'static str> {
    software.user().filter(|_| rustix::process::geteuid().is_root())
}

/// A new place for a server, which its user may enter.
fn place_for(software: &impl Software) -> Result<Place> {
    let owner = match user_of(software) {
        None => None,
        Some(user) => Some(ids_of(user).ok_or_else(|| not_installed(software, &format!("user {user}")))?),
    };
    Place::new(software.name(), software.ports(), owner)
}

fn not_installed(software: &impl Software, lacks: &str) -> BenchError {
    BenchError::new(format!(
        "{} is not installed, there is no {lacks}: `apt-get install {}`, or let `cargo xtask test` do it",
        software.name(),
        software.package(),
    ))
}

/// A program by its path, or one to be found in the folders that Debian has programs in.
fn is_installed(program: &Path) -> bool {
    if program.is_absolute() {
        return program.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs what blocks where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(BenchError::of("the runtime ended", error)),
        },
    }
}
