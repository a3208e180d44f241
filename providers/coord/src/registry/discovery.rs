//! A local picture of the instances of one service.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use gone_kit::Clock;
use tokio::sync::watch;

use super::ServiceInfo;
use super::guard::{Guard, Live};
use crate::backend::Entry;
use crate::watch::feed::{Feed, Update};
use crate::watch::{FeedState, Task, WatchStatus};

/// The instances of one service, kept up to date in this process; what [`Registry::discovery`](super::Registry::discovery) gives.
///
/// Looking asks nobody: it costs some nanoseconds, and goes on while the registry cannot be reached, with what was known last.
/// [`status`](Self::status) tells how old that is. A clone is the same picture.
#[derive(Clone)]
pub struct Discovery(Arc<Shared>);

struct Shared {
    name: String,
    board: Arc<Board>,
    feed: watch::Receiver<FeedState>,
    clock: Clock,
    turn: AtomicUsize,
    _task: Task,
}

/// Where the one who watches writes, and all others look.
struct Board {
    current: ArcSwap<Instances>,
    version: watch::Sender<u64>,
}

/// The instances of a service at one moment, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    list: Vec<Arc<ServiceInfo>>,
    undecodable: usize,
    held: bool,
    version: u64,
}

impl Instances {
    /// The instances.
    pub fn list(&self) -> &[Arc<ServiceInfo>] {
        &self.list
    }

    /// How many more keys the service has under which no instance can be read.
    pub fn undecodable(&self) -> usize {
        self.undecodable
    }

    /// Whether instances are among these that are not registered any more, because all went at once: see
    /// [`RegistryConfig::hold_empty`](super::RegistryConfig::hold_empty).
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Counts the pictures of this service in this process, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl Discovery {
    /// Follows a feed that has listed the service.
    pub(super) fn start(name: String, feed: Feed, clock: Clock, hold_empty: Duration) -> Self {
        let live = Picture::of(feed.known().values());
        let guard = Guard::new(hold_empty);
        let board = Arc::new(Board { current: ArcSwap::default(), version: watch::Sender::new(0) });
        let state = feed.state();
        board.show(&live, &guard);
        let (writer, time) = (Writer(Arc::clone(&board)), clock.clone());
        let task = tokio::spawn(async move { follow(feed, live, guard, &writer, time).await });
        let shared = Shared { name, board, feed: state, clock, turn: AtomicUsize::new(0), _task: Task(task) };
        Self(Arc::new(shared))
    }

    /// The service.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The instances as they are known at this moment.
    pub fn instances(&self) -> Arc<Instances> {
        self.0.board.current.load_full()
    }

    /// One of the instances, each in its turn.
    pub fn pick(&self) -> Option<Arc<ServiceInfo>> {
        let instances = self.0.board.current.load();
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        instances.list.get(turn.checked_rem(instances.list.len())?).cloned()
    }

    /// Waits for a picture that is newer than a [version](Instances::version); `None` once the [`Coord`](crate::Coord) is
    /// closed. For one who is slow, what came between is passed over. A dropped future leaves nothing behind.
    pub async fn newer_than(&self, version: u64) -> Option<Arc<Instances>> {
        let mut newest = self.0.board.version.subscribe();
        newest.wait_for(|newest| *newest > version).await.ok()?;
        let instances = self.instances();
        (instances.version > version).then_some(instances)
    }

    /// Whether the registry is being heard, and how old the picture may be.
    pub fn status(&self) -> WatchStatus {
        let mut status = self.0.feed.borrow().status(&self.0.clock);
        // Nobody writes any more.
        status.connected &= *self.0.board.version.borrow() != u64::MAX;
        status
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery")
            .field("name", &self.0.name)
            .field("instances", &self.instances())
            .field("status", &self.status())
            .finish()
    }
}

/// What is stored, read.
#[derive(Default)]
struct Picture {
    live: Live,
    undecodable: BTreeSet<String>,
}

impl Picture {
    fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut picture = Self::default();
        entries.for_each(|entry| picture.put(entry));
        picture
    }

    fn put(&mut self, entry: &Entry) {
        match ServiceInfo::decode(&entry.key, &entry.value) {
            Ok(info) => {
                self.undecodable.remove(&entry.key);
                self.live.insert(entry.key.clone(), Arc::new(info));
            }
            Err(error) => {
                tracing::warn!(target: "gone_coord", %error, "an instance is passed over");
                self.live.remove(&entry.key);
                self.undecodable.insert(entry.key.clone());
            }
        }
    }

    fn delete(&mut self, key: &str) {
        self.live.remove(key);
        self.undecodable.remove(key);
    }
}

impl Board {
    fn show(&self, picture: &Picture, guard: &Guard) {
        let version = self.current.load().version + 1;
        self.current.store(Arc::new(Instances {
            list: guard.shown(&picture.live),
            undecodable: picture.undecodable.len(),
            held: guard.until().is_some(),
            version,
        }));
        self.version.send_replace(version);
    }
}

/// The one who writes on a board. When it is gone, for whatever reason, those who wait for something newer are told.
struct Writer(Arc<Board>);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.version.send_replace(u64::MAX);
    }
}

/// Watches for as long as somebody looks, or until the backend is closed.
async fn follow(mut feed: Feed, mut picture: Picture, mut guard: Guard, Writer(board): &Writer, clock: Clock) {
    let state = feed.state();
    let mut listings = state.borrow().listings;
    loop {
        let until = guard.until();
        let over = async {
            match until {
                Some(until) => clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let updates = tokio::select! {
            updates = feed.next() => updates,
            () = over => {
                guard.release();
                board.show(&picture, &guard);
                continue;
            }
        };
        let Some(updates) = updates else { return };
        let before = picture.live.clone();
        for update in &updates {
            match update {
                Update::Put { entry, .. } => picture.put(entry),
                Update::Delete { last, .. } => picture.delete(&last.key),
            }
        }
        let listed = std::mem::replace(&mut listings, state.borrow().listings);
        guard.changed(clock.now(), &before, &picture.live, listed != listings);
        if guard.until().is_some() && until.is_none() {
            tracing::warn!(
                target: "gone_coord",
                instances = before.len(),
                "all instances of a service went at once; those known last stay for a while"
            );
        }
        board.show(&picture, &guard);
    }
}
