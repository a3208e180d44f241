//! What a log writes.

mod capture;
mod config;
mod context;
mod errors;
mod fatal;
mod levels;
mod lines;
mod tracing_macros;
mod values;
