//! A store in memory behind a network that fails as it is told: for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};
use gone_kit::{Clock, Outcome};
use tokio::sync::mpsc;

use super::memory::Memory;
use super::{Backend, Committed, Entry, Listing, Range, RawWatch, Revision, Session, Txn, WatchEnd, WatchItem};
use crate::CoordError;

/// What befalls a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not done.
    Refused,
    /// It is done, and its answer is lost.
    AnswerLost,
    /// There is no answer, and it is done after that time.
    Late(Duration),
}

/// A transaction is on its way from the first poll on, whether its future is dropped or not.
pub(crate) struct Unreliable {
    memory: Arc<Memory>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    faults: VecDeque<(&'static str, Fault)>,
    commits: Vec<&'static str>,
    opened: usize,
    closed: usize,
    broken_watches: usize,
    silent_watches: usize,
    struck: usize,
}

impl Unreliable {
    pub(crate) fn open(name: &str) -> Arc<Self> {
        Arc::new(Self { memory: Arc::new(Memory::open(name, &Clock::system())), script: Mutex::default() })
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The next transaction of that name fails so.
    pub(crate) fn fail(&self, operation: &'static str, fault: Fault) {
        self.script().faults.push_back((operation, fault));
    }

    /// As many watches break as soon as they are open.
    pub(crate) fn break_watches(&self, count: usize) {
        self.script().broken_watches = count;
    }

    /// As many watches never tell of anything.
    pub(crate) fn silence_watches(&self, count: usize) {
        self.script().silent_watches = count;
    }

    /// How many faults have struck.
    pub(crate) fn struck(&self) -> usize {
        self.script().struck
    }

    /// The transactions since the last call, by name.
    pub(crate) fn commits(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.script().commits)
    }

    /// How many sessions were opened and closed.
    pub(crate) fn sessions(&self) -> (usize, usize) {
        let script = self.script();
        (script.opened, script.closed)
    }

    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let listing = self.memory.list(&Range::Prefix(prefix.to_owned())).await.unwrap();
        listing.entries.into_iter().map(|entry| entry.key).collect()
    }
}

#[async_trait]
impl Backend for Unreliable {
    fn name(&self) -> &'static str {
        "unreliable"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError> {
        tokio::task::yield_now().await;
        self.memory.get(key).await
    }

    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        tokio::task::yield_now().await;
        self.memory.list(range).await
    }

    async fn commit(&self, operation: &'static str, txn: Txn) -> Result<Committed, CoordError> {
        let fault = {
            let mut script = self.script();
            script.commits.push(operation);
            let next = script.faults.iter().position(|(of, _)| *of == operation);
            let fault = next.and_then(|next| script.faults.remove(next)).map(|(_, fault)| fault);
            script.struck += usize::from(fault.is_some());
            fault
        };
        let (memory, late) = (self.memory.clone(), fault);
        let sent = tokio::spawn(async move {
            match late {
                Some(Fault::Late(after)) => tokio::time::sleep(after).await,
                _ => tokio::task::yield_now().await,
            }
            memory.commit(operation, txn).await
        });
        let after = Duration::from_secs(5);
        match fault {
            None => sent.await.unwrap(),
            Some(Fault::Refused) => {
                sent.abort();
                let (reason, outcome) = ("refused".to_owned(), Outcome::NotApplied);
                Err(CoordError::Unavailable { operation, reason, outcome, source: None })
            }
            Some(Fault::AnswerLost) => {
                sent.await.unwrap()?;
                Err(CoordError::Timeout { operation, after, outcome: Outcome::Unknown })
            }
            Some(Fault::Late(_)) => Err(CoordError::Timeout { operation, after, outcome: Outcome::Unknown }),
        }
    }

    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError> {
        let (broken, silent) = {
            let mut script = self.script();
            let (broken, silent) = (script.broken_watches > 0, script.silent_watches > 0);
            script.broken_watches -= usize::from(broken);
            script.silent_watches -= usize::from(silent);
            script.struck += usize::from(broken || silent);
            (broken, silent)
        };
        if !broken && !silent {
            return self.memory.watch(range, from).await;
        }
        let (sender, items) = mpsc::channel(1);
        if silent {
            let task = tokio::spawn(async move { sender.closed().await });
            return Ok(RawWatch::new(items, Some(task.abort_handle())));
        }
        let (reason, outcome) = ("reset".to_owned(), Outcome::NotApplied);
        let error = CoordError::Unavailable { operation: "watch", reason, outcome, source: None };
        sender.send(WatchItem::End(WatchEnd::Broken(error))).await.unwrap();
        Ok(RawWatch::new(items, None))
    }

    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError> {
        self.script().opened += 1;
        tokio::task::yield_now().await;
        self.memory.open_session(ttl).await
    }

    async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        self.script().closed += 1;
        self.memory.close_session(session).await
    }

    async fn ping(&self) -> Result<(), CoordError> {
        self.memory.ping().await
    }

    fn abandon(&self) {
        self.memory.abandon();
    }

    async fn close(&self, deadline: Deadline) -> CloseReport {
        self.memory.close(deadline).await
    }
}
