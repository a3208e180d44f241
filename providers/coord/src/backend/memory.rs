//! The backend `memory:`: a store in this process, for development and tests. It keeps what etcd keeps, and refuses what etcd
//! refuses; nothing of it outlives the process.

mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use gone_core::{CloseReport, Deadline};
use gone_kit::{Clock, LeaseEnd, LeaseKeeper};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use self::store::{LIMITS, Limits, Since, Store};
use super::{Backend, Committed, Entry, Listing, Range, RawWatch, Revision, Session, Txn, WatchEnd, WatchItem, margin};
use crate::CoordError;

/// Batches that a watch hands on before it waits for its reader, and how many changes are about the most of one batch.
const WATCH_BATCHES: usize = 16;
const BATCH: usize = 256;

/// The stores that have a name, for as long as a backend holds them.
static NAMED: LazyLock<Mutex<BTreeMap<String, Weak<Shared>>>> = LazyLock::new(Mutex::default);

/// A store, and who is told when it changes.
///
/// Sessions that have run out are ended by whoever looks next: each call, and each watch at the time at which the next one
/// runs out. So the store needs no task of its own.
#[derive(Debug)]
struct Shared {
    clock: Clock,
    store: Mutex<Store>,
    /// Moved on when the store has changed, or a session was opened.
    changed: watch::Sender<()>,
}

impl Shared {
    fn new(clock: &Clock, limits: Limits) -> Arc<Self> {
        let (clock, store) = (clock.clone(), Mutex::new(Store::new(limits)));
        Arc::new(Self { clock, store, changed: watch::Sender::new(()) })
    }

    /// Works on the store as it is now.
    fn with<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let before = store.revision();
        store.expire(self.clock.now());
        let result = work(&mut store);
        let changed = store.revision() != before;
        drop(store);
        if changed {
            self.changed.send_replace(());
        }
        result
    }
}

/// One user of a store, with the sessions that it keeps. When it is dropped they run out by themselves.
///
/// They are renewed on the user's own runtime: one that is blocked for longer than a ttl loses them, as a process that is
/// stopped does with etcd.
#[derive(Debug)]
pub(crate) struct Memory {
    shared: Arc<Shared>,
    kept: Mutex<BTreeMap<i64, Kept>>,
    /// Whether this user is gone: then its watches end and its calls are refused.
    gone: watch::Sender<bool>,
}

