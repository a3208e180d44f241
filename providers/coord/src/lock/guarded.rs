//! Writes that are done only while something is held.

use serde::Serialize;

use crate::CoordError;
use crate::backend::Step;
use crate::holding::Holding;
use crate::value::{check_key, encode};

/// Writes that are done together, and only if a lock is still held: [`Lock::guarded`](crate::Lock::guarded).
///
/// The keys are those of the config centre, absolute, and the values JSON.
#[must_use = "nothing is written until `commit`"]
pub struct GuardedWrite<'a> {
    holding: &'a Holding,
    steps: Vec<Step>,
}

impl<'a> GuardedWrite<'a> {
    pub(super) fn new(holding: &'a Holding) -> Self {
        Self { holding, steps: Vec::new() }
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for a key that is not absolute, and for a value that JSON cannot hold or that is too large.
    pub fn set<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Result<Self, CoordError> {
        check_key("key", key)?;
        self.steps.push(Step::Put { key: key.to_owned(), value: encode(value)?, session: 0 });
        Ok(self)
    }

    /// Deletes a key, if it is there.
    pub fn delete(mut self, key: &str) -> Self {
        self.steps.push(Step::Delete(key.to_owned()));
        self
    }

    /// Does all of it, or nothing; the version that the keys have afterwards. At most 128 keys, each once.
    ///
    /// A dropped future leaves it done, not done, or still to be done if the lock is held then.
    ///
    /// # Errors
    /// [`CoordError::Lost`] when the lock is no longer held, [`CoordError::Invalid`] for too many keys or one that comes
    /// twice: nothing was written. The others say it by [`outcome`](CoordError::outcome).
    pub async fn commit(self) -> Result<i64, CoordError> {
        let Self { holding, steps } = self;
        holding.guarded("commit", Vec::new(), steps, Vec::new()).await.map(|committed| committed.revision)
    }
}

impl std::fmt::Debug for GuardedWrite<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = |step: &Step| match step {
            Step::Put { key, .. } | Step::Delete(key) => Some(key.clone()),
            Step::Read(_) | Step::Neighbour { .. } => None,
        };
        let keys: Vec<_> = self.steps.iter().filter_map(key).collect();
        f.debug_struct("GuardedWrite").field("lock", &self.holding.name()).field("keys", &keys).finish()
    }
}
