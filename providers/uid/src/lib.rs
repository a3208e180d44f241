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
//! # Why a snowflake does not repeat
//!
//! Within a handle one number is compared and swapped. Between processes three things hold, each by itself against another
//! fault:
//!
//! - **The lease.** Each id is checked against the deadline until which the instance id is surely held. A process that lost
//!   it, or stood still for longer, makes no more ids and takes a new instance id in the background.
//! - **The limit.** Before its ids reach a millisecond, a process has written into coordination that they will; that mark
//!   outlives the lease. The next holder of the number begins beyond it. So also a thread that stands still between the check
//!   of the lease and its id, for as long as it likes, makes one that nobody else makes; and so do processes whose
//!   clocks differ.
//! - **The clock** never goes back: see below.
//!
//! The limit also covers a machine that was suspended, whose monotonic clock, and so its lease, stood still: the wall clock
//! is then beyond the limit, and coordination is asked before there is another id. Not covered are two copies of one process:
//! a fork, or a snapshot that is restored while the original runs. They hold the same lease, and nothing tells them apart.
//!
//! # When the clock goes back
//!
//! The time of ids is that of the wall clock, read off the monotonic one and put right every 10 ms. Up to
//! [`UidConfig::rollback_tolerance`] (50 ms) the wall clock may go back without anybody noticing: ids go on at half the speed
//! of time until it has caught up. Further back than that is [`UidError::ClockBackwards`] until the clock is that near again;
//! [`UidStats::clock_steps_back`] counts it, and the health is down meanwhile.
//!
//! # In JSON
//!
//! Snowflakes are above 2^53, so that readers whose numbers are floating point, JavaScript's among them, lose their last
//! digits. Write them as text there: `#[serde(with = "gone_uid::text")] id: i64` writes `"1234"`, and reads that and the
//! plain number.
//!
//! # Without a server
//!
//! Over the backend `memory:` every process is the only one and holds the same instance ids, so that two processes make the
//! same snowflakes. That is meant for development and tests; under the profile `production` coordination refuses it, unless
//! `coord.allow_memory` is set on purpose.

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
