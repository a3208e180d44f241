//! The handle.

use std::sync::Arc;

use gone_config::{Calls, CloseReport, Deadline, Section, Stat};

use crate::backend::{self, Backend};
use crate::{FlagsConfig, FlagsError};

/// Switches features on and off. Cheap to clone: a clone is the same handle.
#[derive(Clone, Debug)]
pub struct Flags(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    backend: Box<dyn Backend>,
    calls: Calls,
}

impl Flags {
    /// Connects, within [`FlagsConfig::request_timeout`]. A dropped future leaves no connection.
    ///
    /// # Errors
    /// [`FlagsError::Config`], before anything is asked; else as the calls.
    pub async fn connect(config: &FlagsConfig) -> Result<Self, FlagsError> {
        config.validate()?;
        let calls = Calls::new(config.request_timeout);
        let backend = calls.run(backend::open(config)).await?;
        Ok(Self(Arc::new(Inner { backend, calls })))
    }

    /// Switches a feature on or off. A dropped future leaves it as it was, or switched.
    ///
    /// # Errors
    /// [`FlagsError`]; its [`outcome`](FlagsError::outcome) says whether it may have been switched all the same.
    pub async fn set(&self, name: &str, on: bool) -> Result<(), FlagsError> {
        self.0.calls.run(self.0.backend.set(name, on)).await
    }

    /// Whether a feature is on; one that was never switched is off. A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`FlagsError`].
    pub async fn is_on(&self, name: &str) -> Result<bool, FlagsError> {
        self.0.calls.run(self.0.backend.is_on(name)).await
    }

    /// Asks the store for an answer. A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`FlagsError`].
    pub async fn ping(&self) -> Result<(), FlagsError> {
        self.0.calls.run(self.0.backend.ping()).await
    }

    /// Refuses further calls, of all clones, and waits for those under way until the deadline; the report counts what still ran.
    /// Harmless twice. A dropped future leaves it closed.
    pub async fn close(&self, deadline: Deadline) -> CloseReport {
        self.0.calls.close(deadline).await
    }

    /// Of all handles together.
    pub(crate) fn figures(handles: &[Self]) -> Vec<Stat> {
        vec![Stat::gauge("calls_under_way", handles.iter().map(|it| it.0.calls.under_way()).sum::<u64>())]
    }
}
