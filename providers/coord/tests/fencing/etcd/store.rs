//! A store that fences, and a witness who sees all who come to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sections: usize,
    pub(crate) accepted: usize,
    /// Writes that came after another holder had come, and were refused.
    pub(crate) stale: usize,
    pub(crate) done: Vec<Account>,
    /// What must not happen.
    pub(crate) faults: Vec<String>,
    highest: u64,
    inside: Option<(usize, u64)>,
    opened: BTreeMap<usize, Instant>,
    stopped: BTreeMap<usize, Instant>,
}

/// What a contender says at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Guarded writes that were answered.
    pub(crate) written: u64,
    /// Those that were refused because the lock was lost.
    pub(crate) refused: u64,
    /// Those of which it is not known.
    pub(crate) unknown: u64,
    /// Locks that could not be taken.
    pub(crate) failed: u64,
}

/// What a contender says, and the first word of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It holds the lock with that number.
    Open(u64),
    Write(u64),
    Close(u64),
    Done(Account),
    /// It has seen what must not happen: a write was refused, and it holds the lock.
    Fault(u64),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(fencing) => write!(f, "open {fencing}"),
            Self::Write(fencing) => write!(f, "write {fencing}"),
            Self::Close(fencing) => write!(f, "close {fencing}"),
            Self::Done(Account { written, refused, unknown, failed }) => {
                write!(f, "done {written} {refused} {unknown} {failed}")
            }
            Self::Fault(fencing) => write!(f, "fault {fencing}"),
        }
    }
}

impl Said {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let word = words.next()?;
        let numbers: Vec<u64> = words.filter_map(|number| number.parse().ok()).collect();
        Some(match (word, numbers.as_slice()) {
            ("open", [fencing]) => Self::Open(*fencing),
            ("write", [fencing]) => Self::Write(*fencing),
            ("close", [fencing]) => Self::Close(*fencing),
            ("done", &[written, refused, unknown, failed]) => Self::Done(Account { written, refused, unknown, failed }),
            ("fault", [fencing]) => Self::Fault(*fencing),
            _ => return None,
        })
    }
}

impl Seen {
    /// A contender is about to be stopped.
    pub(crate) fn stop(&mut self, contender: usize) {
        self.stopped.insert(contender, Instant::now());
    }

    /// Whether it was stopped since it came in.
    fn was_stopped(&self, contender: usize) -> bool {
        match (self.stopped.get(&contender), self.opened.get(&contender)) {
            (Some(stopped), Some(opened)) => stopped >= opened,
            (stopped, _) => stopped.is_some(),
        }
    }

    /// Whether the answer is yes.
    fn hear(&mut self, contender: usize, said: Said) -> bool {
        match said {
            Said::Open(fencing) => {
                self.sections += 1;
                if let Some((other, with)) = self.inside.replace((contender, fencing))
                    && !self.was_stopped(other)
                {
                    self.faults.push(format!("{contender} came with {fencing} while {other} was inside with {with}"));
                }
                // Only one that was stopped between taking the lock and coming here may be late.
                if fencing <= self.highest && !self.was_stopped(contender) {
                    self.faults.push(format!("{contender} came with {fencing} after {}", self.highest));
                }
                self.opened.insert(contender, Instant::now());
                self.highest = self.highest.max(fencing);
                true
            }
            Said::Write(fencing) if fencing >= self.highest => {
                self.accepted += 1;
                true
            }
            Said::Write(fencing) => {
                self.stale += 1;
                if !self.was_stopped(contender) {
                    self.faults.push(format!("{contender} was refused with {fencing} and had not been stopped"));
                }
                false
            }
            Said::Close(fencing) => {
                self.inside.take_if(|inside| *inside == (contender, fencing));
                true
            }
            Said::Done(account) => {
                self.done.push(account);
                true
            }
            Said::Fault(fencing) => {
                self.faults.push(format!("{contender} was refused with {fencing} and still held the lock"));
                true
            }
        }
    }
}

/// Serves the store; tells of each who comes in.
pub(crate) async fn serve(seen: Arc<Mutex<Seen>>, opened: mpsc::UnboundedSender<usize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, opened) = (seen.clone(), opened.clone());
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                    let (contender, said) = line.trim().split_once(' ').unwrap();
                    let (contender, said) = (contender.parse().unwrap(), Said::read(said).unwrap());
                    let answer = if seen.lock().unwrap().hear(contender, said) { "yes\n" } else { "no\n" };
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                    if matches!(said, Said::Open(_)) {
                        let _ = opened.send(contender);
                    }
                    line.clear();
                }
            });
        }
    });
    address
}

/// A contender's connection to the store.
pub(crate) struct Client {
    contender: usize,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(address: &str, contender: usize) -> Self {
        Self { contender, stream: BufReader::new(TcpStream::connect(address).await.unwrap()) }
    }

    pub(crate) async fn say(&mut self, said: Said) -> bool {
        self.stream.write_all(format!("{} {said}\n", self.contender).as_bytes()).await.unwrap();
        let mut answer = String::new();
        self.stream.read_line(&mut answer).await.unwrap();
        answer.trim() == "yes"
    }
}
