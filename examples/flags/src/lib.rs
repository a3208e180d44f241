//! Feature flags for Gone: `#[gone] flags: Flags`, on in memory or in Redis.

mod backend;
mod config;
mod error;
mod flags;
mod provider;

pub use config::FlagsConfig;
pub use error::FlagsError;
pub use flags::Flags;
pub use provider::{FlagsProvider, module};
