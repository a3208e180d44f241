//! Locks: fair, lost when their session is, with a number that fences off who was overtaken.

mod guarded;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gone_kit::{Lease, LeaseEnd};

use crate::CoordError;
use crate::backend::{Backend, Change, Compare, Entry, Range, Revision, Step, Txn, WatchEnd, WatchItem};
use crate::backoff::{Backoff, jittered};
use crate::coord::Shared;
use crate::holding::{Holding, Placed, may_pass};
use crate::sessions::quoted;

pub use self::guarded::GuardedWrite;

/// Before the key of each lock.
const ROOT: &str = "/locks/";

/// The longest key of a lock.
const MAX_KEY: usize = 1024;

/// How long who waits believes that nothing has changed because it was told of nothing. etcd before 3.5 can lose the deletion
/// that it waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// The locks of a connection: `coord.lock()`.
///
/// A lock excludes others only as long as its holder is awake: a process that is stopped for longer than the ttl, by the
/// system or by a debugger, wakes and goes on as the holder that it no longer is, and nothing can keep it from a step that it
/// has begun. So what must not be done twice is guarded where it is done: with [`Lock::fencing`], or with
/// [`Lock::guarded`] for writes to the same store.
#[derive(Clone)]
pub struct Locks {
    shared: Arc<Shared>,
}

impl Locks {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Takes a lock, and waits for it as long as it takes: in the order in which it was asked for. Who waits watches only
    /// the one before.
    ///
    /// The key is at most 1 KiB and may hold slashes: `a` and `a/b` are two locks. The lock lasts for `ttl`, whole seconds
    /// from 1 s to 1 h, and is renewed in the background until it is given back, dropped, or lost. It is free for others at
    /// the latest a `ttl` after its holder was last heard of; where an etcd changes its leader meanwhile, a `ttl` after that. Whoever asks for a lock twice waits for itself.
    ///
    /// To wait for a bounded time, drop the future, as `tokio::time::timeout` does. A dropped future has not taken the lock:
    /// its place in the queue is given up in the background. Contract rows CRD-9, CRD-R1.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for a key or ttl out of bounds; [`CoordError::Lost`] when the session ended while it waited;
    /// [`CoordError::Closed`]; [`CoordError::Unavailable`], [`CoordError::Timeout`] or [`CoordError::Refused`] when the place
    /// in the queue could not be taken. With none of them is the lock held, or will be.
    pub async fn acquire(&self, key: &str, ttl: Duration) -> Result<Lock, CoordError> {
        let queue = Queue::of(key)?;
        let (placed, created, first) = queue.enter(&self.shared, ttl).await?;
        if !first {
            let turn = wait_for_turn(&queue, &placed, created);
            tokio::select! {
                turn = turn => turn?,
                end = placed.session.keeper.session().lost() => return Err(placed.lost(key, end)),
            }
        }
        Holding::new(placed, created, key.to_owned()).map(Lock)
    }

    /// Takes a lock if nobody holds it or waits for it. Bounds and meaning are those of [`acquire`](Self::acquire). Contract
    /// row CRD-10.
    ///
    /// A dropped future has not taken the lock: if it was taken all the same, it is given back in the background.
    ///
    /// # Errors
    /// [`CoordError::Conflict`] when it is held; otherwise those of [`acquire`](Self::acquire).
    pub async fn try_acquire(&self, key: &str, ttl: Duration) -> Result<Lock, CoordError> {
        let queue = Queue::of(key)?;
        let taken = || CoordError::Conflict { key: key.to_owned(), state: "is held by another".to_owned() };
        let (placed, committed) = self
            .shared
            .sessions
            .put("try_acquire", ttl, |token, session| {
                let own = queue.key(token);
                let txn = Txn {
                    compares: vec![Compare::NoneUnder(queue.prefix.clone())],
                    then: vec![put(own.clone(), token, session)],
                    otherwise: vec![Step::Neighbour { prefix: queue.prefix.clone(), before: None }],
                };
                (own, txn)
            })
            .await?;
        if committed.succeeded {
            return Holding::new(placed, committed.revision, key.to_owned()).map(Lock);
        }
        if committed.found.iter().flatten().any(|entry| queue.owns(entry)) {
            return Err(taken());
        }
        // Only locks whose keys go on where this one ends are held: it takes a place in the queue to find out.
        let (placed, created, first) = queue.enter(&self.shared, ttl).await?;
        match first
            || queue.predecessor(&*placed.backend, &placed.key, created).await?.is_some_and(|it| it.key.is_none())
        {
            true => Holding::new(placed, created, key.to_owned()).map(Lock),
            false => Err(taken()),
        }
    }
}

