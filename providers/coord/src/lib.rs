//! Coordination for Gone: service registry, config centre, locks and instance ids.

#[allow(dead_code, reason = "the parts that use it follow")]
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
mod value;
mod watch;

pub use centre::ConfigCentre;
pub use config::{ConfigError, ConfigFault, CoordConfig, TlsConfig};
pub use coord::{Coord, CoordStats};
pub use error::CoordError;
pub use follow::{Entries, Followed};
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
