//! Keeps one key: what is wanted of it is told, and brought about, again and again if need be.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gone_kit::{LeaseEnd, Outcome};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::ServiceInfo;
use super::kept::Kept;
use crate::CoordError;
use crate::backend::{Committed, Compare, Range, Revision, Session, Step, Txn};
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
    pub(super) value: Arc<[u8]>,
}

/// What is wanted of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Counts the registrations under the key: an older one has nothing to say any more.
    pub(super) turn: u64,
    /// `None`: that it is not registered.
    pub(super) claim: Option<Arc<Claim>>,
}

/// How far what is wanted has come.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) turn: u64,
    pub(super) phase: Phase,
    /// Why it was not registered, if it was not: then nobody tries any more.
    pub(super) refused: Option<CoordError>,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Phase {
    /// It is being registered, or unregistered.
    #[default]
    Working,
    Registered,
    /// Its key is gone, and is being put back.
    Restoring,
    /// Somebody else has put it.
    Taken,
    /// It could not be unregistered yet, or may still turn up.
    Leaving(Option<CoordError>),
    /// It is not registered.
    Gone,
}

/// One key: what is wanted of it, and how it stands.
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

    /// Waits until the registration of a turn has come as far as it must, and gives how it stands then; `None` if a later one
    /// took its place.
    pub(super) async fn reached(&self, turn: u64, far: impl Fn(&State) -> bool) -> Option<State> {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(|state| state.turn > turn || state.turn == turn && far(state)).await;
        // There is no error, as the sender is borrowed here.
        reached.ok().filter(|state| state.turn == turn).map(|state| state.clone())
    }
}

/// The key was put, or perhaps was.
struct Placed {
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

/// The one who writes a key. It ends when nothing is wanted of the key, or when the backend is closed.
pub(super) struct Keeper {
    kept: Arc<Kept>,
    key: String,
    slot: Arc<Slot>,
    wanted: watch::Receiver<Wanted>,
    placed: Option<Placed>,
}

impl Keeper {
    pub(super) fn new(kept: Arc<Kept>, key: String, slot: Arc<Slot>) -> Self {
        let wanted = slot.wanted.subscribe();
        Self { kept, key, slot, wanted, placed: None }
    }

    pub(super) async fn run(mut self) {
        loop {
            let Wanted { turn, claim } = self.wanted.borrow_and_update().clone();
            let end = match &claim {
                Some(claim) => self.keep(turn, claim).await,
                None => self.leave(turn).await,
            };
            if let End::Closed = end {
                self.kept.forget(&self.key, &self.slot);
                self.slot.state.send_modify(|state| {
                    (state.turn, state.phase) = (turn, Phase::Gone);
                    state.refused.get_or_insert(CoordError::Closed);
                });
                return;
            }
            if claim.is_none() && self.placed.is_none() && self.kept.retire(&self.key, &self.slot) {
                return;
            }
        }
    }

    fn tell(&self, turn: u64, phase: Phase) {
        self.slot.state.send_modify(|state| {
            if state.turn != turn {
                (state.turn, state.refused) = (turn, None);
            }
            state.phase = phase;
        });
    }

    /// Registers, and stays registered until something else is wanted.
    async fn keep(&mut self, turn: u64, claim: &Arc<Claim>) -> End {
        self.tell(turn, Phase::Working);
        // Whoever put it before.
        match self.write(claim, |put| Txn { then: vec![put], ..Txn::default() }).await {
            Ok(_) => self.tell(turn, Phase::Registered),
            Err(CoordError::Closed) => return End::Closed,
            Err(error) => {
                // What was put all the same is removed.
                self.slot.give_up(turn);
                self.slot.state.send_modify(|state| state.refused = Some(error));
                return End::Changed;
            }
        }
        tracing::info!(target: "gone_coord", key = self.key, "registered");
        match self.stay(turn, claim).await {
            Err(end) => end,
            Ok(()) => {
                tracing::error!(
                    target: "gone_coord",
                    key = self.key,
                    "somebody else has registered this id, so this registration is given up"
                );
                self.placed = None;
                self.tell(turn, Phase::Taken);
                // The slot, and so the sender, is held here.
                let _ = self.wanted.changed().await;
                End::Changed
            }
        }
    }

    /// Puts the key back as often as it is missing; until somebody else has put it.
    async fn stay(&mut self, turn: u64, claim: &Arc<Claim>) -> Result<(), End> {
        loop {
            self.missing(claim).await?;
            self.kept.counters.lost.fetch_add(1, Relaxed);
            self.tell(turn, Phase::Restoring);
            if !self.restore(claim).await? {
                return Ok(());
            }
            self.kept.counters.restored.fetch_add(1, Relaxed);
            self.tell(turn, Phase::Registered);
            tracing::info!(target: "gone_coord", key = self.key, "registered again");
        }
    }

