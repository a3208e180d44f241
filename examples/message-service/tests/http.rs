//! The routes, driven without a socket.

mod app;
mod broken;
mod ids;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Request, StatusCode};
use gone::kit::{Health, HealthIndicator};
use http_body_util::BodyExt;
use message_service::{CONTENT_MAX, MemoryStore, NAME_MAX, Phase};
use serde_json::{Value, json};

use app::{PROBLEM, app, app_with, json_of, post_json, posting, problem_of, request, send};
use broken::Broken;

async fn post_ok(app: &axum::Router, path: &str, user_id: &str, content: &str) -> Value {
    let body = json!({ "user_id": user_id, "content": content }).to_string();
    let response = send(app, post_json(path, body)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    json_of(response).await
}

#[tokio::test]
async fn a_posted_message_comes_back_with_its_id_and_time() {
    let app = app().await;
    let body = json!({ "user_id": "ann", "content": "hello" }).to_string();
    let response = send(&app, post_json("/sessions/room/messages", body)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let content_type = response.headers()[CONTENT_TYPE].clone();
    assert_eq!(content_type, "application/json");
    let location = response.headers()[LOCATION].to_str().expect("text").to_owned();
    let message = json_of(response).await;
    assert_eq!(message["session"], "room");
    assert_eq!(message["user_id"], "ann");
    assert_eq!(message["content"], "hello");
    let id = message["id"].as_str().expect("a string");
    let created_at = message["created_at"].as_str().expect("a string");
    let parts = ids::uid().await.parse(id.parse().expect("a number")).expect("a snowflake");
    assert_eq!(humantime::format_rfc3339_millis(parts.time).to_string(), created_at);
    let age = humantime::parse_rfc3339(created_at).expect("RFC 3339").elapsed();
    assert!(age.expect("not in the future") < Duration::from_secs(60));
    assert_eq!(message.as_object().map(|it| it.len()), Some(5));

    assert_eq!(location, format!("/sessions/room/messages/{id}"));
    let found = send(&app, request("GET", &location)).await;
    assert_eq!(found.status(), StatusCode::OK);
    assert_eq!(json_of(found).await, message);
}

#[tokio::test]
async fn a_message_is_found_by_its_id_as_it_is_written_and_in_no_other_way() {
    let app = app().await;
    let message = post_ok(&app, "/sessions/room/messages", "ann", "hello").await;
    let id = message["id"].as_str().expect("a string");
    let escaped = format!("%3{id}");
    for (written, status) in [
        (id.to_owned(), StatusCode::OK),
        (format!("+{id}"), StatusCode::NOT_FOUND),
        (format!("0{id}"), StatusCode::NOT_FOUND),
        (escaped, StatusCode::NOT_FOUND),
    ] {
        let found = send(&app, request("GET", &format!("/sessions/room/messages/{written}"))).await;
        assert_eq!(found.status(), status, "{written}");
    }
}

#[tokio::test]
async fn the_location_of_a_message_in_an_odd_session_leads_to_it() {
    let app = app().await;
    let path = "/sessions/a%2Fb%20%3F%25%23%E2%98%83/messages";
    let body = json!({ "user_id": "u", "content": "c" }).to_string();
    let response = send(&app, post_json(path, body)).await;
    let location = response.headers()[LOCATION].to_str().expect("text").to_owned();
    let message = json_of(response).await;
    assert_eq!(message["session"], "a/b ?%#☃");
    assert!(location.starts_with(path), "{location}");
    let found = send(&app, request("GET", &location)).await;
    assert_eq!(json_of(found).await, message);
}

#[tokio::test]
async fn a_listing_is_newest_first_and_keeps_to_its_session_and_limit() {
    let app = app().await;
    for number in 0..60 {
        post_ok(&app, "/sessions/a/messages", "u", &number.to_string()).await;
    }
    post_ok(&app, "/sessions/b/messages", "u", "elsewhere").await;
    for (query, count) in [("", 50), ("?", 50), ("?limit=3", 3), ("?limit=200", 60), ("?limit=%33&", 3)] {
        let path = format!("/sessions/a/messages{query}");
        let response = send(&app, request("GET", &path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        let listing = json_of(response).await;
        let messages = listing["messages"].as_array().expect("an array");
        let contents: Vec<_> = messages.iter().map(|it| it["content"].clone()).collect();
        let expected: Vec<_> = (60 - count..60).rev().map(|it| json!(it.to_string())).collect();
        assert_eq!(contents, expected, "{query}");
    }
}

#[tokio::test]
async fn a_session_without_messages_lists_none() {
    let response = send(&app().await, request("GET", "/sessions/nobody/messages")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(json_of(response).await, json!({ "messages": [] }));
}

#[tokio::test]
async fn values_at_their_bounds_are_accepted() {
    let app = app().await;
    let session = "s".repeat(NAME_MAX);
    let path = format!("/sessions/{session}/messages");
    let message = post_ok(&app, &path, &"ü".repeat(NAME_MAX), &"☃".repeat(CONTENT_MAX)).await;
    assert_eq!(message["session"], session);
    let content = message["content"].as_str().map(|it| it.chars().count());
    assert_eq!(content, Some(CONTENT_MAX));
}

#[tokio::test]
async fn a_body_of_exactly_the_most_bytes_is_accepted() {
    let mut body = json!({ "user_id": "u", "content": "c" }).to_string();
    body.push_str(&" ".repeat(64 * 1024 - body.len()));
    let response = send(&app().await, post_json("/sessions/a/messages", body)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn the_media_type_may_be_in_any_case_and_name_utf_8() {
    let app = app().await;
    for content_type in ["Application/JSON", "application/json; charset=UTF-8", "application/json;charset=\"utf-8\""] {
        let body = json!({ "user_id": "u", "content": "c" }).to_string();
        let request = posting("/sessions/a/messages", content_type, body);
        assert_eq!(send(&app, request).await.status(), StatusCode::CREATED, "{content_type}");
    }
}

/// A body in pieces without an announced length, as a chunked one comes.
fn pieces(bytes: Vec<Bytes>) -> Body {
    struct Pieces(std::vec::IntoIter<Bytes>);
    impl axum::body::HttpBody for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Ready(self.0.next().map(|it| Ok(http_body::Frame::data(it))))
        }
    }
    Body::new(Pieces(bytes.into_iter()))
}

#[tokio::test]
async fn a_body_in_pieces_is_counted_as_it_comes() {
    let body = pieces(vec![Bytes::from(vec![b' '; 65_536]), Bytes::from_static(b" ")]);
    let response = send(&app().await, post_json("/sessions/a/messages", body)).await;
    assert_eq!(response.headers()["connection"], "close");
    problem_of("pieces", response, StatusCode::PAYLOAD_TOO_LARGE).await;
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body() {
    let app = app().await;
    for (path, status, content_type) in [
        ("/sessions/a/messages", StatusCode::OK, "application/json"),
        ("/sessions/a/messages?limit=0", StatusCode::BAD_REQUEST, PROBLEM),
        ("/nothing", StatusCode::NOT_FOUND, PROBLEM),
    ] {
        let response = send(&app, request("HEAD", path)).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()[CONTENT_TYPE], content_type, "{path}");
        let body = response.into_body().collect().await.expect("whole").to_bytes();
        assert!(body.is_empty(), "{path}: {body:?}");
    }
}

fn one_of_each() -> [Request<Body>; 3] {
    let body = json!({ "user_id": "u", "content": "c" }).to_string();
    [
        post_json("/sessions/a/messages", body),
        request("GET", "/sessions/a/messages"),
        request("GET", "/sessions/a/messages/1"),
    ]
}

#[tokio::test]
async fn a_failing_store_is_a_503_without_inner_details() {
    let (app, _) = app_with(Broken::Fails, Vec::new()).await;
    for request in one_of_each() {
        let case = format!("{} {}", request.method(), request.uri());
        let response = send(&app, request).await;
        let problem = problem_of(&case, response, StatusCode::SERVICE_UNAVAILABLE).await;
        assert!(!problem.to_string().contains("db.internal"), "{problem}");
    }
}

#[tokio::test]
async fn a_panicking_handler_is_a_500_problem_and_the_next_request_is_served() {
    let (app, _) = app_with(Broken::Panics, Vec::new()).await;
    for request in one_of_each() {
        let case = format!("{} {}", request.method(), request.uri());
        let response = send(&app, request).await;
        let problem = problem_of(&case, response, StatusCode::INTERNAL_SERVER_ERROR).await;
        assert!(!problem.to_string().contains("a store that panics"), "{problem}");
    }
    let live = send(&app, request("GET", "/health/live")).await;
    assert_eq!(live.status(), StatusCode::OK);
}

struct Database;

#[async_trait]
impl HealthIndicator for Database {
    fn name(&self) -> &str {
        "database"
    }
    async fn check(&self) -> Health {
        Health::down("db.internal does not answer")
    }
}

#[tokio::test]
async fn readiness_follows_the_phase_and_liveness_does_not() {
    let (app, health) = app_with(MemoryStore::default(), Vec::new()).await;
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;

    let starting = send(&app, request("GET", "/health/ready")).await;
    let problem = problem_of("starting", starting, unavailable).await;
    assert_eq!(problem["phase"], "starting");

    health.enter(Phase::Ready);
    let ready = send(&app, request("GET", "/health/ready")).await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(json_of(ready).await, json!({ "phase": "ready", "checks": [] }));

    health.enter(Phase::Draining);
    let draining = send(&app, request("GET", "/health/ready")).await;
    let problem = problem_of("draining", draining, unavailable).await;
    assert_eq!(problem["detail"], "the service is draining");

    let live = send(&app, request("GET", "/health/live")).await;
    assert_eq!(live.status(), StatusCode::OK);
    assert_eq!(json_of(live).await, json!({ "live": true }));
}

#[tokio::test]
async fn an_indicator_that_is_down_makes_the_service_unready_by_name_only() {
    let (app, health) = app_with(MemoryStore::default(), vec![Arc::new(Database)]).await;
    health.enter(Phase::Ready);
    let response = send(&app, request("GET", "/health/ready")).await;
    let problem = problem_of("down", response, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(problem["checks"], json!([{ "name": "database", "up": false }]));
    assert_eq!(problem["detail"], "the service lacks what it needs: database");
    assert!(!problem.to_string().contains("db.internal"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_a_408_after_the_time_out() {
    struct Never;
    impl axum::body::HttpBody for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let app = app().await;
    let before = tokio::time::Instant::now();
    let response = send(&app, post_json("/sessions/a/messages", Body::new(Never))).await;
    assert_eq!(before.elapsed(), Duration::from_secs(10));
    let problem = problem_of("slow", response, StatusCode::REQUEST_TIMEOUT).await;
    assert_eq!(problem["detail"], "body must arrive within 10s");
}
