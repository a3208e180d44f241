//! Which services are there, and where.

#[cfg(feature = "grpc")]
mod channel;
mod config;
mod discovery;
mod events;
mod guard;
mod info;
mod keeper;
mod kept;
mod registration;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gone_core::{CloseReport, Deadline};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout_at};

use self::keeper::Claim;
use self::kept::Kept;
use crate::CoordError;
use crate::backend::{Backend, Range};
use crate::coord::Shared;
use crate::sessions::{Sessions, check_ttl};
use crate::watch::Watch;
use crate::watch::feed::Feed;

#[cfg(feature = "grpc")]
pub use channel::{ChannelOptions, ChannelStats, OutlierPolicy, ServiceChannel};
pub use config::RegistryConfig;
pub use discovery::{Discovery, Instances};
pub use events::{ServiceEvent, ServiceEvents};
pub use info::{Authority, ServiceInfo};
pub use registration::{Registration, RegistrationStatus};
pub use stats::RegistryStats;

/// How many services one connection may follow at once.
const MOST_SERVICES: usize = 1_000;

/// Which services are there, and where; what [`Coord::registry`](crate::Coord::registry) gives.
///
/// ```
/// use std::time::Duration;
/// use gone_coord::{Coord, CoordConfig, ServiceInfo};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), gone_coord::CoordError> {
/// let coord = Coord::connect(&CoordConfig::default()).await?;
/// let info = ServiceInfo::new("users", "users-1", "10.0.0.7", 9000).with_metadata("zone", "b");
/// let registration = coord.registry().register(info, Duration::from_secs(10)).await?;
///
/// let users = coord.registry().discovery("users").await?;
/// assert_eq!(users.pick().expect("one is registered").authority().to_string(), "10.0.0.7:9000");
///
/// registration.unregister().await?;
/// assert!(coord.registry().discover("users").await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// What one connection has registered, and what it follows.
pub(crate) struct Directory {
    kept: Arc<Kept>,
    followed: Mutex<BTreeMap<String, Arc<OnceCell<Discovery>>>>,
    #[cfg(feature = "grpc")]
    channels: Mutex<BTreeMap<String, ServiceChannel>>,
}

impl Registry {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// Registers an instance, until the [`Registration`] is dropped. If this process is gone without a word, its peers stop to
    /// find it after `ttl`: whole seconds, 1 s to 1 h.
    ///
    /// What stood under the same service and id is replaced, in one step: a process that comes back after a crash need not wait
    /// for its own ttl. If this [`Coord`](crate::Coord) has put it, the older [`Registration`] has ended, and has no power over
    /// the new one.
    ///
    /// A dropped future leaves nothing registered: what was put all the same is removed in the background.
    ///
    /// # Errors
    ///
    /// [`CoordError::Invalid`] for what cannot be registered; [`CoordError::Conflict`] when the same id is registered anew or
    /// unregistered meanwhile; [`CoordError::Closed`]; [`CoordError::Unavailable`], [`CoordError::Timeout`] or
    /// [`CoordError::Refused`] when the store did not answer as it should. This call has then registered nothing, and where it was
    /// to replace what this [`Coord`](crate::Coord) had registered, that is gone too, save after [`CoordError::Invalid`].
    pub async fn register(&self, info: ServiceInfo, ttl: Duration) -> Result<Registration, CoordError> {
        info.validate()?;
        check_ttl(ttl)?;
        let value = info.encode().into();
        Registration::begin(&self.directory().kept, Claim { info, ttl, value }).await
    }

    /// Unregisters what this [`Coord`](crate::Coord) has registered under an id, whatever the service, as
    /// [`Registration::unregister`] does. A dropped future, or an error, leaves the rest to the background.
    ///
    /// # Errors
    ///
    /// [`CoordError::NotFound`] when it has registered no such id, and those of [`Registration::unregister`].
    pub async fn unregister(&self, id: &str) -> Result<(), CoordError> {
        let given_up = self.directory().kept.give_up(id);
        if given_up.is_empty() {
            return Err(CoordError::NotFound { key: id.to_owned() });
        }
        for (slot, turn) in given_up {
            registration::gone(&slot, turn).await?;
        }
        Ok(())
    }

    /// Unregisters all that this [`Coord`](crate::Coord) has registered, then waits until peers have heard of it
    /// ([`RegistryConfig::drain_delay`]); gives how many could not be unregistered and are left to run out.
    ///
    /// This comes first when a process stops, while its servers still answer: then no call fails. The provider does so before
    /// any goner stops; a program without the container calls it before it stops its servers.
    ///
    /// A dropped future leaves the rest to the background.
    pub async fn withdraw(&self) -> u64 {
        let (gone, left) = self.directory().kept.give_up_all(false).await;
        if gone > 0 {
            sleep(self.shared.config.registry.drain_delay).await;
        }
        left
    }

    /// Reads which instances of a service are registered at this moment, in the order of their ids. What cannot be read is
    /// passed over, and named in the log.
    ///
    /// For each call use [`discovery`](Self::discovery), which asks nobody. A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// [`CoordError::Invalid`] for what is no name; [`CoordError::Closed`]; [`CoordError::Unavailable`],
    /// [`CoordError::Timeout`] or [`CoordError::Refused`] when the store did not answer as it should.
    pub async fn discover(&self, service: &str) -> Result<Vec<ServiceInfo>, CoordError> {
        let prefix = info::prefix(service)?;
        let listing = self.shared.backend.list(&Range::Prefix(prefix)).await?;
        let decoded = listing.entries.iter().filter_map(|entry| match ServiceInfo::decode(&entry.key, &entry.value) {
            Ok(info) => Some(info),
            Err(error) => {
                tracing::warn!(target: "gone_coord", %error, "an instance is passed over");
                None
            }
        });
        Ok(decoded.collect())
    }

