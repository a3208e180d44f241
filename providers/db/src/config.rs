//! What an application says about its database: defaults by profile, and the check of every value.

use std::ops::RangeInclusive;
use std::time::Duration;

use gone_config::{Faults, Section, SectionFault};
use gone_kit::BackendUrl;
use serde::{Deserialize, Serialize};

use crate::backend;

/// Settings of one database.
///
/// A section of a configuration file: keys are the field names, every one may be left out, an unknown one is refused.
/// Durations are text (`"5m"`, `"1h30m"`, `"250ms"`) or an integer of milliseconds. A value out of bounds is an error of
/// [`validate`](Section::validate), never corrected in silence.
///
/// `Debug` shows the address without its credentials. Serialized, the address is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DbConfig {
    /// Where the database is. The scheme chooses the backend: `sqlite:`, `postgres:`, `mysql:`.
    ///
    /// `sqlite:<path>` is a file, created with its parent folders when missing; a relative path starts at the working
    /// directory. `?mode=` takes `rwc` (the default), `rw` (must exist), `ro` or `memory`. `sqlite::memory:` lives in this
    /// process, on one connection, as long as the handle does.
    ///
    /// Default `sqlite:data/gone.db`.
    pub url: BackendUrl,
    /// Connections that may be open at once, 1 to 10,000. Default 25, in production 100. `sqlite::memory:` has one.
    pub max_connections: u32,
    /// Connections kept open while nobody uses them, at most `max_connections`. Default 5, in production 10.
    ///
    /// Checked as each connection comes back; connections that come back at the same instant may exceed it for a while.
    pub max_idle_connections: u32,
    /// Connections opened ahead and kept, at most `max_idle_connections`. Default 0.
    pub min_connections: u32,
    /// How long a caller waits for a connection, the opening of a new one included, 1 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::DurationText")]
    pub acquire_timeout: Duration,
    /// How long [`Db::connect`](crate::Db::connect) and [`Db::ping`](crate::Db::ping) may take, 1 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::DurationText")]
    pub connect_timeout: Duration,
    /// Age of an unused connection at which it is closed, 1 s to 7 d. Default 30 min.
    #[serde(with = "gone_config::DurationText")]
    pub idle_timeout: Duration,
    /// Age of a connection at which it is replaced, 1 s to 7 d. Default 5 min, in production 1 h.
    #[serde(with = "gone_config::DurationText")]
    pub max_lifetime: Duration,
    /// Time a statement may take before it is logged as slow, 1 ms to 1 h. Default 100 ms, in production 500 ms.
    #[serde(with = "gone_config::DurationText")]
    pub slow_threshold: Duration,
    /// Which statements are logged. Default `info`, in production `warn`.
    pub log_level: LogLevel,
}

impl Section for DbConfig {
    const NAME: &'static str = "db";

    fn production() -> Self {
        Self {
            max_connections: 100,
            max_idle_connections: 10,
            max_lifetime: Duration::from_secs(60 * 60),
            slow_threshold: Duration::from_millis(500),
            log_level: LogLevel::Warn,
            ..Self::default()
        }
    }

    fn check(&self, faults: &mut Faults) {
        const SHORT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(10 * 60);
        const LONG: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);

        backend::check(&self.url, faults);
        faults.within("max_connections", self.max_connections, 1..=10_000);
        // What bounds it is wrong itself if it is 0, and told already.
        if self.max_connections > 0 {
            at_most(faults, "max_idle_connections", self.max_idle_connections, self.max_connections, "max_connections");
        }
        let most = self.max_idle_connections;
        at_most(faults, "min_connections", self.min_connections, most, "max_idle_connections");
        faults.within("acquire_timeout", self.acquire_timeout, SHORT);
        faults.within("connect_timeout", self.connect_timeout, SHORT);
        faults.within("idle_timeout", self.idle_timeout, LONG);
        faults.within("max_lifetime", self.max_lifetime, LONG);
        faults.within("slow_threshold", self.slow_threshold, Duration::from_millis(1)..=Duration::from_secs(60 * 60));
    }
}

/// A number that another setting bounds.
fn at_most(faults: &mut Faults, field: &'static str, value: u32, most: u32, by: &str) {
    if value > most {
        let bounds = format!("0 to {most} ({by})");
        faults.push(SectionFault::OutOfBounds { field, value: value.to_string(), bounds });
    }
}

/// The defaults of the profile `development`.
impl Default for DbConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:data/gone.db".into(),
            max_connections: 25,
            max_idle_connections: 5,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30 * 60),
            max_lifetime: Duration::from_secs(5 * 60),
            slow_threshold: Duration::from_millis(100),
            log_level: LogLevel::Info,
        }
    }
}

gone_kit::named! {
    /// Which statements are logged through `tracing`, under the target `gone_db`. Each level includes those before it.
    ///
    /// What is logged is the SQL text and its figures; bound values never are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum LogLevel ("log level") {
        /// None.
        Silent = "silent",
        /// Those that failed, as `ERROR`. A violated constraint is an answer to the caller and not logged.
        Error = "error",
        /// Those slower than [`DbConfig::slow_threshold`], as `WARN`.
        Warn = "warn",
        /// All, as `INFO`.
        Info = "info",
    }
}
