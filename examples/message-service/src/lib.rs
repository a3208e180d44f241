//! The golden path: users post messages to sessions and read them back, newest first.
//!
//! | request | answer |
//! |---|---|
//! | `POST /sessions/{session}/messages` | 201, the message, `Location` |
//! | `GET /sessions/{session}/messages?limit=N` | 200, the newest messages |
//! | `GET /sessions/{session}/messages/{id}` | 200, one message |
//! | `GET /health/live` | 200 as long as the process answers |
//! | `GET /health/ready` | 200, or 503 while starting, draining, or without what it needs |
//!
//! Every answer of 400 and above is a problem document (RFC 9457) whose `detail` names the field and the rule. Ids are text in
//! JSON. Every answer has the trace id of its request as `x-request-id`: that of the request's `traceparent`, or a new one.
//!
//! The program needs no config and no server; `gone.example.toml` lists what can be set.

#![allow(missing_debug_implementations, reason = "its goners are never printed")]

mod health;
mod http;
mod message;
mod registration;
mod service;
mod sql_store;
mod store;

use gone::config::ConfigSource;
use gone::prelude::*;

pub use health::{Check, Health, HealthReport, Phase};
pub use http::{
    BodyBytes, Http, HttpServer, Problem, REQUEST_ID, RequestLimits, Running, ServerError, ServerOptions, StopReport,
    router,
};
pub use message::{
    CONTENT_MAX, Invalid, LIMIT_BOUND, LIMIT_DEFAULT, LIMIT_MAX, Limit, Message, NAME_MAX, NewMessage, PageLimits,
    Session,
};
pub use registration::{Advertise, Registration};
pub use service::{MessageService, ServiceError};
pub use sql_store::SqlStore;
pub use store::{BoxError, MemoryLimits, MemoryStore, MessageStore, StoreError};

/// The service's name: what others look for in the registry, and what its ids are unique in. The config may say another.
pub const NAME: &str = "message-service";

/// Loads the service with coordination and ids: everything but a [`MessageStore`]. Its config needs [`defaults`].
pub fn module(loader: &mut Loader) {
    loader
        .load(gone::coord::module)
        .load(gone::uid::module)
        .load(MessageService::goner())
        .load(Health::goner())
        // Last to start, first to stop: whatever serves requests is there before the first and after the last of them.
        .load(Http::goner().order(100))
        .load(Registration::goner().order(100));
}

/// Puts the service's own defaults below all else that a config says.
pub fn defaults(config: ConfigSource) -> ConfigSource {
    config.defaults("uid.service_name", NAME)
}
