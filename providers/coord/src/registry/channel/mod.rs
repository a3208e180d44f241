//! gRPC channels that follow the registry.

mod balance;
mod body;
mod outlier;

pub use outlier::OutlierPolicy;
