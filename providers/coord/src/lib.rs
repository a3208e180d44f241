//! Coordination for Gone: service registry, config centre, locks and instance ids.

#[allow(dead_code, reason = "the parts that use it follow")]
mod backend;
mod config;
mod error;

pub use config::ConfigError;
pub use error::CoordError;
