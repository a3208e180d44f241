//! Layered configuration for Gone: every value with its origin, and live ones that follow what changes.
//!
//! [`ConfigSource`] names the layers (provider defaults, `gone.toml`, `gone.<profile>.toml`, `GONE_…` variables, the
//! program) and reads them into [`Settings`], a snapshot. A value is read by its [`Key`] into any type that serde can read, a
//! section into a struct, and what a tag asks for ([`ConfigProvider`]) into whatever its site wants. What is wrong comes out as
//! a [`ConfigError`]: the key, the value, where it was set, what was expected and what may have been meant, and no secret.
//!
//! A [`Live`] value follows the config while the application runs: when a file changes, or when a [`ConfigHandle`] sets a
//! key, all live values take what is new, or none does. A [`Secret`] is never shown.
//!
//! ```
//! use std::time::Duration;
//! use gone_config::ConfigSource;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Server {
//!     port: u16,
//!     #[serde(default)]
//!     hosts: Vec<String>,
//!     timeout: Duration,
//! }
//!
//! let settings = ConfigSource::new()
//!     .environment([
//!         ("GONE_SERVER__PORT", "9000"),
//!         ("GONE_SERVER__HOSTS", r#"["a", "b"]"#),
//!         ("GONE_SERVER__TIMEOUT", "1m30s"),
//!     ])
//!     .read()?;
//! let server: Server = settings.section("server")?;
//! assert_eq!(server.port, 9000);
//! assert_eq!(server.hosts, ["a", "b"]);
//! assert_eq!(server.timeout, Duration::from_secs(90));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod absent;
mod asked;
mod component;
mod conditions;
mod dump;
pub mod duration;
mod environment;
mod error;
mod explain;
mod fault;
mod faults;
mod file;
mod handle;
mod hub;
mod key;
mod layer;
mod live;
mod lookup;
mod nearness;
mod origin;
mod place;
mod provider;
mod reader;
mod reference;
mod scalar;
#[cfg(feature = "schema")]
pub mod schema;
mod secrecy;
mod secrets;
mod section;
mod settings;
mod source;
mod value;
mod watch;

pub use component::{Component, Instances};
pub use conditions::{equals, is_set, not, profile};
pub use duration::{DurationText, OptionalDurationText};
pub use error::{ConfigError, ConfigErrors, ErrorKind, NearKey};
#[doc(no_inline)]
pub use gone_core::{CloseReport, Condition, Deadline, Error, Result};
#[doc(no_inline)]
pub use gone_kit::{
    BackendUrl, CallError, Calls, Health, Outcome, Scheme, Stat, UnknownName, UnknownScheme, async_trait,
};
pub use gone_kit::{Change, Changes, Reload, ReloadStatus, Secret, StatusChanges};
pub use handle::{ConfigHandle, ConfigLayer, SettingsChange, SettingsChanges};
pub use key::Key;
pub use live::Live;
pub use origin::Origin;
pub use provider::{ConfigProvider, module};
pub use section::{Faults, Section, SectionError, SectionFault};
pub use settings::Settings;
pub use source::{ConfigSource, RemoteLayer};
#[doc(hidden)]
pub use {lookup::Lookup, settings::Answer};

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
