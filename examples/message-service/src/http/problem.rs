//! Problem documents (RFC 9457), and what makes every failed answer one.

use std::any::Any;
use std::borrow::Cow;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::message::Invalid;
use crate::service::ServiceError;

/// The media type of a problem document.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// A failed request, as the client is told of it.
///
/// The type is `about:blank` and the title that of the status; the detail says which field broke which rule.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    r#type: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: Cow<'static, str>,
    #[serde(flatten)]
    extensions: Map<String, Value>,
    #[serde(skip)]
    closes: bool,
}

impl Problem {
    /// A problem with a status of 400 and above.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Unknown Error"),
            status,
            detail: detail.into(),
            extensions: Map::new(),
            closes: false,
        }
    }

    /// Adds a member of its own to the document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(member.to_owned(), value.into());
        self
    }

    /// Says that the connection closes after this answer, as it must when the rest of a body is not read.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The detail.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // Strings and numbers under string keys always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::new(StatusCode::BAD_REQUEST, invalid.to_string())
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "request failed");
        let detail = match error {
            ServiceError::Id(_) => "no ids can be given to messages now; try again later",
            ServiceError::Store(_) | ServiceError::StoreTimeout { .. } => {
                "the message store cannot serve this request now; try again later"
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, PROBLEM_JSON)];
        let mut response = (self.status, content_type, self.to_json()).into_response();
        if self.closes {
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Turns every answer of 400 and above into a problem document, and a panic into one with status 500.
///
/// Answers that are problem documents already pass unchanged. Of the others, which the framework makes by itself, the
/// status and headers such as `Allow` stay.
pub(super) async fn every_failure_is_a_problem(request: Request, next: Next) -> Response {
    let asks_for_head = request.method() == Method::HEAD;
    let response = match catch_panic(next.run(request)).await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || is_problem(response.headers()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let body = Problem::new(status, default_detail(status, &parts.headers)).to_json();
    let headers = &mut parts.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let body = if asks_for_head { Body::empty() } else { Body::from(body) };
    Response::from_parts(parts, body)
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|it| it.as_bytes() == PROBLEM_JSON.as_bytes())
}

fn default_detail(status: StatusCode, headers: &HeaderMap) -> Cow<'static, str> {
    match status {
        StatusCode::NOT_FOUND => "the path names nothing that this service has".into(),
        StatusCode::METHOD_NOT_ALLOWED => match headers.get(ALLOW).and_then(|it| it.to_str().ok()) {
            Some(allowed) => format!("the method is not allowed here; allowed: {allowed}").into(),
            None => "the method is not allowed here".into(),
        },
        status if status.is_client_error() => "the request cannot be served as it is".into(),
        _ => "the service failed to handle this request".into(),
    }
}

async fn catch_panic<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    // After a panic the future is dropped and never polled again, so nobody sees a state half changed.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "not a text"
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
