//! The trace id of a request: on every line that is logged for it, and on its answer.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use gone::clog::{TraceId, TraceParent, with_trace_id};
use tracing::Instrument;
use tracing::field::Empty;

/// The header of an answer that has the request's trace id: 32 hexadecimal digits.
///
/// The recommendation of W3C has `traceparent` for requests alone; on answers this is what clients and proxies know. Bytes
/// that are no HTTP request have no id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Handles a request under its trace id, that of a valid `traceparent` or else a new one, and writes its access line.
pub(super) async fn every_request_is_traced(request: Request, next: Next) -> Response {
    let trace_id = trace_id_of(request.headers());
    // A span is left out when its level is, and then its lines lack the id: so it has the level that matters most.
    let span = tracing::error_span!("request", %trace_id, method = %request.method(), path = Empty);
    let handled = async {
        let access = AccessLine { began: Instant::now(), status: None };
        let mut response = next.run(request).await;
        access.write(response.status());
        // Always a header's value: hexadecimal digits.
        if let Ok(id) = HeaderValue::from_str(trace_id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    };
    // In the task, too: `gone::clog::trace_id()` is what a request to another service passes on.
    with_trace_id(&trace_id, handled.instrument(span)).await
}

/// Adds the path of the route to the request's span: as the routes have it, since what clients send has no end.
pub(super) async fn its_route_is_known(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    tracing::Span::current().record("path", route);
    next.run(request).await
}

fn trace_id_of(headers: &HeaderMap) -> TraceId {
    let mut sent = headers.get_all(TRACEPARENT).iter();
    let parent = match (sent.next(), sent.next()) {
        (Some(one), None) => one.to_str().ok().and_then(|text| text.parse::<TraceParent>().ok()),
        _ => None,
    };
    parent.map_or_else(TraceId::random, |parent| parent.trace_id().clone())
}

/// Writes one line when it is dropped: also when nobody waits for the answer any more.
struct AccessLine {
    began: Instant,
    status: Option<StatusCode>,
}

impl AccessLine {
    fn write(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        let duration_ms = self.began.elapsed().as_micros() as f64 / 1_000.0;
        // A target of its own, so that a level of the log can be set for these lines alone.
        match self.status {
            Some(status) => tracing::info!(target: "access", status = status.as_u16(), duration_ms, "answered"),
            None => tracing::info!(target: "access", duration_ms, "gone before it was answered"),
        }
    }
}
