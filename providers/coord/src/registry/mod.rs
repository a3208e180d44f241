//! Which services are there, and where.

#[cfg(feature = "grpc")]
mod channel;
mod info;

#[cfg(feature = "grpc")]
pub use channel::OutlierPolicy;
pub use info::{Authority, ServiceInfo};
