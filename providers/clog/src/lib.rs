//! Structured logs: one line per event, as JSON or for a console, with namespace, caller and trace
//! id.
//!
//! [`Clog`] is a writer and a [`tracing_subscriber::Layer`] in front of it. [`Logger`] is what
//! components log with; it speaks through `tracing`, so every other subscriber sees its lines too,
//! and lines of `tracing`'s own macros come out with the same keys.
//!
//! ```
//! use std::time::Duration;
//!
//! use gone_clog::{Clog, ClogConfig, Section, TraceId, with_trace_id};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let mut config = ClogConfig::for_profile("production")?;
//! config.service = "orders".to_owned();
//! let clog = Clog::open(config)?;
//! clog.install();
//!
//! let log = clog.logger().namespace("store").with("shard", 3);
//! with_trace_id(TraceId::random(), async {
//!     log.info("order saved"); // namespace `orders.store`, shard 3, and the trace id
//!     tracing::warn!(left = 2, "stock is low"); // namespace `orders`, and the trace id
//! })
//! .await;
//! let report = clog.close(Duration::from_secs(5));
//! assert_eq!((report.lost, report.pending), (0, 0));
//! # Ok::<(), gone_clog::ClogError>(())
//! # }).unwrap();
//! ```
#![doc = include_str!("../docs/lines.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod caller;
mod callsite;
mod chain;
mod clog;
mod config;
mod emit;
mod encode;
mod error;
mod escape;
mod fields;
mod filter;
mod guard;
mod kept;
mod layer;
mod level;
mod levels;
mod lines;
mod live;
mod logger;
mod panic_hook;
mod place;
mod provider;
mod queue;
mod reader;
mod rotation;
mod sampling;
mod secrets;
mod sink;
mod spans;
mod style;
mod text;
mod time;
mod trace_id;
mod traceparent;
mod value;

pub use clog::{Clog, ClogBuilder, ExitHook, Installed};
pub use config::{ClogConfig, Colour, Format, Output};
pub use error::ClogError;
#[doc(no_inline)]
pub use gone_config::{Section, SectionError, SectionFault};
#[doc(no_inline)]
pub use gone_kit::Clock;
pub use gone_kit::Secret;
pub use guard::FlushGuard;
pub use layer::ClogLayer;
pub use level::Level;
pub use logger::{Line, Logger};
pub use provider::{ClogProvider, module};
pub use queue::{Overflow, Queue, QueueMode};
pub use rotation::{Every, Rotation};
pub use sampling::Sampling;
pub use secrets::Redaction;
pub use sink::{ClogStats, FlushReport};
pub use trace_id::{TraceId, new_trace_id, trace_id, with_trace_id};
pub use traceparent::{SpanId, TraceParent, TraceParentError};
pub use value::Value;

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
