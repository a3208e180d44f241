//! Coordination for Gone: service registry, config centre, locks and instance ids.

#[allow(dead_code, reason = "the parts that use it follow")]
mod backend;
mod backoff;
mod centre;
mod config;
mod coord;
mod error;
mod holding;
mod ids;
mod lock;
mod provider;
mod sessions;
mod value;
mod watch;

pub use centre::ConfigCentre;
pub use config::{ConfigError, ConfigFault, CoordConfig, TlsConfig};
pub use coord::{Coord, CoordStats};
pub use error::CoordError;
pub use ids::{InstanceId, InstanceIds};
pub use lock::{GuardedWrite, Lock, Locks};
pub use provider::{CoordProvider, module};
pub use watch::{Watch, WatchEvent, WatchStatus};