/// A session and the task that renews it.
#[derive(Debug)]
struct Kept {
    session: Session,
    renewal: AbortHandle,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Memory {
    /// The store of a name, which all in this process share who ask for it, as long as one of them holds it; the empty name
    /// is a store of one's own. Those who share a store share the clock of the first.
    pub(crate) fn open(name: &str, clock: &Clock) -> Self {
        if name.is_empty() {
            return Self::over(Shared::new(clock, LIMITS));
        }
        let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
        named.retain(|_, store| store.strong_count() > 0);
        let shared = named.get(name).and_then(Weak::upgrade).unwrap_or_else(|| Shared::new(clock, LIMITS));
        named.insert(name.to_owned(), Arc::downgrade(&shared));
        Self::over(shared)
    }

    fn over(shared: Arc<Shared>) -> Self {
        Self { shared, kept: Mutex::default(), gone: watch::Sender::new(false) }
    }

    /// Forgets all changes up to now, so that a watch from an earlier revision is told that it came too late.
    #[cfg(test)]
    pub(crate) fn compact(&self) {
        self.shared.with(Store::compact);
    }

    fn call<T>(&self, work: impl FnOnce(&mut Store) -> T) -> Result<T, CoordError> {
        match *self.gone.borrow() {
            true => Err(CoordError::Closed),
            false => Ok(self.shared.with(work)),
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<i64, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, CoordError> {
        self.call(|store| store.list(&Range::Key(key.to_owned())).entries.pop())
    }

    async fn list(&self, range: &Range) -> Result<Listing, CoordError> {
        self.call(|store| store.list(range))
    }

    async fn commit(&self, _operation: &'static str, txn: Txn) -> Result<Committed, CoordError> {
        self.call(|store| store.commit(&txn))?
    }

    async fn watch(&self, range: Range, from: Revision) -> Result<RawWatch, CoordError> {
        self.call(|_| ())?;
        let (sender, items) = mpsc::channel(WATCH_BATCHES);
        let (shared, mut gone) = (self.shared.clone(), self.gone.subscribe());
        let task = tokio::spawn(async move {
            // An error says that the backend was dropped.
            let closed = async { drop(gone.wait_for(|gone| *gone).await) };
            let end = tokio::select! {
                end = forward(&shared, &range, from, &sender) => end,
                () = closed => Some(WatchEnd::Broken(CoordError::Closed)),
            };
            if let Some(end) = end {
                let _ = sender.send(WatchItem::End(end)).await;
            }
        });
        Ok(RawWatch::new(items, Some(task.abort_handle())))
    }

    async fn open_session(&self, ttl: Duration) -> Result<Session, CoordError> {
        let shared = &self.shared;
        let mut kept = self.kept();
        let now = shared.clock.now();
        let id = self.call(|store| store.open_session(now, ttl))?;
        let keeper = Arc::new(LeaseKeeper::new(&shared.clock, now + (ttl - margin(ttl))));
        let session = Session { id, ttl, keeper };
        let renewal = tokio::spawn(renew(shared.clone(), session.clone())).abort_handle();
        kept.insert(id, Kept { session: session.clone(), renewal });
        drop(kept);
        // Watches have a new time to look at.
        shared.changed.send_replace(());
        Ok(session)
    }

    async fn close_session(&self, session: &Session) -> Result<(), CoordError> {
        session.keeper.finish(LeaseEnd::Released);
        self.kept().remove(&session.id);
        self.call(|store| store.close_session(session.id))
    }

    async fn ping(&self) -> Result<(), CoordError> {
        self.call(|_| ())
    }

    fn abandon(&self) {
        self.gone.send_replace(true);
        for kept in std::mem::take(&mut *self.kept()).values() {
            kept.session.keeper.finish(LeaseEnd::Lost("it is no longer renewed".into()));
        }
    }

    async fn close(&self, _deadline: Deadline) -> CloseReport {
        self.gone.send_replace(true);
        let kept = std::mem::take(&mut *self.kept());
        for kept in kept.values() {
            kept.session.keeper.finish(LeaseEnd::Released);
            self.shared.with(|store| store.close_session(kept.session.id));
        }
        CloseReport::clean()
    }
}

/// Renews a session until it has ended.
async fn renew(shared: Arc<Shared>, session: Session) {
    let ttl = session.ttl;
    loop {
        shared.clock.sleep(ttl / 3).await;
        let now = shared.clock.now();
        // The keeper first: what its holders no longer believe in is not kept for them.
        if !session.keeper.renew(now + (ttl - margin(ttl))) {
            shared.with(|store| store.close_session(session.id));
            return;
        }
        if !shared.with(|store| store.renew_session(session.id, now, ttl)) {
            session.keeper.finish(LeaseEnd::Lost("the store has ended the session".into()));
            return;
        }
    }
}

/// Hands on the changes of a range; ends when they are no longer kept, or when nobody reads.
async fn forward(
    shared: &Shared,
    range: &Range,
    mut from: Revision,
    sender: &mpsc::Sender<WatchItem>,
) -> Option<WatchEnd> {
    let mut changed = shared.changed.subscribe();
    loop {
        changed.borrow_and_update();
        let (since, expiry, latest) =
            shared.with(|store| (store.changes(range, from, BATCH), store.next_expiry(), store.revision()));
        let Since::Changes(changes, seen) = since else { return Some(WatchEnd::Compacted) };
        from = seen + 1;
        if !changes.is_empty() && sender.send(WatchItem::Changes(changes)).await.is_err() {
            return None;
        }
        if seen < latest {
            continue;
        }
        let expires = async {
            match expiry {
                Some(expiry) => shared.clock.sleep_until(expiry).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            moved = changed.changed() => moved.ok()?,
            () = expires => {}
            () = sender.closed() => return None,
        }
    }
}
