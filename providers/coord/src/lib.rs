//! Coordination for Gone: service registry, config centre, locks and instance ids.

#[allow(dead_code, reason = "the parts that use it follow")]
mod backend;
mod backoff;
mod centre;
mod config;
mod coord;
mod error;
#[allow(dead_code, reason = "the parts that use it follow")]
mod holding;
#[allow(dead_code, reason = "the parts that use it follow")]
mod registry;
#[allow(dead_code, reason = "the parts that use it follow")]
mod sessions;
mod value;
mod watch;

pub use centre::ConfigCentre;
pub use config::{ConfigError, ConfigFault, CoordConfig, TlsConfig};
pub use coord::Coord;
pub use error::CoordError;
pub use registry::{
    Authority, Discovery, Instances, Registration, RegistrationStatus, Registry, RegistryConfig, ServiceEvent, ServiceEvents,
    ServiceInfo,
};
#[cfg(feature = "grpc")]
pub use registry::{ChannelOptions, ChannelStats, OutlierPolicy, ServiceChannel};
pub use watch::{Watch, WatchEvent, WatchStatus};
