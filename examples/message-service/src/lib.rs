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
//! Every answer of 400 and above is a problem document (RFC 9457) whose `detail` names the field and the rule.

mod health;
mod http;
mod message;
mod service;
mod sql_store;
mod store;

use gone::prelude::*;

pub use health::{Check, Health, HealthReport, Phase};
pub use http::{Http, HttpServer, Problem, RequestLimits, Running, ServerError, ServerOptions, StopReport, router};
pub use message::{CONTENT_MAX, Invalid, LIMIT_DEFAULT, LIMIT_MAX, Limit, Message, NAME_MAX, NewMessage, Session};
pub use service::{Clock, MessageService, ServiceError, SystemClock};
pub use sql_store::SqlStore;
pub use store::{BoxError, MemoryLimits, MemoryStore, MessageStore, StoreError};

/// Loads the service: everything but a [`MessageStore`].
pub fn module(loader: &mut Loader) {
    loader
        .load(SystemClock::goner())
        .load(MessageService::goner())
        .load(Health::goner())
        // Last to start, first to stop: whatever serves requests is there before the first and after the last of them.
        .load(Http::goner().order(100));
}
