//! What `component!` needs. Not for use by hand: it changes without notice.

pub use crate::component::{accepts, open};
pub use async_trait::async_trait;
pub use gone_core;
pub use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
pub use gone_macros::Goner;
pub use tracing;
