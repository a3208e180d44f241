//! Coordination for Gone: service registry, config centre, locks and instance ids, over one store.
//!
//! [`Coord`] is a connection to the store that [`CoordConfig::url`] names. Its scheme chooses the backend: `memory:` is this
//! process alone and the default, `etcd:` a cluster of etcd, behind the feature `etcd`. Both promise the same, and run the
//! same tests.
//!
//! ```
//! use std::time::Duration;
//!
//! use gone_coord::{Coord, CoordConfig, CoordError};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), CoordError> {
//! let coord = Coord::connect(&CoordConfig::default()).await?;
//! let config = coord.config();
//! let version = config.set("/config/dev/orders/limit", &60).await?;
//! assert_eq!(config.get_with_version::<u32>("/config/dev/orders/limit").await?, (60, version));
//!
//! let lock = coord.lock().acquire("import", Duration::from_secs(10)).await?;
//! lock.check()?; // before each step
//! lock.unlock().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Failures
//!
//! Each call has a time limit. Each [`CoordError`] of a write tells by [`outcome`](CoordError::outcome) whether it was done.
//! What is held has a deadline on this process's own clock, before the store may give it to somebody else; what is lost is lost
//! for good. A [`Watch`] and what is built on it, [`Followed`] values and the registry, goes on by itself when the connection
//! comes back, and ends up with what is stored.
//!
//! # Dropped futures
//!
//! A future may be dropped at any time. What it leaves behind stands at each function: of a write, that it was done, was not, or
//! still may be; of a try to hold something, nothing, or what runs out by itself.
//!
//! # In a container
//!
//! [`module`] loads the provider of [`Coord`]; [`RemoteConfig`] makes the config centre a part of the service's config.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod backoff;
mod centre;
mod config;
mod coord;
mod error;
mod follow;
mod holding;
mod ids;
mod lock;
mod provider;
mod registry;
mod remote;
mod sessions;
mod supervised;
mod value;
mod watch;

#[cfg(feature = "grpc")]
#[doc(no_inline)]
pub use tonic;

pub use centre::ConfigCentre;
pub use config::{CoordConfig, TlsConfig};
pub use coord::{Coord, CoordStats};
pub use error::CoordError;
pub use follow::{Entries, Followed};
#[doc(no_inline)]
pub use gone_config::{Section, SectionError, SectionFault};
#[doc(no_inline)]
pub use gone_core::{CloseReport, Deadline};
#[doc(no_inline)]
pub use gone_kit::{BackendUrl, Change, Changes, Clock, Lease, LeaseEnd, Outcome, ReloadStatus, Secret, Stat};
pub use ids::{InstanceId, InstanceIds};
pub use lock::{GuardedWrite, Lock, Locks};
pub use provider::{CoordProvider, module};
pub use registry::{
    Authority, Discovery, Instances, Registration, RegistrationStatus, Registry, RegistryConfig, RegistryStats,
    ServiceEvent, ServiceEvents, ServiceInfo,
};
#[cfg(feature = "grpc")]
pub use registry::{ChannelOptions, ChannelStats, OutlierPolicy, ServiceChannel};
pub use remote::{RemoteConfig, RemoteConfigFollower};
pub use watch::{Watch, WatchEvent, WatchStatus};

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
