//! Identifiers for Gone: snowflakes that cannot repeat, and UUIDs in the order in which they are made.
//!
//! [`Uid`] is the handle to inject. **Snowflakes** are positive 64-bit numbers that rise with time: 41 bits of milliseconds
//! since an epoch, 10 of the instance, 12 of a sequence. The instance id comes from coordination ([`gone_coord`]), which
//! gives each number to one process at a time. **UUIDs** of version 7 need nobody.
//!
//! ```
//! use gone_coord::{Coord, CoordConfig};
//! use gone_uid::{Uid, UidConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let coord = Coord::connect(&CoordConfig::default()).await?;
//! let config = UidConfig { service_name: "orders".into(), ..UidConfig::default() };
//! let uid = Uid::open(&config, Some(&coord)).await?;
//!
//! let (one, two) = (uid.snowflake().await?, uid.snowflake().await?);
//! assert!(one < two);
//! assert_eq!(uid.parse(one)?.instance, uid.instance().unwrap());
//!
//! let many: Vec<i64> = uid.reserve(10_000).await?.collect();
//! assert!(many.is_sorted());
//!
//! assert!(uid.uuid_v7() < uid.uuid_v7());
//! assert!(Uid::is_valid_uuid(&uid.uuid_v7_text()));
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("../docs/snowflakes.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod error;
mod generator;
mod instance;
mod keeper;
mod layout;
mod mark;
mod pace;
mod provider;
mod reserved;
#[cfg(test)]
mod tests;
pub mod text;
mod timeline;
mod uid;
mod uuid;

pub use ::uuid::Uuid;
pub use config::UidConfig;
pub use error::UidError;
#[doc(no_inline)]
pub use gone_config::{Section, SectionError, SectionFault};
#[doc(no_inline)]
pub use gone_coord::{Coord, CoordError};
#[doc(no_inline)]
pub use gone_core::{CloseReport, Deadline};
#[doc(no_inline)]
pub use gone_kit::{Clock, LeaseEnd};
pub use layout::{Epoch, Parts};
pub use provider::{UidProvider, module};
pub use reserved::{MAX_RESERVED, Reserved};
pub use uid::{Uid, UidStats};

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