impl fmt::Debug for Locks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").finish_non_exhaustive()
    }
}

fn put(key: String, token: &str, session: i64) -> Step {
    Step::Put { key, value: quoted(token), session }
}

/// Those who hold and want one lock: a key for each, in the order of their creation. The first holds it.
struct Queue<'a> {
    /// The key that was asked for.
    name: &'a str,
    prefix: String,
}

/// Who stands before a place in the queue, at a revision: nobody, or a key.
struct Before {
    key: Option<String>,
    revision: Revision,
}

impl<'a> Queue<'a> {
    fn of(key: &'a str) -> Result<Self, CoordError> {
        let invalid = |reason| Err(CoordError::Invalid { argument: "key", reason });
        match key.len() {
            0 => invalid("it is empty".to_owned()),
            1..=MAX_KEY => Ok(Self { name: key, prefix: format!("{ROOT}{key}/") }),
            length => invalid(format!("it has {length} bytes; the key of a lock has at most {MAX_KEY}")),
        }
    }

    fn key(&self, token: &str) -> String {
        format!("{}{token}", self.prefix)
    }

    /// Whether a key of the prefix is in this queue. The others are those of locks whose keys go on: `a/b` after `a`.
    fn owns(&self, entry: &Entry) -> bool {
        !entry.key[self.prefix.len()..].contains('/')
    }

    /// Takes the last place; says since when, and whether it is the first, too.
    async fn enter(&self, shared: &Shared, ttl: Duration) -> Result<(Placed, Revision, bool), CoordError> {
        let (placed, committed) = shared
            .sessions
            .put("acquire", ttl, |token, session| {
                let own = self.key(token);
                let oldest = Step::Neighbour { prefix: self.prefix.clone(), before: None };
                let then = vec![put(own.clone(), token, session), oldest];
                (own, Txn { then, ..Txn::default() })
            })
            .await?;
        let first = committed.found.iter().flatten().any(|entry| entry.key == placed.key);
        Ok((placed, committed.revision, first))
    }

    /// Who stands directly before a place; `None`: the place is no more.
    async fn predecessor(
        &self,
        backend: &dyn Backend,
        own: &str,
        created: Revision,
    ) -> Result<Option<Before>, CoordError> {
        let only_while = |step| Txn {
            compares: vec![Compare::Created(own.to_owned(), created)],
            then: vec![step],
            otherwise: Vec::new(),
        };
        let neighbour = Step::Neighbour { prefix: self.prefix.clone(), before: Some(created) };
        let mut committed = backend.commit("acquire", only_while(neighbour)).await?;
        if committed.found.iter().flatten().any(|entry| !self.owns(entry)) {
            let all = Step::Read(Range::Prefix(self.prefix.clone()));
            committed = backend.commit("acquire", only_while(all)).await?;
        }
        if !committed.succeeded {
            return Ok(None);
        }
        let before = committed.found.into_iter().flatten().filter(|entry| self.owns(entry) && entry.created < created);
        let key = before.max_by_key(|entry| entry.created).map(|entry| entry.key);
        Ok(Some(Before { key, revision: committed.revision }))
    }
}

/// Waits until nobody stands before a place. What may pass is waited for, as long as the session lives.
async fn wait_for_turn(queue: &Queue<'_>, placed: &Placed, created: Revision) -> Result<(), CoordError> {
    let backend = &*placed.backend;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    loop {
        let waited = async {
            let before = queue.predecessor(backend, &placed.key, created).await?;
            let Some(before) = before else {
                let end = LeaseEnd::Lost("its place in the queue is gone".into());
                return Err(placed.lost(queue.name, end));
            };
            let Some(key) = before.key else { return Ok(true) };
            let deleted = wait_for_delete(backend, key, before.revision + 1);
            tokio::time::timeout(jittered(LOOK_AGAIN), deleted).await.unwrap_or(Ok(())).map(|()| false)
        };
        match waited.await {
            Ok(true) => return Ok(()),
            Ok(false) => backoff.reset(),
            Err(error) if may_pass(&error) => tokio::time::sleep(backoff.wait()).await,
            Err(error) => return Err(error),
        }
    }
}

