//! Dependency injection for async Rust services.
//!
//! Annotate structs, call `Gone::load(…).run(…)`, and get a graph that is checked whole before anything is built, built in
//! parallel, started in order, and stopped in the reverse order.
//!
//! ```
//! use std::sync::Arc;
//! use gone::prelude::*;
//!
//! #[derive(Goner)]
//! struct Greeter {
//!     #[gone("config,greeting=hello")]
//!     greeting: String,
//! }
//!
//! #[gone::main]
//! async fn main() -> gone::Result<()> {
//!     Gone::load(Greeter::goner())
//!         .run(async |greeter: Arc<Greeter>| {
//!             println!("{}, world", greeter.greeting);
//!             Ok(())
//!         })
//!         .await
//! }
//! ```
//!
#![doc = include_str!("map.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod entry;
#[cfg(doctest)]
mod guide;
pub mod prelude;

#[doc(hidden)]
pub use gone_core::__private;
pub use gone_core::*;
#[cfg(feature = "macros")]
pub use gone_macros::{Goner, Inject, main, test};

pub use entry::Gone;

#[cfg(feature = "clog")]
#[doc(inline)]
pub use gone_clog::{self as clog, Logger};
#[cfg(feature = "config")]
#[doc(inline)]
pub use gone_config::{self as config, Live, Secret};
#[cfg(feature = "coord")]
#[doc(inline)]
pub use gone_coord::{self as coord, Coord};
#[cfg(feature = "db")]
#[doc(inline)]
pub use gone_db::{self as db, Db};
#[doc(inline)]
pub use gone_kit as kit;
#[cfg(feature = "uid")]
#[doc(inline)]
pub use gone_uid::{self as uid, Uid};

/// The programs of the README, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
