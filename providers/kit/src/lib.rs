//! What the providers of Gone share and the container does not need.
//!
//! - [`HealthIndicator`] and [`check_all`]: whether a component works, asked in parallel, each
//!   within its own time.
//! - [`StatsReader`]: a component's figures, read by whoever exports them.
//! - [`scheme_of`], [`UnknownScheme`] and [`redact_url`]: a backend chosen by the scheme of a URL,
//!   and that URL in a message without its password.

mod health;
mod redact;
mod scheme;
mod stats;

pub use health::{Health, HealthEntry, HealthIndicator, HealthReport, Status, check_all};
pub use redact::redact_url;
pub use scheme::{MalformedUrl, Scheme, UnknownScheme, scheme_of};
pub use stats::{Stat, StatKind, StatValue, StatsReader};