    /// Waits until the key is missing: its session has ended, or it was looked for and is not what was put.
    async fn missing(&mut self, claim: &Claim) -> Result<(), End> {
        let key = &self.key;
        while let Some(Placed { session, modified, .. }) = &self.placed {
            tokio::select! {
                _ = self.wanted.changed() => return Err(End::Changed),
                end = session.keeper.session().lost() => {
                    if end == LeaseEnd::Released {
                        return Err(End::Closed);
                    }
                    tracing::warn!(target: "gone_coord", key, reason = %end, "a registration was lost");
                    break;
                }
                () = sleep(jittered(claim.ttl.max(LOOK))) => {}
            }
            match self.kept.backend.get(key).await {
                Ok(entry) if entry.as_ref().map(|entry| entry.modified) == *modified => {}
                Ok(_) => {
                    tracing::warn!(target: "gone_coord", key, "the key of a registration was changed or deleted");
                    break;
                }
                Err(CoordError::Closed) => return Err(End::Closed),
                // If it is more than a moment the session will tell.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Puts the key back, however long it takes; `false` when somebody else has put it meanwhile.
    async fn restore(&mut self, claim: &Arc<Claim>) -> Result<bool, End> {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        // From nothing to the whole of it, once the store answers: all who wait for it hear of that at the same moment.
        let mut spread = Some(jittered(SPREAD * 2) - SPREAD);
        loop {
            let session = tokio::select! {
                _ = self.wanted.changed() => return Err(End::Changed),
                session = self.kept.sessions.get(claim.ttl) => session,
            };
            let restored = match session {
                Ok(_) if let Some(spread) = spread.take() => {
                    self.wait(spread).await?;
                    self.put_back(claim).await
                }
                Ok(_) => self.put_back(claim).await,
                Err(error) => Err(error),
            };
            match restored {
                Ok(restored) => return Ok(restored),
                Err(CoordError::Closed) => return Err(End::Closed),
                Err(error) => {
                    tracing::debug!(target: "gone_coord", key = self.key, %error, "not registered again yet");
                    self.wait(backoff.wait()).await?;
                }
            }
        }
    }

    /// Waits, unless something else is wanted.
    async fn wait(&mut self, time: Duration) -> Result<(), End> {
        tokio::select! {
            _ = self.wanted.changed() => Err(End::Changed),
            () = sleep(time) => Ok(()),
        }
    }

    /// Puts the key where it is missing, or is what was put before; `false` when it is somebody else's.
    async fn put_back(&mut self, claim: &Arc<Claim>) -> Result<bool, CoordError> {
        let key = self.key.clone();
        let key = || key.clone();
        let before = self.placed.as_ref().and_then(|placed| placed.modified);
        let absent = |put| Txn {
            compares: vec![Compare::Created(key(), 0)],
            then: vec![put],
            otherwise: vec![Step::Read(Range::Key(key()))],
        };
        let committed = self.write(claim, absent).await?;
        if committed.succeeded {
            return Ok(true);
        }
        let Some(entry) = committed.found.into_iter().flatten().next() else { return Err(contended(&self.key)) };
        // The same value is this instance too: two processes are not reached at one address.
        if before != Some(entry.modified) && *entry.value != *claim.value {
            return Ok(false);
        }
        let unchanged = |put| Txn {
            compares: vec![Compare::Modified(key(), entry.modified)],
            then: vec![put],
            otherwise: Vec::new(),
        };
        match self.write(claim, unchanged).await?.succeeded {
            true => Ok(true),
            false => Err(contended(&self.key)),
        }
    }

    /// Commits a transaction that puts the key, under a session that lives, if it succeeds.
    async fn write(&mut self, claim: &Arc<Claim>, txn: impl Fn(Step) -> Txn) -> Result<Committed, CoordError> {
        let mut replaced = false;
        loop {
            let session = self.kept.sessions.get(claim.ttl).await?;
            let put = Step::Put { key: self.key.clone(), value: claim.value.clone(), session: session.id };
            let answer = self.kept.backend.commit("register", txn(put)).await;
            let modified = match &answer {
                Ok(committed) if committed.succeeded => Some(committed.revision),
                Err(error) if error.outcome() == Outcome::Unknown => None,
                // The backend has forgotten the session, and its keeper does not know that yet.
                Err(CoordError::Lost { .. }) if !replaced => {
                    replaced = true;
                    session.keeper.finish(LeaseEnd::Lost("the backend does not know its session".into()));
                    continue;
                }
                _ => return answer,
            };
            self.placed = Some(Placed { session, modified });
            return answer;
        }
    }

    /// Unregisters, however long it takes, as long as the session lives.
    async fn leave(&mut self, turn: u64) -> End {
        let late = Instant::now() + LATE;
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        while let Some(placed) = &self.placed {
            let again = match self.remove(placed).await {
                Ok(false) if Instant::now() < late => {
                    self.tell(turn, Phase::Leaving(None));
                    late
                }
                Ok(_) => {
                    self.placed = None;
                    break;
                }
                Err(CoordError::Closed) => return End::Closed,
                Err(error) => {
                    self.tell(turn, Phase::Leaving(Some(error)));
                    Instant::now() + backoff.wait()
                }
            };
            tokio::select! {
                _ = self.wanted.changed() => return End::Changed,
                // Its key goes with it.
                _ = placed.session.keeper.session().lost() => self.placed = None,
                () = sleep_until(again) => {}
            }
        }
        self.tell(turn, Phase::Gone);
        End::Changed
    }

    /// Removes a key, if it is still what was put; `false` when it is not there and may still arrive.
    async fn remove(&self, placed: &Placed) -> Result<bool, CoordError> {
        let backend = &self.kept.backend;
        let key = &self.key;
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
