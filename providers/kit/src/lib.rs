//! What the providers of Gone share and the container does not need.
//!
//! - [`HealthIndicator`] and [`check_all`]: whether a component works, asked in parallel, each
//!   within its own time.
//! - [`StatsReader`]: a component's figures, read by whoever exports them.
//! - [`Reload`]: a value that is replaced as a whole while others read it, the last good one kept.
//! - [`Clock`] and [`ManualClock`]: time, injectable.
//! - [`Lease`]: a right that lasts until a deadline, is renewed, and may be lost; [`LeaseKeeper`]
//!   is the side that renews.
//! - [`Calls`]: the calls of a handle, a limit for each and an end for all.
//! - [`Outcome`]: what became of a remote write.
//! - [`Secret`]: a value that is never shown; [`looks_secret`]: whether a name is that of one.
//! - [`BackendUrl`], [`Scheme`] and [`choose`]: a backend chosen by the scheme of a URL, which is
//!   shown without its password ([`redact_url`]).
//! - [`named!`]: an enum whose variants stand in a config as names; [`nearest`]: the name that was
//!   probably meant.

mod backend_url;
mod calls;
mod clock;
mod health;
mod lease;
mod names;
mod outcome;
mod redact;
mod reload;
mod scheme;
mod secret;
mod secret_name;
mod stats;

/// What an `impl` of [`HealthIndicator`], or of another trait with async functions that is used as `dyn`, is marked with.
#[doc(no_inline)]
pub use async_trait::async_trait;
pub use backend_url::BackendUrl;
pub use calls::{CallError, Calls};
pub use clock::{Clock, ManualClock};
pub use health::{Health, HealthEntry, HealthIndicator, HealthReport, Status, check_all};
pub use lease::{Lease, LeaseEnd, LeaseGrant, LeaseKeeper};
pub use names::{UnknownName, nearest};
pub use outcome::Outcome;
pub use redact::redact_url;
pub use reload::{Change, Changes, Reload, ReloadError, ReloadStatus, StatusChanges};
pub use scheme::{MalformedUrl, Scheme, UnknownScheme, choose, scheme_of};
#[doc(hidden)]
pub use secret::SECRET_NAME;
pub use secret::{HIDDEN, Secret};
pub use secret_name::looks_secret;
pub use stats::{Stat, StatKind, StatValue, StatsReader};

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
