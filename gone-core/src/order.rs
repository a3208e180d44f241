//! The presets of [`Spec::order`](crate::Spec::order), as Gone has them: a lower order starts first and stops last.

/// Starts early.
pub const HIGH: i32 = -100;
/// What everything has unless said.
pub const MEDIUM: i32 = 0;
/// Starts late.
pub const LOW: i32 = 100;
