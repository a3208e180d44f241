//! All that one connection has registered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::keeper::{Claim, Keeper, Phase, Slot, State, Wanted};
use crate::CoordError;
use crate::backend::Backend;
use crate::sessions::Sessions;
use crate::supervised::supervised;

/// How many instances one connection may have registered at once.
const MOST: usize = 10_000;

/// The instances that one connection has registered.
pub(super) struct Kept {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) counters: Counters,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    closed: bool,
    by_key: BTreeMap<String, Arc<Slot>>,
}

/// How often something happened to the registrations.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Keys that went missing.
    pub(super) lost: AtomicU64,
    /// Keys that were put back.
    pub(super) restored: AtomicU64,
}

impl Kept {
    pub(super) fn new(backend: Arc<dyn Backend>, sessions: Arc<Sessions>) -> Self {
        Self { backend, sessions, counters: Counters::default(), slots: Mutex::default() }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wants an instance to be registered, and gives its slot and the turn.
    pub(super) fn claim(self: &Arc<Self>, claim: Claim) -> Result<(Arc<Slot>, u64), CoordError> {
        let key = claim.info.key();
        let mut slots = self.slots();
        if slots.closed {
            return Err(CoordError::Closed);
        }
        if slots.by_key.len() >= MOST && !slots.by_key.contains_key(&key) {
            let reason = format!("{MOST} instances are registered already, and no more are allowed");
            return Err(CoordError::Invalid { argument: "id", reason });
        }
        let slot = slots.by_key.entry(key.clone()).or_insert_with(|| {
            let slot = Arc::new(Slot::default());
            let (kept, keeping) = (Arc::clone(self), Arc::clone(&slot));
            // One that begins anew puts the key again.
            let keep = move || Keeper::new(Arc::clone(&kept), key.clone(), Arc::clone(&keeping)).run();
            tokio::spawn(supervised("a registration", keep));
            slot
        });
        let mut turn = 0;
        slot.wanted.send_modify(|wanted| {
            wanted.turn += 1;
            wanted.claim = Some(Arc::new(claim));
            turn = wanted.turn;
        });
        Ok((Arc::clone(slot), turn))
    }

    /// Nothing with this id is registered any more; gives the slots and turns of what was.
    pub(super) fn give_up(&self, id: &str) -> Vec<(Arc<Slot>, u64)> {
        let slots = self.slots();
        let given_up = slots.by_key.values().filter_map(|slot| {
            let Wanted { turn, claim } = slot.wanted.borrow().clone();
            (claim?.info.id == id && slot.give_up(turn)).then(|| (Arc::clone(slot), turn))
        });
        given_up.collect()
    }

    /// Nothing is registered any more; waits until that is so, or is known not to have gone well. Gives how many went, and how
    /// many are left to run out.
    pub(super) async fn give_up_all(&self, close: bool) -> (u64, u64) {
        let all: Vec<_> = {
            let mut slots = self.slots();
            slots.closed |= close;
            slots.by_key.values().cloned().collect()
        };
        let turns = all.iter().map(|slot| {
            let turn = slot.wanted.borrow().turn;
            slot.give_up(turn);
            (slot, turn)
        });
        let turns: Vec<_> = turns.collect();
        let (mut gone, mut left) = (0, 0);
        for (slot, turn) in turns {
            let done = |state: &State| matches!(state.phase, Phase::Gone | Phase::Leaving(_));
            match slot.reached(turn, done).await.map(|state| state.phase) {
                Some(Phase::Leaving(_)) => left += 1,
                _ => gone += 1,
            }
        }
        (gone, left)
    }

    /// Whether the keeper of a slot may end: nothing is wanted of it. Then nobody will find it again.
    pub(super) fn retire(&self, key: &str, slot: &Arc<Slot>) -> bool {
        let mut slots = self.slots();
        let idle = slot.wanted.borrow().claim.is_none();
        if idle && slots.by_key.get(key).is_some_and(|found| Arc::ptr_eq(found, slot)) {
            slots.by_key.remove(key);
        }
        idle
    }

    /// The keeper of a slot has ended, whatever is wanted.
    pub(super) fn forget(&self, key: &str, slot: &Arc<Slot>) {
        let mut slots = self.slots();
        if slots.by_key.get(key).is_some_and(|found| Arc::ptr_eq(found, slot)) {
            slots.by_key.remove(key);
        }
    }

    /// How often a registration was lost, and how often one was restored.
    pub(super) fn counters(&self) -> (u64, u64) {
        (self.counters.lost.load(Relaxed), self.counters.restored.load(Relaxed))
    }

    /// How many registrations there should be, and how many there are.
    pub(super) fn standing(&self) -> (u64, u64) {
        let slots = self.slots();
        let wanted = slots.by_key.values().filter(|slot| slot.wanted.borrow().claim.is_some());
        wanted.fold((0, 0), |(wanted, there), slot| {
            let registered = matches!(slot.state.borrow().phase, Phase::Registered);
            (wanted + 1, there + u64::from(registered))
        })
    }
}
