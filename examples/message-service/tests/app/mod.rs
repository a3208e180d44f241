//! The application and its clients, shared by the tests of the routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response, StatusCode};
use gone::kit::HealthIndicator;
use http_body_util::BodyExt;
use message_service::{Health, MemoryStore, MessageService, MessageStore, RequestLimits, router};
use serde_json::Value;
use tower::ServiceExt;

use crate::ids::uid;

pub(crate) const PROBLEM: &str = "application/problem+json";

pub(crate) async fn app_with(
    store: impl MessageStore + 'static,
    indicators: Vec<Arc<dyn HealthIndicator>>,
) -> (Router, Arc<Health>) {
    let health = Arc::new(Health::new(indicators));
    let service = Arc::new(MessageService::new(Arc::new(store), uid().await));
    let limits = RequestLimits::default();
    (router(service, health.clone(), limits), health)
}

pub(crate) async fn app() -> Router {
    app_with(MemoryStore::default(), Vec::new()).await.0
}

pub(crate) fn request(method: &str, path: &str) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    builder.body(Body::empty()).expect("a request that can be built")
}

pub(crate) fn post_json(path: &str, body: impl Into<Body>) -> Request<Body> {
    posting(path, "application/json", body)
}

pub(crate) fn posting(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder().method("POST").uri(path);
    let builder = builder.header(CONTENT_TYPE, content_type);
    builder.body(body.into()).expect("a request that can be built")
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.expect("the router never fails")
}

pub(crate) async fn json_of(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    serde_json::from_slice(&bytes).expect("a JSON body")
}

/// Checks that an answer is a problem document of this status, and returns it.
pub(crate) async fn problem_of(case: &str, response: Response<Body>, status: StatusCode) -> Value {
    assert_eq!(response.status(), status, "{case}: status");
    let content_type = response.headers().get(CONTENT_TYPE).map(|it| it.as_bytes().to_vec());
    assert_eq!(content_type.as_deref(), Some(PROBLEM.as_bytes()), "{case}: content type");
    let problem = json_of(response).await;
    assert_eq!(problem["type"], "about:blank", "{case}: type");
    assert_eq!(problem["status"], status.as_u16(), "{case}: status member");
    assert_eq!(problem["title"].as_str(), status.canonical_reason(), "{case}: title");
    assert!(problem["detail"].as_str().is_some_and(|it| it.len() > 10), "{case}: detail");
    problem
}
