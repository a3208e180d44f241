//! The service over HTTP.

mod component;
mod extract;
mod limits;
mod problem;
mod router;
mod server;
mod trace;
mod transport;

pub use component::Http;
pub use limits::{BodyBytes, RequestLimits};
pub use problem::Problem;
pub use router::router;
pub use server::{HttpServer, Running, ServerError, ServerOptions, StopReport};
pub use trace::REQUEST_ID;
