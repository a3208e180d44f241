//! Coordination in the hands of a test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use gone_coord::CoordError;
use gone_kit::{Clock, Lease, LeaseEnd, LeaseGrant, LeaseKeeper, Outcome};

use crate::instance::{Instance, Instances};
use crate::mark::Mark;

/// The one of the default config.
const EPOCH: u64 = 1_288_834_974_657;

/// How long a lease lasts.
pub(crate) const TTL: Duration = Duration::from_secs(30);

/// A store for several processes, each with its own [`Instances`].
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<Store>>);

struct Store {
    clock: Clock,
    max: u16,
    marks: BTreeMap<u16, Mark>,
    /// The session of each id that is taken.
    held: BTreeMap<u16, Arc<LeaseKeeper>>,
    /// Whether nothing is answered.
    down: bool,
    /// Whether the next acquisition panics.
    panics: bool,
}

impl Fake {
    pub(crate) fn new(clock: &Clock) -> Self {
        let store = Store {
            clock: clock.clone(),
            max: 1023,
            marks: BTreeMap::new(),
            held: BTreeMap::new(),
            down: false,
            panics: false,
        };
        Self(Arc::new(Mutex::new(store)))
    }

    pub(crate) fn instances(&self) -> Arc<dyn Instances> {
        Arc::new(self.clone())
    }

    pub(crate) fn max(&self, max: u16) {
        self.store().max = max;
    }

    pub(crate) fn down(&self, down: bool) {
        self.store().down = down;
    }

    pub(crate) fn panic_once(&self) {
        self.store().panics = true;
    }

    /// From when on the next holder of an id may use it, in milliseconds since 1970.
    pub(crate) fn floor(&self, id: u16) -> Option<u64> {
        self.store().marks.get(&id).map(|mark| mark.free_from() + EPOCH)
    }

    pub(crate) fn set_floor(&self, id: u16, unix_ms: u64) {
        self.store().marks.insert(id, Mark::limit(unix_ms - EPOCH));
    }

    pub(crate) fn held(&self) -> Vec<u16> {
        self.store().held.keys().copied().collect()
    }

    /// Renews all leases.
    pub(crate) fn renew(&self) {
        let store = self.store();
        for keeper in store.held.values() {
            assert!(keeper.renew(store.clock.now() + TTL));
        }
    }

    /// The server has forgotten who holds an id.
    pub(crate) fn forget(&self, id: u16) {
        let keeper = self.store().held.remove(&id).unwrap();
        keeper.finish(LeaseEnd::Lost("the server has forgotten it".into()));
    }

    /// The server has given an id away, and its holder hears nothing of it.
    pub(crate) fn free_unheard(&self, id: u16) {
        self.store().held.remove(&id).unwrap();
    }

    /// Somebody else has an id.
    pub(crate) fn take(&self, id: u16) {
        let mut store = self.store();
        let session = LeaseKeeper::new(&store.clock, store.clock.now() + TTL);
        store.held.insert(id, Arc::new(session));
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap()
    }
}

fn unanswered(operation: &'static str) -> CoordError {
    CoordError::Unavailable { operation, reason: "it is down".into(), outcome: Outcome::Unknown, source: None }
}

#[async_trait]
impl Instances for Fake {
    async fn acquire(&self) -> Result<Box<dyn Instance>, CoordError> {
        let mut store = self.store();
        if std::mem::take(&mut store.panics) {
            drop(store);
            panic!("as the test asked");
        }
        if store.down {
            return Err(unanswered("acquire an instance id"));
        }
        let free = (1..=store.max).find(|id| !store.held.contains_key(id));
        let exhausted = || CoordError::Exhausted { service: "test".into(), max: u32::from(store.max) };
        let id = free.ok_or_else(exhausted)?;
        let keeper = Arc::new(LeaseKeeper::new(&store.clock, store.clock.now() + TTL));
        let grant = keeper.grant(1);
        store.held.insert(id, Arc::clone(&keeper));
        Ok(Box::new(Held { fake: self.clone(), id, grant, session: keeper }))
    }
}

struct Held {
    fake: Fake,
    id: u16,
    grant: LeaseGrant,
    session: Arc<LeaseKeeper>,
}

impl Held {
    fn owned(&self) -> Result<MutexGuard<'_, Store>, CoordError> {
        let store = self.fake.store();
        if store.down {
            return Err(unanswered("write the mark"));
        }
        let lost = |end| CoordError::Lost { key: format!("ids/{}", self.id), end };
        self.grant.lease().check().map_err(lost)?;
        match store.held.get(&self.id) {
            Some(holder) if Arc::ptr_eq(holder, &self.session) => Ok(store),
            _ => Err(lost(LeaseEnd::Lost("somebody else has it".into()))),
        }
    }
}

#[async_trait]
impl Instance for Held {
    fn id(&self) -> u16 {
        self.id
    }

    fn lease(&self) -> &Lease {
        self.grant.lease()
    }

    fn mark(&self) -> Mark {
        self.fake.store().marks.get(&self.id).copied().unwrap_or(Mark::limit(0))
    }

    async fn raise(&self, mark: Mark) -> Result<(), CoordError> {
        let mut store = self.owned()?;
        let known = store.marks.entry(self.id).or_insert(mark);
        *known = mark.max(*known);
        Ok(())
    }

    async fn give_back(&self) -> Result<(), CoordError> {
        self.owned()?.held.remove(&self.id);
        Ok(())
    }
}