    /// Watches the instances of a service, one event after the other. A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Those of [`discover`](Self::discover).
    pub async fn watch(&self, service: &str) -> Result<ServiceEvents, CoordError> {
        let feed = self.feed(service).await?;
        Ok(ServiceEvents::new(Watch::start(feed, self.shared.clock.clone())))
    }

    /// Follows the instances of a service, and keeps a picture of them in this process. Whoever asks for the same service gets
    /// the same picture, which is kept until the [`Coord`](crate::Coord) is closed.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Those of [`discover`](Self::discover) the first time, and [`CoordError::Invalid`] when 1,000 services are followed
    /// already.
    pub async fn discovery(&self, service: &str) -> Result<Discovery, CoordError> {
        info::prefix(service)?;
        let cell = self.directory().followed(service)?;
        let follow = async {
            let (feed, clock) = (self.feed(service).await?, self.shared.clock.clone());
            Ok(Discovery::start(service.to_owned(), feed, clock, self.shared.config.registry.hold_empty))
        };
        cell.get_or_try_init(|| follow).await.cloned()
    }

    /// The figures, right now.
    pub fn stats(&self) -> RegistryStats {
        self.directory().stats()
    }

    async fn feed(&self, service: &str) -> Result<Feed, CoordError> {
        let range = Range::Prefix(info::prefix(service)?);
        let (backend, clock) = (Arc::clone(&self.shared.backend), self.shared.clock.clone());
        Feed::open(backend, range, clock, self.shared.config.watch_relist).await
    }
}

#[cfg(feature = "grpc")]
impl Registry {
    /// A gRPC channel to a service, balanced over its instances as they come and go. Whoever asks for the same service gets the
    /// same channel, which is kept until the [`Coord`](crate::Coord) is closed; asking is cheap after the first time.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Those of [`discovery`](Self::discovery). That no instance is registered is an error of the call, not of this.
    pub async fn channel(&self, service: &str) -> Result<ServiceChannel, CoordError> {
        let discovery = self.discovery(service).await?;
        let mut channels = self.directory().channels.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = channels.entry(service.to_owned());
        let clock = self.shared.clock.clone();
        Ok(channel.or_insert_with(|| ServiceChannel::start(discovery, ChannelOptions::default(), clock)).clone())
    }

    /// As [`channel`](Self::channel), with options: over TLS, for instance. Each call makes a channel of its own, with
    /// connections of its own, that ends with its last clone; so keep it.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Those of [`discovery`](Self::discovery).
    pub async fn channel_with(&self, service: &str, options: ChannelOptions) -> Result<ServiceChannel, CoordError> {
        Ok(ServiceChannel::start(self.discovery(service).await?, options, self.shared.clock.clone()))
    }
}

impl Directory {
    pub(crate) fn new(backend: Arc<dyn Backend>, sessions: Arc<Sessions>) -> Self {
        Self {
            kept: Arc::new(Kept::new(backend, sessions)),
            followed: Mutex::default(),
            #[cfg(feature = "grpc")]
            channels: Mutex::default(),
        }
    }

    fn followed(&self, service: &str) -> Result<Arc<OnceCell<Discovery>>, CoordError> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = followed.get(service) {
            return Ok(Arc::clone(cell));
        }
        // One that could not be followed, and that nobody tries to follow now, counts for nothing.
        followed.retain(|_, cell| cell.initialized() || Arc::strong_count(cell) > 1);
        if followed.len() >= MOST_SERVICES {
            let reason = format!("{MOST_SERVICES} services are followed already, and no more are allowed");
            return Err(CoordError::Invalid { argument: "name", reason });
        }
        Ok(Arc::clone(followed.entry(service.to_owned()).or_default()))
    }

    /// Unregisters everything, and lets nothing more be registered.
    pub(crate) async fn close(&self, deadline: Deadline) -> CloseReport {
        let (wanted, _) = self.kept.standing();
        match timeout_at(deadline.instant(), self.kept.give_up_all(true)).await {
            Ok((_, left)) => CloseReport::clean().lost(left),
            Err(_) => CloseReport::clean().lost(wanted),
        }
    }

    fn stats(&self) -> RegistryStats {
        let (registrations, there) = self.kept.standing();
        let (registrations_lost, registrations_restored) = self.kept.counters();
        let followed: Vec<_> = {
            let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
            followed.values().filter_map(|cell| cell.get().cloned()).collect()
        };
        #[cfg(feature = "grpc")]
        let channels = {
            let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
            channels.values().map(ServiceChannel::stats).fold(ChannelStats::default(), ChannelStats::and)
        };
        RegistryStats {
            registrations,
            registrations_missing: registrations - there,
            registrations_lost,
            registrations_restored,
            services: followed.len() as u64,
            services_stale: followed.iter().filter(|discovery| !discovery.status().connected).count() as u64,
            undecodable: followed.iter().map(|discovery| discovery.instances().undecodable() as u64).sum(),
            #[cfg(feature = "grpc")]
            channels,
        }
    }
}
