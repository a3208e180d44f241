//! The container's side.

use gone_config::component;

use crate::{Flags, FlagsConfig};

component! {
    /// Opens flags: `#[gone] flags: Flags` reads the section `flags` of the config, `#[gone("*,beta")] flags: Flags` the section
    /// `flags.beta`.
    pub struct FlagsProvider provides Flags, reads FlagsConfig;
}
