//! What a request may ask for and what it may cost.

use std::time::Duration;

use gone::Live;
use serde::Deserialize;

use crate::message::{Invalid, PageLimits};

/// What a request may ask for and what it may cost. What is live is read anew for each request.
#[derive(Debug, Clone)]
pub struct RequestLimits {
    /// The most bytes of a body; 64 KiB by default.
    pub body_bytes: Live<BodyBytes>,
    /// How long a whole body may take to arrive; 10 seconds by default.
    pub body_timeout: Duration,
    /// How many messages a listing returns.
    pub page: Live<PageLimits>,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            body_bytes: Live::constant(BodyBytes::default()),
            body_timeout: Duration::from_secs(10),
            page: Live::constant(PageLimits::default()),
        }
    }
}

/// The most bytes that a body may have: 1 to 16 MiB, 64 KiB by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct BodyBytes(usize);

impl BodyBytes {
    /// The most that can be allowed: a body is read into memory as a whole.
    pub const BOUND: usize = 16 * 1024 * 1024;

    /// The number.
    pub fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for BodyBytes {
    type Error = Invalid;

    fn try_from(bytes: usize) -> Result<Self, Invalid> {
        if !(1..=Self::BOUND).contains(&bytes) {
            return Err(Invalid::new("body_bytes", format!("must be a whole number from 1 to {}", Self::BOUND)));
        }
        Ok(Self(bytes))
    }
}

impl Default for BodyBytes {
    fn default() -> Self {
        Self(64 * 1024)
    }
}
