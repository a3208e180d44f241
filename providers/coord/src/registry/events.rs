//! What happens to the instances of a service, one thing after the other.

use std::fmt;
use std::sync::Arc;

use super::ServiceInfo;
use crate::CoordError;
use crate::watch::feed::Update;
use crate::watch::{Watch, WatchStatus};

/// What has happened to one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServiceEvent {
    /// It is registered, or registered with other values than before.
    Put(Arc<ServiceInfo>),
    /// It is gone; this is what was known of it.
    Delete(Arc<ServiceInfo>),
    /// There is a key of the service under which no instance can be read.
    Undecodable {
        /// The key.
        key: String,
        /// Why: [`CoordError::Decode`].
        error: CoordError,
    },
}

/// What happens to the instances of a service since the watch began; what [`Registry::watch`](super::Registry::watch) gives.
///
/// It keeps the promises of a [`Watch`]: whatever happens to the connection, its reader ends up with what is registered; of an
/// instance that changes several times while nobody reads, the last state is told. Dropping it ends it.
#[must_use = "dropping it ends it"]
pub struct ServiceEvents(Watch<ServiceInfo>);

impl ServiceEvents {
    pub(super) fn new(watch: Watch<ServiceInfo>) -> Self {
        Self(watch)
    }

    /// What was registered when the watch began; the changes after it are what [`next`](Self::next) tells, none is between. A
    /// second call gives nothing.
    pub fn initial(&mut self) -> Vec<ServiceEvent> {
        self.0.initial_entries().iter().map(|entry| put(&entry.key, &entry.value)).collect()
    }

    /// Waits for the next event; `None` once the [`Coord`](crate::Coord) is closed and all was told. A dropped future loses
    /// nothing.
    pub async fn next(&mut self) -> Option<ServiceEvent> {
        loop {
            match self.0.next_update().await? {
                Update::Put { entry, .. } => return Some(put(&entry.key, &entry.value)),
                // Nobody was told of what could not be read.
                Update::Delete { last, .. } => {
                    if let Ok(info) = ServiceInfo::decode(&last.key, &last.value) {
                        return Some(ServiceEvent::Delete(Arc::new(info)));
                    }
                }
            }
        }
    }

    /// How the watch stands.
    pub fn status(&self) -> WatchStatus {
        self.0.status()
    }
}

fn put(key: &str, value: &[u8]) -> ServiceEvent {
    match ServiceInfo::decode(key, value) {
        Ok(info) => ServiceEvent::Put(Arc::new(info)),
        Err(error) => ServiceEvent::Undecodable { key: key.to_owned(), error },
    }
}

impl fmt::Debug for ServiceEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceEvents").field(&self.0).finish()
    }
}