/// Waits until a key is deleted, or may have been.
async fn wait_for_delete(backend: &dyn Backend, key: String, from: Revision) -> Result<(), CoordError> {
    let mut watch = backend.watch(Range::Key(key), from).await?;
    loop {
        match watch.next().await {
            Some(WatchItem::Changes(changes)) if changes.iter().any(|it| matches!(it, Change::Delete { .. })) => {
                return Ok(());
            }
            Some(WatchItem::Changes(_) | WatchItem::Progress(_)) => {}
            Some(WatchItem::End(WatchEnd::Compacted)) => return Ok(()),
            Some(WatchItem::End(WatchEnd::Broken(error))) => return Err(error),
            None => return Err(broken()),
        }
    }
}

fn broken() -> CoordError {
    CoordError::Unavailable {
        operation: "watch",
        reason: "the stream ended".to_owned(),
        outcome: gone_kit::Outcome::NotApplied,
        source: None,
    }
}

/// A lock that is held: until [`unlock`](Self::unlock), until it is dropped, or until it is lost.
///
/// Dropped, it is given back in the background; where its runtime has ended, it runs out. It does not keep its
/// [`Coord`](crate::Coord) alive: when the last clone of that is dropped, it is lost.
#[must_use = "dropping it unlocks"]
pub struct Lock(Holding);

impl Lock {
    /// The full key in the store, which contains the one that was asked for. Another holder of the same lock has another.
    pub fn key(&self) -> &str {
        self.0.key()
    }

    /// The number that grows with each holder of the lock: the revision at which its place in the queue was taken. A store
    /// that keeps the highest it has seen refuses with it who was overtaken.
    pub fn fencing(&self) -> u64 {
        self.lease().fencing()
    }

    /// The lease: what to ask before each step, and to wait on beside the work.
    pub fn lease(&self) -> &Lease {
        self.0.lease()
    }

    /// Whether the lock is held, by the holder's own clock: no request.
    pub fn is_held(&self) -> bool {
        self.lease().is_held()
    }

    /// An error when the lock is no longer held, by the holder's own clock: no request.
    ///
    /// # Errors
    /// [`CoordError::Lost`]; [`CoordError::Closed`] when the connection was closed.
    pub fn check(&self) -> Result<(), CoordError> {
        self.0.check()
    }

    /// Until when the lock may be believed in, if it is not renewed; `None` when it is no longer held.
    pub fn deadline(&self) -> Option<Instant> {
        self.lease().deadline()
    }

    /// Waits until the lock is lost, and says why. It comes before another can have the lock, whatever becomes of the
    /// network. A dropped future leaves nothing behind.
    pub async fn lost(&self) -> LeaseEnd {
        self.lease().lost().await
    }

    /// Asks the store whether the lock is still held, and says how long it may be believed in without being renewed: up to a
    /// margin less than its ttl. Contract row CRD-9.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`CoordError::Lost`] when it is not; [`CoordError::Closed`], [`CoordError::Unavailable`], [`CoordError::Timeout`] when
    /// there is no answer.
    pub async fn ttl(&self) -> Result<Duration, CoordError> {
        self.0.guarded("ttl", Vec::new(), Vec::new(), Vec::new()).await?;
        self.check().map(|()| self.lease().remaining())
    }

    /// Begins writes to the store that are done only if the lock is still held when they are, which the store itself sees
    /// to: all of them, or none.
    ///
    /// ```no_run
    /// # async fn example(lock: &gone_coord::Lock) -> Result<(), gone_coord::CoordError> {
    /// lock.guarded().set("/config/dev/orders/leader", "10.0.0.7")?.delete("/config/dev/orders/pending").commit().await?;
    /// # Ok(()) }
    /// ```
    pub fn guarded(&self) -> GuardedWrite<'_> {
        GuardedWrite::new(&self.0)
    }

    /// Gives the lock back. [`is_held`](Self::is_held) of its lease is false from the first step on, whatever follows.
    ///
    /// A dropped future gives it back in the background. Contract row CRD-9.
    ///
    /// # Errors
    /// [`CoordError::Lost`] when it was no longer held: another may have had it in the meantime. Any other says by
    /// [`outcome`](CoordError::outcome) whether it was given back; where it may not have been, it is tried further in the
    /// background for as long as the session lives.
    pub async fn unlock(self) -> Result<(), CoordError> {
        self.0.release("unlock").await
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("key", &self.key()).field("lease", self.lease()).finish()
    }
}
