//! Feature flags for Gone: `#[gone] flags: Flags`, on in memory or in Redis.

mod backend;
mod config;
mod error;
mod flags;

pub use config::FlagsConfig;
pub use error::FlagsError;
pub use flags::Flags;

gone_config::component! {
    /// Opens flags: `#[gone] flags: Flags` reads the section `flags` of the config, `#[gone("*,beta")] flags: Flags` the section
    /// `flags.beta`.
    pub struct FlagsProvider provides Flags, reads FlagsConfig;
}
