//! The routes.

use std::sync::Arc;

use axum::extract::{FromRef, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use super::extract::{Draft, Listing, MessageId, NoParameters, SessionName};
use super::limits::RequestLimits;
use super::problem::{Problem, every_failure_is_a_problem};
use super::trace::{every_request_is_traced, its_route_is_known};
use crate::health::{Health, Phase};
use crate::message::{Message, NewMessage};
use crate::service::MessageService;

/// All but the characters that stand for themselves in every part of a URI (RFC 3986, "unreserved").
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Clone)]
struct Shared {
    service: Arc<MessageService>,
    health: Arc<Health>,
    limits: RequestLimits,
}

impl FromRef<Shared> for RequestLimits {
    fn from_ref(shared: &Shared) -> Self {
        shared.limits.clone()
    }
}

/// The service's routes, ready to be served.
///
/// Every answer of 400 and above that comes out of it is a problem document, whoever made it. Every answer has the header
/// [`REQUEST_ID`](crate::REQUEST_ID), and every line that is logged for its request the same id.
pub fn router(service: Arc<MessageService>, health: Arc<Health>, limits: RequestLimits) -> Router {
    let messages = get(list).post(post);
    let routes = Router::new()
        .route("/sessions/{session}/messages", messages.clone())
        .route("/sessions/{session}/messages/{id}", get(find))
        // A parameter never matches an empty segment: without these an empty session would be an unknown path.
        .route("/sessions//messages", messages)
        .route("/sessions//messages/{id}", get(find))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .layer(middleware::from_fn(its_route_is_known))
        .with_state(Shared { service, health, limits });
    // Around the routes as a whole, not each of them: only so does it see what the framework adds to an answer.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(every_failure_is_a_problem))
        .layer(middleware::from_fn(every_request_is_traced))
}

async fn post(
    State(shared): State<Shared>,
    SessionName(session): SessionName,
    _: NoParameters,
    draft: Draft,
) -> Result<Response, Problem> {
    let new = NewMessage::new(session, draft.user_id, draft.content)?;
    let message = shared.service.post(new).await?;
    let location = [(LOCATION, path_of(&message))];
    Ok((StatusCode::CREATED, location, Json(message)).into_response())
}

#[derive(Serialize)]
struct Messages {
    messages: Vec<Message>,
}

async fn list(
    State(shared): State<Shared>,
    SessionName(session): SessionName,
    listing: Listing,
) -> Result<Json<Messages>, Problem> {
    let messages = shared.service.newest(&session, listing.limit).await?;
    Ok(Json(Messages { messages }))
}

async fn find(
    State(shared): State<Shared>,
    SessionName(session): SessionName,
    MessageId(id): MessageId,
    _: NoParameters,
) -> Result<Json<Message>, Problem> {
    let found = match id {
        Some(id) => shared.service.find(&session, id).await?,
        None => None,
    };
    let absent = || Problem::new(StatusCode::NOT_FOUND, "id names no message of this session");
    found.map(Json).ok_or_else(absent)
}

const UNCACHED: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

async fn live() -> impl IntoResponse {
    (UNCACHED, Json(json!({ "live": true })))
}

async fn ready(State(shared): State<Shared>) -> Response {
    let report = shared.health.report().await;
    if report.is_ready() {
        return (UNCACHED, Json(report)).into_response();
    }
    let detail = match report.phase {
        Phase::Starting => "the service is starting".to_owned(),
        Phase::Draining => "the service is draining".to_owned(),
        Phase::Ready => {
            let down = report.checks.iter().filter(|check| !check.up);
            let down: Vec<_> = down.map(|check| check.name.as_str()).collect();
            format!("the service lacks what it needs: {}", down.join(", "))
        }
    };
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .with("phase", json!(report.phase))
        .with("checks", json!(report.checks));
    (UNCACHED, problem).into_response()
}

fn path_of(message: &Message) -> String {
    let session = utf8_percent_encode(message.session.as_str(), RESERVED);
    format!("/sessions/{session}/messages/{}", message.id)
}
