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
//! use gone_clog::{Clog, ClogConfig, TraceId, with_trace_id};
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
//!
//! # Keys
//!
//! A JSON line has, in this order: `time` (local, milliseconds, no zone), `level`, `msg`, `caller`,
//! `namespace`, `service` (the root of the namespace), `trace_id`, the fields, `error`,
//! `error_chain`, `suppressed` and `cut_bytes`; those that it has nothing for are left out. A field that
//! carries one of these names, or the name of an earlier field of its line, is written as
//! `field.<name>`. A console line is
//! `2025/03/11 10:03:22.123 INFO  [orders.store] order saved shard=3 (src/store.rs:41)`.
//!
//! # What becomes of a line
//!
//! It is written before the call that logs it returns, or put into a bounded queue that a thread
//! writes: see [`Queue`], also for what a full queue does. Every line is written, pending or counted
//! as lost; [`Clog::flush`] and [`Clog::close`] report the numbers, and lost lines are told in the log
//! itself. A file can be [rotated](Rotation), and one that somebody else rotates is opened again.
//!
//! | what | of a [`Logger`] | of `tracing`'s macros | of the `log` crate |
//! |---|---|---|---|
//! | `caller` | where it was called | where the macro stands | as the record says |
//! | `namespace` | its own | the field `namespace`; else that of the nearest span that has one; else the service, and a target that was given by hand under it | the target under the service |
//! | fields | those of the logger, then those of the line | as they stand there | none |
//!
//! The fields of the spans around a line follow its own, the innermost span first. Each key stands
//! once: a field of the line hides one of a span, and that of an inner span one of an outer. The
//! `trace_id` is that of the line itself, of the nearest span that has one, or of
//! [`with_trace_id`].
//!
//! Every event is exactly one line: what would break a line, or hide a part of it on a terminal, is
//! escaped. A line is no longer than [`max_line`](ClogConfig::max_line), and a value no longer than
//! [`max_field`](ClogConfig::max_field); what is cut is counted on the line.
//!
//! # Secrets
//!
//! A field whose key looks secret is written as `***`, see [`Redaction`], and so is a value of type
//! [`Secret`].
//!
//! # Cost
//!
//! A line allocates nothing once its thread has logged one, unless it has an error, or a value that
//! is made for it: a longer text, a list, JSON. A level that is off costs a comparison.

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
mod profile;
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
pub use gone_kit::Secret;
pub use gone_kit::UnknownName;
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
