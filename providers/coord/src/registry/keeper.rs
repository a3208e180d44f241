//! Keeps one id registered: what is wanted of it is told, and brought about, again and again if need be.

use std::sync::Arc;
use std::time::Duration;

use gone_kit::{LeaseEnd, Outcome};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Kept, ServiceInfo};
use crate::CoordError;
use crate::backend::{Compare, Range, Revision, Session, Step, Txn};
use crate::backoff::{Backoff, jittered};

/// Over how long those who lost their session at the same moment are spread when they register again.
pub(crate) const SPREAD: Duration = Duration::from_secs(1);
/// The first and the longest wait before something is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How often it is looked whether the key is still there, at the most.
const LOOK: Duration = Duration::from_secs(10);
/// How long a write whose answer never came may still arrive. An etcd gives a request up after 7 s.
const LATE: Duration = Duration::from_secs(15);

/// What is to be registered.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) info: ServiceInfo,
    pub(super) ttl: Duration,
    pub(super) key: String,
    pub(super) value: Arc<[u8]>,
}

/// What is wanted of an id.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The how-manieth registration of the id this is: an older one has nothing to say any more.
    pub(super) turn: u64,
    /// `None`: that it is not registered.
    pub(super) claim: Option<Arc<Claim>>,
}

/// How far what is wanted has come.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) turn: u64,
    pub(super) phase: Phase,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Phase {
    /// It is being registered, or unregistered, for the first time.
    #[default]
    Working,
    Registered,
    /// It could not be registered, and nobody tries any more.
    Failed(CoordError),
    /// Its key is gone, and is being put back.
    Restoring,
    /// Somebody else has registered the id.
    Taken,
    /// It could not be unregistered yet, or may still turn up.
    Leaving(Option<CoordError>),
    /// It is not registered.
    Gone,
}

/// One id: what is wanted of it, and how it stands.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) wanted: watch::Sender<Wanted>,
    pub(super) state: watch::Sender<State>,
}

impl Slot {
    /// The registration of a turn is not wanted any more; `false` when it was not wanted anyway.
    pub(super) fn give_up(&self, turn: u64) -> bool {
        self.wanted.send_if_modified(|wanted| wanted.turn == turn && wanted.claim.take().is_some())
    }

    /// Waits until the registration of a turn has come as far as it must; gives how it stands, or `None` if a later one took
    /// its place.
    pub(super) async fn reached(&self, turn: u64, far: impl Fn(&Phase) -> bool) -> Option<Phase> {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(|state| state.turn > turn || state.turn == turn && far(&state.phase)).await;
        // The sender is borrowed here.
        reached.ok().filter(|state| state.turn == turn).map(|state| state.phase.clone())
    }
}

/// A key that was put, or perhaps was.
struct Placed {
    claim: Arc<Claim>,
    session: Arc<Session>,
    /// When it was put; `None`: it is not known whether it was.
    modified: Option<Revision>,
}

/// Why a registration is kept no longer.
enum End {
    /// Something else is wanted.
    Changed,
    /// The backend is closed.
    Closed,
}

/// The one who writes the key of an id. It ends when nothing is wanted of the id, or when the backend is closed.
pub(super) struct Keeper {
    kept: Arc<Kept>,
    id: String,
    slot: Arc<Slot>,
    wanted: watch::Receiver<Wanted>,
    placed: Option<Placed>,
}

