//! The sessions of one connection: one for each ttl, shared by all that is held for that long.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gone_kit::{Clock, LeaseEnd};

use crate::CoordError;
use crate::backend::{Backend, Committed, Session, Txn, margin};
use crate::holding::Placed;

/// The ttls that a session may have. etcd counts in whole seconds.
pub(crate) const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// How many sessions are open at once at most.
const MOST: usize = 64;

/// How long a session that nobody uses is kept for the next one who asks.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// Checks a ttl: whole seconds, within bounds.
pub(crate) fn check_ttl(ttl: Duration) -> Result<(), CoordError> {
    let invalid = |reason: &str| {
        let reason = format!("{ttl:?} {reason}; it must be whole seconds, 1 s to 1 h");
        Err(CoordError::Invalid { argument: "ttl", reason })
    };
    match ttl {
        _ if !TTL.contains(&ttl) => invalid("is out of bounds"),
        _ if ttl.subsec_nanos() != 0 => invalid("is not a whole number of seconds"),
        _ => Ok(()),
    }
}

/// The sessions of one connection.
///
/// One that has ended is replaced for who comes next, and stays ended for who has it. One that nobody has used for a while
/// is closed when somebody asks for another.
pub(crate) struct Sessions {
    backend: Arc<dyn Backend>,
    clock: Clock,
    slots: Mutex<BTreeMap<Duration, Slot>>,
    numbers: Arc<Numbers>,
}

/// The numbers that tell the keys of one session apart. One whose key is certainly gone is used again: etcd remembers each key
/// that ever was until its history is compacted, and looks at all of them whenever the queue of a lock is read.
#[derive(Default)]
pub(crate) struct Numbers {
    next: AtomicU64,
    /// No longer than as many were in use at once.
    free: Mutex<Vec<u64>>,
}

impl Numbers {
    fn take(&self) -> u64 {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A number whose key is gone, or never was, and will not come.
    pub(crate) fn give_back(&self, number: u64) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(number);
    }
}

/// The session of one ttl; empty until it is open. Only who holds the lock opens one.
type Cell = Arc<tokio::sync::Mutex<Option<Arc<Session>>>>;

struct Slot {
    cell: Cell,
    asked: Instant,
}

impl Slot {
    /// The session, if nobody else has it or asks for it now.
    fn unused(&self) -> Option<Option<Arc<Session>>> {
        let alone = Arc::strong_count(&self.cell) == 1;
        let session = self.cell.try_lock().ok().filter(|_| alone)?;
        match &*session {
            Some(session) if Arc::strong_count(session) > 1 => None,
            session => Some(session.clone()),
        }
    }
}

impl Sessions {
    pub(crate) fn new(backend: Arc<dyn Backend>, clock: Clock) -> Self {
        Self { backend, clock, slots: Mutex::default(), numbers: Arc::default() }
    }

    /// The session of a ttl, opened if there is none that lives. It stays open as long as somebody has it. A dropped future
    /// leaves at most a lease that runs out.
    pub(crate) async fn get(&self, ttl: Duration) -> Result<Arc<Session>, CoordError> {
        check_ttl(ttl)?;
        let cell = self.cell(ttl)?;
        let mut session = cell.lock().await;
        if let Some(session) = &*session
            && session.keeper.session().is_held()
        {
            return Ok(session.clone());
        }
        let fresh = Arc::new(self.backend.open_session(ttl).await?);
        *session = Some(fresh.clone());
        Ok(fresh)
    }

    fn cell(&self, ttl: Duration) -> Result<Cell, CoordError> {
        let now = self.clock.now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let full = slots.len() >= MOST && !slots.contains_key(&ttl);
        slots.retain(|other, slot| {
            let idle = full || now.saturating_duration_since(slot.asked) >= IDLE;
            match slot.unused() {
                Some(session) if idle && *other != ttl => {
                    let backend = self.backend.clone();
                    if let Some(session) = session {
                        // One that cannot be closed runs out.
                        tokio::spawn(async move { backend.close_session(&session).await });
                    }
                    false
                }
                _ => true,
            }
        });
        if slots.len() >= MOST && !slots.contains_key(&ttl) {
            let reason = format!("{MOST} different ttls are in use at once, and no more are allowed");
            return Err(CoordError::Invalid { argument: "ttl", reason });
        }
        let slot = slots.entry(ttl).or_insert_with(|| Slot { cell: Cell::default(), asked: now });
        slot.asked = now;
        Ok(slot.cell.clone())
    }

    /// How many sessions live, and how long ago the one was renewed that waits longest for it. Those that somebody opens or looks
    /// at just now are not counted.
    pub(crate) fn lives(&self) -> (u64, Duration) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lives = (0, Duration::ZERO);
        for session in slots.values().filter_map(|slot| slot.cell.try_lock().ok()?.clone()) {
            let lease = session.keeper.session();
            if lease.is_held() {
                let full = session.ttl - margin(session.ttl);
                lives = (lives.0 + 1, lives.1.max(full.saturating_sub(lease.remaining())));
            }
        }
        lives
    }

    /// Puts a key under the session of a ttl. `make` gets a token of its own and the number of the session, and makes the
    /// key and the transaction that puts it, with the token as JSON for its value.
    ///
    /// A session that the backend has forgotten is replaced once. When the future is dropped, or the answer does not come, a
    /// key that was put all the same is removed in the background.
    pub(crate) async fn put(
        &self,
        operation: &'static str,
        ttl: Duration,
        make: impl Fn(&str, i64) -> (String, Txn) + Send,
    ) -> Result<(Placed, Committed), CoordError> {
        let mut replaced = false;
        loop {
            let session = self.get(ttl).await?;
            let number = self.numbers.take();
            // A text that no other holder has.
            let token = format!("{:x}-{number:x}", session.id);
            let (key, txn) = make(&token, session.id);
            let numbers = self.numbers.clone();
            let mut placed = Placed::new(self.backend.clone(), session, key, quoted(&token), numbers, number);
            let answer = self.backend.commit(operation, txn).await;
            placed.answered(&answer);
            match answer {
                Ok(committed) => return Ok((placed, committed)),
                Err(CoordError::Lost { .. }) if !replaced => {
                    replaced = true;
                    placed.session.keeper.finish(LeaseEnd::Lost("the backend does not know its session".into()));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// A token as JSON. It has nothing to escape.
pub(crate) fn quoted(token: &str) -> Arc<[u8]> {
    format!("\"{token}\"").into_bytes().into()
}
