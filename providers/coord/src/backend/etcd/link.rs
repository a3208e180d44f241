//! One connection at a time to whichever member answers, and calls over it.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gone_kit::Outcome;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::connect;
use super::failure::{Failure, Kind};
use super::live::Live;
use super::settings::Settings;
use crate::CoordError;

/// The pause before a call is tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Whether doing it twice is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Writes,
}

/// What all calls of one runtime go over.
pub(super) struct Link {
    settings: Arc<Settings>,
    current: RwLock<Current>,
    /// Held by who connects. The member to begin with: by chance, then the one after that which was left.
    next: Mutex<usize>,
}

enum Current {
    None,
    Live(Arc<Live>),
    Closed,
}

impl Link {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        let next = usize::try_from(random() % settings.endpoints.len() as u64).unwrap_or(0);
        Self { settings, current: RwLock::new(Current::None), next: Mutex::new(next) }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connects, if there is no connection; does not try twice.
    pub(super) async fn connect(&self) -> Result<(), CoordError> {
        let budget = self.settings.dial_timeout;
        let connected = self.live(Instant::now() + budget, budget).await;
        connected.map(drop).map_err(|failure| failure.into_error("connect"))
    }

    /// Asks the server, within the time for one request. What may pass is tried again, on another connection if need be, as long
    /// as doing it twice is harmless or it was certainly not done.
    ///
    /// A dropped future leaves a write done, not done or still to be done.
    pub(super) async fn call<T, F, A>(&self, effect: Effect, ask: A) -> Result<T, Failure>
    where
        A: Fn(Arc<Live>) -> F,
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let until = Instant::now() + self.settings.request_timeout;
        let mut pause = PAUSE;
        loop {
            let failure = match self.attempt(effect, until, &ask).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let harmless = effect == Effect::Reads || failure.outcome().may_retry();
            let again = Instant::now() + jittered(pause);
            if !(harmless && failure.may_pass()) || again >= until {
                return Err(failure);
            }
            sleep_until(again).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt<T, F, A>(&self, effect: Effect, until: Instant, ask: &A) -> Result<T, Failure>
    where
        A: Fn(Arc<Live>) -> F,
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let budget = self.settings.request_timeout;
        let live = self.live(until, budget).await?;
        let waiting = live.waiting();
        let failure = tokio::select! {
            biased;
            answer = timeout_at(until, ask(live.clone())) => match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => Failure::from(error),
                Err(_) if effect == Effect::Writes => return Err(Failure::late(budget, Outcome::Unknown)),
                Err(_) => return Err(Failure::late(budget, Outcome::NotApplied)),
            },
            () = waiting.broken() => Failure::unanswered(),
        };
        if failure.breaks_connection() {
            live.give_up();
        } else if failure.kind == Kind::StaleToken {
            // The next attempt has the new one.
            timeout_at(until, live.authenticate()).await.map_err(|_| failure.clone())??;
        }
        Err(failure)
    }

    /// The connection; a new one, if there is none.
    async fn live(&self, until: Instant, budget: Duration) -> Result<Arc<Live>, Failure> {
        if let Some(live) = self.current()? {
            return Ok(live);
        }
        let connecting = async {
            let mut next = self.next.lock().await;
            if let Some(live) = self.current()? {
                return Ok(live);
            }
            let (member, client) = connect::any(&self.settings, *next).await?;
            *next = member + 1;
            let live = Live::new(client, &self.settings);
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if matches!(*current, Current::Closed) {
                return Err(Failure::closed());
            }
            *current = Current::Live(live.clone());
            Ok(live)
        };
        match timeout_at(until, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(Failure::late(budget, Outcome::NotApplied)),
        }
    }

    fn current(&self) -> Result<Option<Arc<Live>>, Failure> {
        match &*self.current.read().unwrap_or_else(PoisonError::into_inner) {
            Current::Live(live) if !live.is_broken() => Ok(Some(live.clone())),
            Current::Live(_) | Current::None => Ok(None),
            Current::Closed => Err(Failure::closed()),
        }
    }

    /// The connection is not used again.
    pub(super) fn give_up(&self) {
        if let Ok(Some(live)) = self.current() {
            live.give_up();
        }
    }

    /// Ends the connection, and whoever waits for something on it; there will be no other.
    pub(super) fn close(&self) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let Current::Live(live) = std::mem::replace(&mut *current, Current::Closed) {
            live.give_up();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}

/// Between half of a duration and all of it, so that many who wait for the same do not come at once.
pub(super) fn jittered(duration: Duration) -> Duration {
    let part = random() % 1_000;
    duration / 2 + duration.mul_f64(part as f64 / 2_000.0)
}

fn random() -> u64 {
    // Each of these has keys of its own.
    RandomState::new().hash_one(0)
}
