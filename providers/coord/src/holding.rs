//! A key that stands for something that is held: it hangs on a session, and is removed when it is no longer needed.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gone_kit::{Lease, LeaseEnd, LeaseGrant, Outcome};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::CoordError;
use crate::backend::{Backend, Committed, Compare, Range, Revision, Session, Step, Txn};
use crate::backoff::Backoff;
use crate::sessions::Numbers;

/// How long a write whose answer never came may still arrive. An etcd gives a request up after 7 s.
const LATE: Duration = Duration::from_secs(15);

/// Why a lease ends whose key is not there.
const GONE: &str = "its key is gone";

/// A key that was put under a session, or perhaps was. One that is still there when this is dropped is removed in the
/// background, for as long as the session lives; afterwards it is gone with the session.
pub(crate) struct Placed {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) session: Arc<Session>,
    pub(crate) key: String,
    /// What no other holder writes.
    value: Arc<[u8]>,
    /// `None`: it is not known whether it was put.
    created: Option<Revision>,
    runtime: Handle,
    removed: AtomicBool,
    numbers: Arc<Numbers>,
    /// What tells its key from others of the session.
    number: u64,
}

impl Placed {
    /// A key that is about to be put, with a value that nobody else writes.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        session: Arc<Session>,
        key: String,
        value: Arc<[u8]>,
        numbers: Arc<Numbers>,
        number: u64,
    ) -> Self {
        let (created, runtime, removed) = (None, Handle::current(), AtomicBool::new(false));
        Self { backend, session, key, value, created, runtime, removed, numbers, number }
    }

    /// What is known of the transaction that puts it.
    pub(crate) fn answered(&mut self, answer: &Result<Committed, CoordError>) {
        match answer {
            Ok(committed) if committed.succeeded => self.created = Some(committed.revision),
            Err(error) if error.outcome() == Outcome::Unknown => {}
            _ => self.removed = true.into(),
        }
    }

    /// The error of who asks something of what has ended.
    pub(crate) fn lost(&self, name: &str, end: LeaseEnd) -> CoordError {
        match self.session.keeper.session().end() {
            // Only closing the connection gives back a session that is in use.
            Some(LeaseEnd::Released) => CoordError::Closed,
            _ => CoordError::Lost { key: name.to_owned(), end },
        }
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if *self.removed.get_mut() {
            self.numbers.give_back(self.number);
        } else if self.session.keeper.session().is_held() {
            let (backend, session) = (self.backend.clone(), self.session.clone());
            let (key, value) = (std::mem::take(&mut self.key), self.value.clone());
            let (created, number, numbers) = (self.created, self.number, self.numbers.clone());
            self.runtime.spawn(async move {
                if remove(backend, session, key, value, created).await {
                    numbers.give_back(number);
                }
            });
        }
    }
}

/// Removes a key, until it is gone or its session has ended; says whether it was seen to be gone.
async fn remove(
    backend: Arc<dyn Backend>,
    session: Arc<Session>,
    key: String,
    value: Arc<[u8]>,
    created: Option<Revision>,
) -> bool {
    let late = Instant::now() + LATE;
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(4));
    let removal = async {
        loop {
            match remove_once(&*backend, &key, &value, created).await {
                Ok(true) => return true,
                Err(CoordError::Closed) => return false,
                Ok(false) if Instant::now() >= late => return false,
                // It may still arrive.
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(target: "gone_coord", key, %error, "a key that is not needed could not be removed yet");
                }
            }
            tokio::time::sleep(backoff.wait()).await;
        }
    };
    tokio::select! {
        gone = removal => gone,
        _ = session.keeper.session().lost() => false,
    }
}

/// `true`: it is gone for good.
async fn remove_once(
    backend: &dyn Backend,
    key: &str,
    value: &[u8],
    created: Option<Revision>,
) -> Result<bool, CoordError> {
    let created = match created {
        Some(created) => created,
        None => match backend.get(key).await? {
            Some(entry) if *entry.value == *value => entry.created,
            _ => return Ok(false),
        },
    };
    backend.commit("remove", delete(key, created)).await?;
    Ok(true)
}

