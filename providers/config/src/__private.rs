//! What `component!` needs. Not for use by hand: it changes without notice.

pub use crate::component::{accepts, open};
pub use async_trait::async_trait;
pub use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
pub use gone_macros::Goner;
pub use tracing;

/// All of the core, so that a provider need not depend on it. Were the crate itself exported here, the compiler would take this for
/// its path, and say so in messages.
pub mod core {
    pub use gone_core::*;
}
