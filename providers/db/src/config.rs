//! What an application says about its database: defaults by profile, and the check of every value.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::backend;
use crate::error::ConfigError;
use crate::nearness::near_misses;
use gone_kit::redact_url;

const PROFILES: [&str; 2] = ["development", "production"];

/// Settings of one database.
///
/// A section of a configuration file: keys are the field names, every one may be left out, an unknown one is refused.
/// Durations are text (`"5m"`, `"1h30m"`, `"250ms"`) or an integer of milliseconds. A value out of bounds is an error of
/// [`validate`](DbConfig::validate), never corrected in silence.
///
/// `Debug` shows the address without its credentials. Serialized, the address is complete.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub url: String,
    /// Connections that may be open at once, 1 to 10,000. Default 25, in production 100. `sqlite::memory:` has one.
    pub max_connections: u32,
    /// Connections kept open while nobody uses them, at most `max_connections`. Default 5, in production 10.
    ///
    /// Checked as each connection comes back; connections that come back at the same instant may exceed it for a while.
    pub max_idle_connections: u32,
    /// Connections opened ahead and kept, at most `max_idle_connections`. Default 0.
    pub min_connections: u32,
    /// How long a caller waits for a connection, the opening of a new one included, 1 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub acquire_timeout: Duration,
    /// How long [`Db::connect`](crate::Db::connect) and [`Db::ping`](crate::Db::ping) may take, 1 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub connect_timeout: Duration,
    /// Age of an unused connection at which it is closed, 1 s to 7 d. Default 30 min.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub idle_timeout: Duration,
    /// Age of a connection at which it is replaced, 1 s to 7 d. Default 5 min, in production 1 h.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub max_lifetime: Duration,
    /// Time a statement may take before it is logged as slow, 1 ms to 1 h. Default 100 ms, in production 500 ms.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub slow_threshold: Duration,
    /// Which statements are logged. Default `info`, in production `warn`.
    pub log_level: LogLevel,
}

#[cfg(feature = "schema")]
gone_config::config_section!("db", DbConfig, instances);

impl DbConfig {
    /// The defaults of a profile, `"development"` or `"production"`.
    ///
    /// # Errors
    /// [`ConfigError::UnknownProfile`], with near misses.
    pub fn for_profile(profile: &str) -> Result<Self, ConfigError> {
        match profile {
            "development" => Ok(Self::default()),
            "production" => Ok(Self {
                max_connections: 100,
                max_idle_connections: 10,
                max_lifetime: Duration::from_secs(60 * 60),
                slow_threshold: Duration::from_millis(500),
                log_level: LogLevel::Warn,
                ..Self::default()
            }),
            _ => {
                Err(ConfigError::UnknownProfile { profile: profile.to_owned(), near: near_misses(profile, &PROFILES) })
            }
        }
    }

    /// Checks every value against its bounds, and the address against the backends that are compiled in. No I/O.
    ///
    /// # Errors
    /// The first value that is wrong, in the order of the fields.
    pub fn validate(&self) -> Result<(), ConfigError> {
        const SHORT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(10 * 60);
        const LONG: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);
        const STATEMENT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60 * 60);

        backend::check(&self.url)?;
        number("max_connections", self.max_connections, 1..=10_000, "")?;
        let note = " (max_connections)";
        number("max_idle_connections", self.max_idle_connections, 0..=self.max_connections, note)?;
        let note = " (max_idle_connections)";
        number("min_connections", self.min_connections, 0..=self.max_idle_connections, note)?;
        duration("acquire_timeout", self.acquire_timeout, SHORT)?;
        duration("connect_timeout", self.connect_timeout, SHORT)?;
        duration("idle_timeout", self.idle_timeout, LONG)?;
        duration("max_lifetime", self.max_lifetime, LONG)?;
        duration("slow_threshold", self.slow_threshold, STATEMENT)
    }
}

/// The defaults of the profile `development`.
impl Default for DbConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:data/gone.db".to_owned(),
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

impl fmt::Debug for DbConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart in full, so that a new field is shown or hidden on purpose.
        let Self {
            url,
            max_connections,
            max_idle_connections,
            min_connections,
            acquire_timeout,
            connect_timeout,
            idle_timeout,
            max_lifetime,
            slow_threshold,
            log_level,
        } = self;
        f.debug_struct("DbConfig")
            .field("url", &redact_url(url))
            .field("max_connections", max_connections)
            .field("max_idle_connections", max_idle_connections)
            .field("min_connections", min_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("connect_timeout", connect_timeout)
            .field("idle_timeout", idle_timeout)
            .field("max_lifetime", max_lifetime)
            .field("slow_threshold", slow_threshold)
            .field("log_level", log_level)
            .finish()
    }
}

fn number(field: &'static str, value: u32, bounds: RangeInclusive<u32>, note: &str) -> Result<(), ConfigError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfBounds {
        field,
        value: value.to_string(),
        bounds: format!("{} to {}{note}", bounds.start(), bounds.end()),
    })
}

fn duration(field: &'static str, value: Duration, bounds: RangeInclusive<Duration>) -> Result<(), ConfigError> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfBounds {
        field,
        value: format!("{value:?}"),
        bounds: format!("{:?} to {:?}", bounds.start(), bounds.end()),
    })
}

/// Which statements are logged through `tracing`, under the target `gone_db`. Each level includes those before it.
///
/// What is logged is the SQL text and its figures; bound values never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!try_from))]
#[serde(rename_all = "snake_case", try_from = "String")]
#[non_exhaustive]
pub enum LogLevel {
    /// None.
    Silent,
    /// Those that failed, as `ERROR`. A violated constraint is an answer to the caller and not logged.
    Error,
    /// Those slower than [`DbConfig::slow_threshold`], as `WARN`.
    Warn,
    /// All, as `INFO`.
    Info,
}

const LOG_LEVELS: [&str; 4] = ["silent", "error", "warn", "info"];

impl FromStr for LogLevel {
    type Err = ConfigError;

    /// # Errors
    /// [`ConfigError::UnknownLogLevel`], with near misses.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "silent" => Ok(Self::Silent),
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            _ => Err(ConfigError::UnknownLogLevel { level: text.to_owned(), near: near_misses(text, &LOG_LEVELS) }),
        }
    }
}

impl TryFrom<String> for LogLevel {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        text.parse()
    }
}
