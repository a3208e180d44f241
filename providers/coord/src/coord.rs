//! The handle: connecting, asking after it, closing it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gone_config::{Section, SectionError};
use gone_core::{CloseReport, Deadline};
use gone_kit::{Clock, Outcome};
use tokio::time::timeout;

use crate::backend::{Backend, Rooted, memory::Memory};
use crate::config::Address;
use crate::registry::{Directory, Registry};
use crate::sessions::Sessions;
use crate::{ConfigCentre, CoordConfig, CoordError, InstanceIds, Locks};

/// A connection to a coordination service: registry, config centre, locks and instance ids over one store.
///
/// A clone is the same connection, and so is each part of it, such as a [`ConfigCentre`]. It belongs to the runtime that it was
/// made on. When the last one is dropped without [`close`](Self::close), its watches end, and what it holds is not given back,
/// but runs out by itself, as if the process had been killed.
#[derive(Clone)]
pub struct Coord {
    shared: Arc<Shared>,
}

/// What all parts of one connection share.
pub(crate) struct Shared {
    /// Under the root of the config.
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) clock: Clock,
    pub(crate) config: CoordConfig,
    pub(crate) directory: Directory,
}

impl Shared {
    /// With the default config, for tests.
    #[cfg(test)]
    pub(crate) fn over(backend: Arc<dyn Backend>) -> Arc<Self> {
        let clock = Clock::system();
        let sessions = Arc::new(Sessions::new(backend.clone(), clock.clone()));
        let directory = Directory::new(backend.clone(), sessions.clone());
        Arc::new(Self { backend, sessions, clock, config: CoordConfig::default(), directory })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.backend.abandon();
    }
}

impl Coord {
    /// Connects to the service of `config`, and takes at most [`CoordConfig::dial_timeout`] for it.
    ///
    /// A dropped future leaves no connection.
    ///
    /// # Errors
    /// [`CoordError::Config`]; [`CoordError::Unavailable`], [`CoordError::Timeout`] or [`CoordError::Refused`] when the
    /// service does not answer.
    pub async fn connect(config: &CoordConfig) -> Result<Self, CoordError> {
        Self::connect_with_clock(config, Clock::system()).await
    }

    /// As [`connect`](Self::connect), with the clock by which leases are reckoned: for tests. A dropped future leaves no
    /// connection.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub async fn connect_with_clock(config: &CoordConfig, clock: Clock) -> Result<Self, CoordError> {
        config.validate()?;
        let address = Address::parse(&config.url).map_err(SectionError::from)?;
        let after = config.dial_timeout;
        let opened = async {
            let backend = open(address, config, &clock).await?;
            backend.ping().await?;
            Ok::<_, CoordError>(backend)
        };
        let no_answer = |_| CoordError::Timeout { operation: "connect", after, outcome: Outcome::NotApplied };
        let backend = timeout(after, opened).await.map_err(no_answer)??;
        let backend = Rooted::over(backend, &config.root);
        let sessions = Arc::new(Sessions::new(backend.clone(), clock.clone()));
        let directory = Directory::new(backend.clone(), sessions.clone());
        Ok(Self { shared: Arc::new(Shared { backend, sessions, clock, config: config.clone(), directory }) })
    }

    /// The config centre.
    pub fn config(&self) -> ConfigCentre {
        ConfigCentre::new(Arc::clone(&self.shared))
    }

    /// The registry of services.
    pub fn registry(&self) -> Registry {
        Registry::new(Arc::clone(&self.shared))
    }

    /// The locks.
    pub fn lock(&self) -> Locks {
        Locks::new(Arc::clone(&self.shared))
    }

    /// The instance ids of a service, 1 to `max`. However often this is asked for, they are the same ids.
    ///
    /// # Errors
    /// [`CoordError::Invalid`] for a name that is empty, longer than 256 bytes or holds a slash, and for a `max` of 0 or
    /// above 1,000,000.
    pub fn instance_ids(&self, service: &str, max: u32) -> Result<InstanceIds, CoordError> {
        InstanceIds::new(Arc::clone(&self.shared), service, max)
    }

    /// Asks whether the service answers, and takes at most [`CoordConfig::request_timeout`]. A dropped future leaves nothing
    /// behind.
    ///
    /// # Errors
    /// [`CoordError::Closed`] after [`close`](Self::close); [`CoordError::Unavailable`], [`CoordError::Timeout`] or
    /// [`CoordError::Refused`] when the service does not answer.
    pub async fn ping(&self) -> Result<(), CoordError> {
        self.shared.backend.ping().await
    }

    /// The figures of the connection, right now.
    pub fn stats(&self) -> CoordStats {
        let (sessions, oldest_renewal) = self.shared.sessions.lives();
        CoordStats { sessions, oldest_renewal }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The scheme of the backend, such as `memory`.
    pub fn backend(&self) -> &'static str {
        self.shared.backend.name()
    }

    /// Closes the connection for all clones: gives back what is held, locks, ids and registrations, ends all watches, and
    /// takes at most `deadline` for it. From now on everything is [`CoordError::Closed`].
    ///
    /// Never fails: what could not be given back runs out by itself, and the report counts it as lost. Closing twice is
    /// harmless. A dropped future leaves the rest to run out.
    pub async fn close(&self, deadline: Deadline) -> CloseReport {
        let registrations = self.shared.directory.close(deadline).await;
        let backend = self.shared.backend.close(deadline).await;
        backend.lost(backend.lost + registrations.lost)
    }
}

/// The figures of a [`Coord`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoordStats {
    /// Sessions that live: one for each ttl by which something is held.
    pub sessions: u64,
    /// How long ago the session was last renewed that waits longest for it; zero without sessions.
    pub oldest_renewal: Duration,
}

impl fmt::Debug for Coord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.shared.config;
        f.debug_struct("Coord").field("url", &config.url).field("root", &config.root).finish_non_exhaustive()
    }
}

async fn open(address: Address, config: &CoordConfig, clock: &Clock) -> Result<Arc<dyn Backend>, CoordError> {
    match address {
        Address::Memory { name } => Ok(Arc::new(Memory::open(&name, clock))),
        #[cfg(feature = "etcd")]
        Address::Etcd { endpoints, tls } => {
            use crate::backend::etcd::{Etcd, Settings, Tls};
            let scheme = if tls { "https" } else { "http" };
            let tls = config.tls.clone().unwrap_or_default();
            let settings = Settings {
                endpoints: endpoints.iter().map(|endpoint| format!("{scheme}://{endpoint}")).collect(),
                user: config.username.clone().zip(config.password.clone()),
                tls: Tls { ca_file: tls.ca_file, identity: tls.cert_file.zip(tls.key_file) },
                dial_timeout: config.dial_timeout,
                request_timeout: config.request_timeout,
                keep_alive_time: config.keep_alive_time,
                keep_alive_timeout: config.keep_alive_timeout,
                probe_interval: config.probe_interval,
                probe_timeout: config.probe_timeout,
                clock: clock.clone(),
            };
            Ok(Arc::new(Etcd::open(settings).await?))
        }
        #[cfg(not(feature = "etcd"))]
        Address::Etcd { .. } => {
            // Refused with the section already.
            let _ = config;
            Err(CoordError::Unsupported { operation: "connect", backend: "etcd" })
        }
    }
}
