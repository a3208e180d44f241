//! Coordination for Gone: service registry, config centre, locks and instance ids.

#[allow(dead_code, reason = "the parts that use it follow")]
mod backend;
mod config;
mod error;
#[allow(dead_code, reason = "the parts that use it follow")]
mod registry;

pub use config::ConfigError;
pub use error::CoordError;
#[cfg(feature = "grpc")]
pub use registry::OutlierPolicy;
pub use registry::{Authority, ServiceInfo};
