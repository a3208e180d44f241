//! What a log writes.

mod beside;
mod capture;
mod config;
mod context;
mod errors;
mod fatal;
mod filters;
mod fuzz;
mod levels;
mod limits;
mod lines;
mod sampling;
mod secrets;
mod spans;
mod tracing_macros;
mod values;
