//! One registration, as its owner has it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::keeper::{Claim, Phase, Slot, State};
use super::{Kept, ServiceInfo};
use crate::CoordError;

/// An instance that is registered, until this is dropped, [unregistered](Self::unregister), or its
/// [`Coord`](crate::Coord) is closed.
///
/// Its session may end without that: the process was paused, the network was cut, the store was restarted. Then it is registered
/// again, under a new session and under the same key, at once and spread over a second, so that many do not come at the same
/// moment; [`status`](Self::status) tells, and [`changed`](Self::changed) waits for it. From time to time it is looked whether
/// the key is still there, and it is put back if somebody has deleted it.
#[must_use = "dropping it unregisters the instance"]
pub struct Registration {
    slot: Arc<Slot>,
    turn: u64,
    info: ServiceInfo,
    state: watch::Receiver<State>,
    told: RegistrationStatus,
}

/// How a [`Registration`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationStatus {
    /// It is registered.
    Registered,
    /// It was lost, and is being registered again.
    Restoring,
    /// While it was lost, somebody else has registered the same id with another address. It is not fought over.
    Taken,
    /// It was unregistered, registered anew by this process, or closed.
    Ended,
}

impl Registration {
    /// Registers; what was begun is undone when the future is dropped.
    pub(super) async fn begin(kept: &Arc<Kept>, claim: Claim) -> Result<Self, CoordError> {
        let info = claim.info.clone();
        let (slot, turn) = kept.claim(claim)?;
        let state = slot.state.subscribe();
        let registration = Self { slot, turn, info, state, told: RegistrationStatus::Registered };
        let settled = |state: &State| state.refused.is_some() || !matches!(state.phase, Phase::Working);
        match registration.slot.reached(turn, settled).await {
            Some(State { refused: Some(error), .. }) => Err(error),
            Some(State { phase: Phase::Gone | Phase::Leaving(_), .. }) | None => {
                let state = "was registered anew or unregistered at the same moment".to_owned();
                Err(CoordError::Conflict { key: registration.info.key(), state })
            }
            Some(_) => Ok(registration),
        }
    }

    /// What is registered.
    pub fn info(&self) -> &ServiceInfo {
        &self.info
    }

    /// How it stands.
    pub fn status(&self) -> RegistrationStatus {
        self.of(&self.slot.state.borrow())
    }

    fn of(&self, state: &State) -> RegistrationStatus {
        match state.phase {
            _ if state.turn != self.turn => RegistrationStatus::Ended,
            Phase::Registered => RegistrationStatus::Registered,
            Phase::Restoring => RegistrationStatus::Restoring,
            Phase::Taken => RegistrationStatus::Taken,
            Phase::Working | Phase::Leaving(_) | Phase::Gone => RegistrationStatus::Ended,
        }
    }

    /// Waits until it stands otherwise than this told last; at the beginning it is registered. `None` once it was told that it
    /// has ended. For one who is slow, what came and went meanwhile is passed over. A dropped future loses nothing.
    pub async fn changed(&mut self) -> Option<RegistrationStatus> {
        while self.told != RegistrationStatus::Ended {
            let state = self.state.borrow_and_update().clone();
            let now = self.of(&state);
            if now != self.told {
                self.told = now;
                return Some(now);
            }
            // There is no error, as the slot has the sender.
            let _ = self.state.changed().await;
        }
        None
    }

    /// Unregisters: when this is `Ok` the key is gone, and peers hear of it.
    ///
    /// What somebody else has put in its place is left alone. A dropped future, or an error, leaves the rest to the background,
    /// which tries for as long as the session lives.
    ///
    /// # Errors
    ///
    /// [`CoordError::Unavailable`], [`CoordError::Timeout`] or [`CoordError::Refused`]: why it did not work yet.
    pub async fn unregister(self) -> Result<(), CoordError> {
        self.slot.give_up(self.turn);
        gone(&self.slot, self.turn).await
    }
}

/// Waits until a registration that is not wanted any more is gone.
pub(super) async fn gone(slot: &Slot, turn: u64) -> Result<(), CoordError> {
    let done = |state: &State| matches!(state.phase, Phase::Gone | Phase::Leaving(_));
    match slot.reached(turn, done).await.map(|state| state.phase) {
        Some(Phase::Leaving(Some(error))) => Err(error),
        _ => Ok(()),
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.slot.give_up(self.turn);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("info", &self.info).field("status", &self.status()).finish()
    }
}
