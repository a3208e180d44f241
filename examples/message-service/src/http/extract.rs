//! Reads and checks what a client sends: path, query and body.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use tokio::time::timeout;

use super::limits::RequestLimits;
use super::problem::Problem;
use crate::message::{Invalid, Limit, Session};

/// The `{session}` of `/sessions/{session}/…`.
///
/// Read from the raw path, because the framework's own decoding lets a broken escape through as it stands.
pub(super) struct SessionName(pub(super) Session);

impl<S: Sync> FromRequestParts<S> for SessionName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let name = decode("session", segment(parts, 1))?;
        Ok(Self(Session::new(name)?))
    }
}

/// The `{id}` of `/sessions/{session}/messages/{id}`: none when it cannot be the id of any message.
pub(super) struct MessageId(pub(super) Option<i64>);

impl<S: Sync> FromRequestParts<S> for MessageId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = segment(parts, 3);
        // Only as the service writes it: without a sign and leading zeros, so that a message has one path.
        let id = text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text);
        Ok(Self(id))
    }
}

/// The query of a listing: `limit`, at most once, and nothing else.
pub(super) struct Listing {
    pub(super) limit: Limit,
}

impl<S: Sync> FromRequestParts<S> for Listing
where
    RequestLimits: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let page = RequestLimits::from_ref(state).page.get();
        let mut limit = None;
        for (name, value) in parameters(parts) {
            if decode_form("query", name)? != "limit" {
                return Err(unknown_parameter(name));
            }
            let value = page.parse(&decode_form("limit", value)?)?;
            if limit.replace(value).is_some() {
                return Err(Invalid::new("limit", "must be given at most once").into());
            }
        }
        Ok(Self { limit: limit.unwrap_or_else(|| page.unsaid()) })
    }
}

/// No query parameters at all.
pub(super) struct NoParameters;

impl<S: Sync> FromRequestParts<S> for NoParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parameters(parts).next() {
            None => Ok(Self),
            Some((name, _)) => Err(unknown_parameter(name)),
        }
    }
}

/// The body of a post: a JSON object with the strings `user_id` and `content`, and nothing else.
///
/// Only the shape is checked here; the rules for the texts are [`NewMessage::new`](crate::NewMessage::new)'s.
pub(super) struct Draft {
    pub(super) user_id: String,
    pub(super) content: String,
}

impl<S: Sync> FromRequest<S> for Draft
where
    RequestLimits: FromRef<S>,
{
    type Rejection = Problem;

    /// A dropped future leaves the rest of the body unread, and the server closes the connection.
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let limits = RequestLimits::from_ref(state);
        let most = limits.body_bytes.get().get();
        let (parts, body) = request.into_parts();
        check_media_type(&parts.headers)?;
        check_announced_length(&parts.headers, most)?;
        let bytes =
            timeout(limits.body_timeout, read(body, most)).await.map_err(|_| too_slow(limits.body_timeout))??;
        let text = std::str::from_utf8(&bytes).map_err(|_| Invalid::new("body", "must be UTF-8"))?;
        Self::from_json(text).map_err(Problem::from)
    }
}

impl Draft {
    fn from_json(text: &str) -> Result<Self, Invalid> {
        let Members(members) = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                Invalid::new("body", "must be a JSON object")
            } else {
                // Of a syntax error the text says what was expected and where, and repeats nothing of the body.
                Invalid::new("body", format!("must be valid JSON: {error}"))
            }
        })?;
        let (mut user_id, mut content) = (None, None);
        for (name, value) in members {
            let (field, slot) = match name.as_str() {
                "user_id" => ("user_id", &mut user_id),
                "content" => ("content", &mut content),
                _ => {
                    let rule = format!("must not have the unknown field {}", quoted(&name));
                    return Err(Invalid::new("body", rule));
                }
            };
            let Value::String(value) = value else {
                let rule = format!("must be a string, not {}", kind(&value));
                return Err(Invalid::new(field, rule));
            };
            if slot.replace(value).is_some() {
                return Err(Invalid::new(field, "must be given only once"));
            }
        }
        Ok(Self {
            user_id: user_id.ok_or_else(|| Invalid::new("user_id", "is missing"))?,
            content: content.ok_or_else(|| Invalid::new("content", "is missing"))?,
        })
    }
}

/// The members of a JSON object in their order, duplicates kept so that they can be refused.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else {
        return refused("content-type must be given exactly once, as application/json");
    };
    let mut parts = given.to_str().unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case("application/json") {
        return refused("content-type must be application/json");
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_utf8 = value.trim_matches('"').eq_ignore_ascii_case("utf-8");
        if name.eq_ignore_ascii_case("charset") && !is_utf8 {
            return refused("content-type must have no charset but utf-8");
        }
    }
    let encodings = headers.get_all(CONTENT_ENCODING).iter();
    for encoding in encodings {
        if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
            return refused("content-encoding must be absent: compressed bodies are not read");
        }
    }
    Ok(())
}

fn check_announced_length(headers: &HeaderMap, max: usize) -> Result<(), Problem> {
    let Some(length) = headers.get(CONTENT_LENGTH) else {
        return Ok(());
    };
    let digits = length.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Invalid::new("content-length", "must be a whole number").into());
    }
    // A number too great to be held is too great to be accepted.
    let length = length.to_str().ok().and_then(|it| it.parse::<usize>().ok());
    if length.is_none_or(|it| it > max) {
        return Err(too_long(max));
    }
    Ok(())
}

async fn read(mut body: Body, max: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a body broke off");
            Problem::new(StatusCode::BAD_REQUEST, "body must be complete and correctly framed").closing()
        })?;
        // Trailers carry nothing for us.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > max - bytes.len() {
            return Err(too_long(max));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_long(max: usize) -> Problem {
    let detail = format!("body must have at most {max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).closing()
}

fn too_slow(limit: Duration) -> Problem {
    let detail = format!("body must arrive within {limit:?}");
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail).closing()
}

/// The segment of the raw path at a position, counted from zero; empty when there is none.
fn segment(parts: &Parts, position: usize) -> &str {
    // The path begins with a slash, so what comes before it is one empty piece.
    let mut pieces = parts.uri.path().split('/').skip(1);
    pieces.nth(position).unwrap_or_default()
}

/// The raw query's pairs of name and value; pieces of nothing, as a trailing `&` makes, are left out.
fn parameters(parts: &Parts) -> impl Iterator<Item = (&str, &str)> {
    let pieces = parts.uri.query().unwrap_or_default().split('&');
    pieces.filter(|piece| !piece.is_empty()).map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}

fn unknown_parameter(name: &str) -> Problem {
    let rule = format!("must not have the unknown parameter {}", quoted(name));
    Invalid::new("query", rule).into()
}

fn decode_form(field: &'static str, text: &str) -> Result<String, Invalid> {
    decode(field, &text.replace('+', " "))
}

fn decode(field: &'static str, text: &str) -> Result<String, Invalid> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    for (position, _) in text.match_indices('%') {
        if !is_hex(bytes.get(position + 1)) || !is_hex(bytes.get(position + 2)) {
            let rule = "must have two hexadecimal digits after each percent sign";
            return Err(Invalid::new(field, rule));
        }
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| Invalid::new(field, "must be UTF-8 once percent-decoded"))
}

/// A name that the client made up, short and printable.
fn quoted(name: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = name.chars().take(SHOWN).collect();
    let more = if name.len() > shown.len() { "…" } else { "" };
    format!("`{}{more}`", shown.escape_debug())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