/// Deletes a key in the life that began at a revision.
fn delete(key: &str, created: Revision) -> Txn {
    let compares = vec![Compare::Created(key.to_owned(), created)];
    Txn { compares, then: vec![Step::Delete(key.to_owned())], otherwise: Vec::new() }
}

/// Something that is held: a key in the life that began when it was taken, and the lease that says for how long.
pub(crate) struct Holding {
    placed: Placed,
    created: Revision,
    grant: LeaseGrant,
    /// What is held, in the words of who asked for it.
    name: String,
    /// Whether it was tried to give it back.
    tried: AtomicBool,
}

impl Holding {
    /// What was placed is held from now on.
    pub(crate) fn new(placed: Placed, created: Revision, name: String) -> Result<Self, CoordError> {
        let grant = placed.session.keeper.grant(created.unsigned_abs());
        let holding = Self { placed, created, grant, name, tried: AtomicBool::new(false) };
        holding.check()?;
        Ok(holding)
    }

    pub(crate) fn lease(&self) -> &Lease {
        self.grant.lease()
    }

    pub(crate) fn key(&self) -> &str {
        &self.placed.key
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Does the steps only if it is still held: by the lease now, by the store when they are done; and if all compares hold.
    /// Otherwise does the others. What is found is theirs.
    pub(crate) async fn guarded(
        &self,
        operation: &'static str,
        mut compares: Vec<Compare>,
        then: Vec<Step>,
        mut otherwise: Vec<Step>,
    ) -> Result<Committed, CoordError> {
        self.check()?;
        compares.push(Compare::Created(self.key().to_owned(), self.created));
        otherwise.push(Step::Read(Range::Key(self.key().to_owned())));
        let mut committed = self.placed.backend.commit(operation, Txn { compares, then, otherwise }).await?;
        if !committed.succeeded {
            let own = committed.found.pop().unwrap_or_default();
            if own.first().is_none_or(|entry| entry.created != self.created) {
                self.grant.finish(LeaseEnd::Lost(GONE.into()));
                self.check()?;
            }
        }
        Ok(committed)
    }

    /// An error when it is no longer held.
    pub(crate) fn check(&self) -> Result<(), CoordError> {
        self.lease().check().map_err(|end| self.placed.lost(&self.name, end))
    }

    /// Gives it back: the lease ends at once, then the key is deleted. Once it is given back, this does nothing more.
    ///
    /// An error that is not [`CoordError::Lost`] leaves the key to the next call, or to the background when this is dropped.
    pub(crate) async fn release(&self, operation: &'static str) -> Result<(), CoordError> {
        let removed = &self.placed.removed;
        if removed.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.lease().end() {
            // By an earlier call, or with the whole connection.
            None | Some(LeaseEnd::Released) => self.grant.finish(LeaseEnd::Released),
            Some(end) => return Err(self.placed.lost(&self.name, end)),
        }
        if self.placed.session.keeper.session().end() == Some(LeaseEnd::Released) {
            removed.store(true, Ordering::Release);
            return Ok(());
        }
        let tried = self.tried.swap(true, Ordering::AcqRel);
        let deleted = self.placed.backend.commit(operation, delete(self.key(), self.created)).await?.succeeded;
        removed.store(true, Ordering::Release);
        // The answer to an earlier try may have been lost on its way.
        match deleted || tried {
            true => Ok(()),
            false => Err(self.placed.lost(&self.name, LeaseEnd::Lost(GONE.into()))),
        }
    }
}

/// Whether a call that changes nothing may be tried again.
pub(crate) fn may_pass(error: &CoordError) -> bool {
    matches!(error, CoordError::Timeout { .. } | CoordError::Unavailable { .. })
}