impl Keeper {
    pub(super) fn new(kept: Arc<Kept>, id: String, slot: Arc<Slot>) -> Self {
        let wanted = slot.wanted.subscribe();
        Self { kept, id, slot, wanted, placed: None }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Wanted { turn, claim } = self.wanted.borrow_and_update().clone();
            let end = match claim {
                Some(claim) => self.keep(turn, &claim).await,
                None => self.leave(turn).await,
            };
            match end {
                Ok(()) | Err(End::Changed) => {}
                Err(End::Closed) => {
                    self.kept.forget(&self.id, &self.slot);
                    self.slot.state.send_modify(|state| {
                        let unsettled = matches!(state.phase, Phase::Working);
                        state.phase = if unsettled { Phase::Failed(CoordError::Closed) } else { Phase::Gone };
                    });
                    return;
                }
            }
            if self.placed.is_none() && self.kept.retire(&self.id, &self.slot) {
                return;
            }
        }
    }

    fn tell(&self, turn: u64, phase: Phase) {
        self.slot.state.send_replace(State { turn, phase });
    }

    /// Registers, and stays registered until something else is wanted.
    async fn keep(&mut self, turn: u64, claim: &Arc<Claim>) -> Result<(), End> {
        self.tell(turn, Phase::Working);
        match self.put(claim).await {
            Ok(()) => self.tell(turn, Phase::Registered),
            Err(CoordError::Closed) => return Err(End::Closed),
            Err(error) => {
                self.slot.give_up(turn);
                self.tell(turn, Phase::Failed(error));
                return Ok(());
            }
        }
        tracing::info!(target: "gone_coord", service = claim.info.name, id = claim.info.id, "registered");
        loop {
            self.missing(claim).await?;
            self.tell(turn, Phase::Restoring);
            self.kept.counters.lost();
            let taken = self.restore(claim).await?;
            if taken {
                tracing::error!(
                    target: "gone_coord", key = claim.key,
                    "somebody else has registered this id; this registration is given up"
                );
                self.tell(turn, Phase::Taken);
                self.placed = None;
                self.changed().await?;
            }
            self.kept.counters.restored();
            tracing::info!(target: "gone_coord", key = claim.key, "registered again");
            self.tell(turn, Phase::Registered);
        }
    }

    /// Waits until something else is wanted, and ends with that.
    async fn changed(&mut self) -> Result<(), End> {
        // The slot, and so the sender, is held here.
        let _ = self.wanted.changed().await;
        Err(End::Changed)
    }

    /// Waits until the key is missing: its session has ended, or it was looked for and not found.
    async fn missing(&mut self, claim: &Claim) -> Result<(), End> {
        let every = claim.ttl.max(LOOK);
        loop {
            let Some(Placed { session, modified, .. }) = &self.placed else { return Ok(()) };
            let modified = *modified;
            tokio::select! {
                changed = self.wanted.changed() => {
                    let _ = changed;
                    return Err(End::Changed);
                }
                end = session.keeper.session().lost() => {
                    if end == LeaseEnd::Released {
                        return Err(End::Closed);
                    }
                    tracing::warn!(target: "gone_coord", key = claim.key, reason = %end, "a registration was lost");
                    return Ok(());
                }
                () = sleep(jittered(every)) => {}
            }
            match self.kept.sessions.backend().get(&claim.key).await {
                Ok(entry) if entry.as_ref().map(|entry| entry.modified) == modified => {}
                Ok(_) => {
                    tracing::warn!(target: "gone_coord", key = claim.key, "the key of a registration was changed or deleted");
                    return Ok(());
                }
                Err(CoordError::Closed) => return Err(End::Closed),
                // The session will tell if it is more than a moment.
                Err(_) => {}
            }
        }
    }

    /// Puts the key back, however long it takes; `true` when somebody else has put it meanwhile.
    async fn restore(&mut self, claim: &Arc<Claim>) -> Result<bool, End> {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        // From nothing to the whole of it.
        let mut wait = jittered(SPREAD * 2) - SPREAD;
        loop {
            tokio::select! {
                changed = self.wanted.changed() => {
                    let _ = changed;
                    return Err(End::Changed);
                }
                () = sleep(wait) => {}
            }
            match self.put_back(claim).await {
                Ok(taken) => return Ok(taken),
                Err(CoordError::Closed) => return Err(End::Closed),
                Err(error) => {
                    tracing::debug!(target: "gone_coord", key = claim.key, %error, "could not be registered again yet");
                    wait = backoff.wait();
                }
            }
        }
    }

    /// Puts the key, whoever put it before; what this id was registered as until now goes in the same step.
    async fn put(&mut self, claim: &Arc<Claim>) -> Result<(), CoordError> {
        let mut old = None;
        if let Some(placed) = self.placed.take_if(|placed| placed.claim.key != claim.key) {
            match placed.modified {
                Some(modified) => old = Some((placed, modified)),
                None => drop(self.remove(&placed).await?),
            }
        }
        let written = self.write(claim, |put| match &old {
            None => Txn { then: vec![put], ..Txn::default() },
            Some((placed, modified)) => {
                let key = placed.claim.key.clone();
                let compares = vec![Compare::Modified(key.clone(), *modified)];
                Txn { compares, then: vec![Step::Delete(key), put.clone()], otherwise: vec![put] }
            }
        });
        let written = written.await;
        if let (Err(_), Some((placed, _))) = (&written, old) {
            // Its key must go too, and is the one that is sure to be there.
            self.placed = Some(placed);
        }
        written.map(drop)
    }

    /// Puts the key where it is missing, or is what was put before; `true` when it is somebody else's.
    async fn put_back(&mut self, claim: &Arc<Claim>) -> Result<bool, CoordError> {
        let key = || claim.key.clone();
        let before = self.placed.as_ref().and_then(|placed| placed.modified);
        let read = || vec![Step::Read(Range::Key(key()))];
        let absent = |put| Txn { compares: vec![Compare::Created(key(), 0)], then: vec![put], otherwise: read() };
        let Some(found) = self.write(claim, absent).await? else { return Ok(false) };
        let Some(entry) = found.into_iter().flatten().next() else { return Err(contended(&claim.key)) };
        // The same value is this instance too: two processes cannot be reached at one address.
        if before != Some(entry.modified) && *entry.value != *claim.value {
            return Ok(true);
        }
        let unchanged = |put| Txn {
            compares: vec![Compare::Modified(key(), entry.modified)],
            then: vec![put],
            otherwise: Vec::new(),
        };
        match self.write(claim, unchanged).await? {
            None => Ok(false),
            Some(_) => Err(contended(&claim.key)),
        }
    }

    /// Commits a transaction around the put of a key under a living session; what was found when it did not succeed.
    async fn write(
        &mut self,
        claim: &Arc<Claim>,
        txn: impl Fn(Step) -> Txn,
    ) -> Result<Option<Vec<Vec<crate::backend::Entry>>>, CoordError> {
        let mut replaced = false;
        loop {
            let session = self.kept.sessions.get(claim.ttl).await?;
            let put = Step::Put { key: claim.key.clone(), value: claim.value.clone(), session: session.id };
            let txn = txn(put);
            let always = txn.compares.is_empty() || txn.otherwise.iter().any(|step| matches!(step, Step::Put { .. }));
            let placed = |modified| Some(Placed { claim: claim.clone(), session: session.clone(), modified });
            match self.kept.sessions.backend().commit("register", txn).await {
                Ok(committed) if committed.succeeded || always => {
                    self.placed = placed(Some(committed.revision));
                    return Ok(None);
                }
                Ok(committed) => return Ok(Some(committed.found)),
                // The backend has forgotten the session before its keeper has noticed.
                Err(CoordError::Lost { .. }) if !replaced => {
                    replaced = true;
                    session.keeper.finish(LeaseEnd::Lost("the backend does not know its session".into()));
                }
                Err(error) => {
                    if error.outcome() == Outcome::Unknown {
                        self.placed = placed(None);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Unregisters, however long it takes, as long as the session lives.
    async fn leave(&mut self, turn: u64) -> Result<(), End> {
        let late = Instant::now() + LATE;
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        while let Some(placed) = self.placed.take() {
            let again = match self.remove(&placed).await {
                Ok(true) => break,
                Err(CoordError::Closed) => return Err(End::Closed),
                Ok(false) if Instant::now() >= late => break,
                // It may still arrive.
                Ok(false) => {
                    self.tell(turn, Phase::Leaving(None));
                    late
                }
                Err(error) => {
                    self.tell(turn, Phase::Leaving(Some(error)));
                    Instant::now() + backoff.wait()
                }
            };
            let session = placed.session.clone();
            self.placed = Some(placed);
            tokio::select! {
                changed = self.wanted.changed() => {
                    let _ = changed;
                    return Err(End::Changed);
                }
                // Its key goes with it.
                _ = session.keeper.session().lost() => self.placed = None,
                () = sleep_until(again) => {}
            }
        }
        self.tell(turn, Phase::Gone);
        Ok(())
    }

    /// Removes a key, if it is still what was put; `false` when it is not there but may still arrive.
    async fn remove(&self, placed: &Placed) -> Result<bool, CoordError> {
        let backend = self.kept.sessions.backend();
        let key = &placed.claim.key;
        let modified = match placed.modified {
            Some(modified) => modified,
            None => match backend.get(key).await? {
                Some(entry) if entry.session == placed.session.id => entry.modified,
                _ => return Ok(false),
            },
        };
        let compares = vec![Compare::Modified(key.clone(), modified)];
        let txn = Txn { compares, then: vec![Step::Delete(key.clone())], otherwise: Vec::new() };
        backend.commit("unregister", txn).await.map(|_| true)
    }
}

/// Somebody else changes the key at the same moment.
fn contended(key: &str) -> CoordError {
    CoordError::Conflict { key: key.to_owned(), state: "is being changed by somebody else".to_owned() }
}
