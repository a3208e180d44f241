//! What a client may get wrong: every case is refused with a problem that names the field and the rule.

mod app;
mod ids;

use axum::body::Body;
use axum::http::header::ALLOW;
use axum::http::{Request, StatusCode};
use message_service::{CONTENT_MAX, NAME_MAX};
use serde_json::{Value, json};

use app::{app, json_of, post_json, problem_of, request, send};

const PATH: &str = "/sessions/a/messages";

/// A body, and what the detail must say.
const BODIES: &str = r#"
                                                    | body must be valid JSON
hello                                               | body must be valid JSON
{'user_id': 'u'}                                    | body must be valid JSON
{"user_id": "u", "content": "c"                     | body must be valid JSON
{"user_id": "u", "content": "c",}                   | body must be valid JSON
{"user_id": "u", "content": "c"} {}                 | body must be valid JSON
{"user_id": "u", "content": "\ud800"}               | body must be valid JSON
{"user_id": 1e999, "content": "c"}                  | body must be valid JSON
["u", "c"]                                          | body must be a JSON object
"hello"                                             | body must be a JSON object
17                                                  | body must be a JSON object
null                                                | body must be a JSON object
{}                                                  | user_id is missing
{"content": "c"}                                    | user_id is missing
{"user_id": "u"}                                    | content is missing
{"user_id": "u", "content": "c", "admin": true}     | unknown field `admin`
{"User_Id": "u", "content": "c"}                    | unknown field `User_Id`
{"id": "1", "user_id": "u", "content": "c"}         | unknown field `id`
{"user_id": "u", "content": "c", "": 0}             | unknown field ``
{"user_id": "u", "content": "c", "a\nb": 0}         | unknown field `a\nb`
{"user_id": "u", "user_id": "u", "content": "c"}    | user_id must be given only once
{"user_id": "u", "content": "c", "content": "d"}    | content must be given only once
{"user_id": 7, "content": "c"}                      | user_id must be a string, not a number
{"user_id": null, "content": "c"}                   | user_id must be a string, not null
{"user_id": "u", "content": ["c"]}                  | content must be a string, not an array
{"user_id": "u", "content": {}}                     | content must be a string, not an object
{"user_id": "u", "content": true}                   | content must be a string, not a boolean
{"user_id": "", "content": "c"}                     | user_id must not be empty
{"user_id": " \t", "content": "c"}                  | user_id must not be empty
{"user_id": "u", "content": ""}                     | content must not be empty
{"user_id": "u", "content": "\n \u3000"}            | content must not be empty
{"user_id": "a\u0007b", "content": "c"}             | user_id must not contain control characters
{"user_id": "a\u0085b", "content": "c"}             | user_id must not contain control characters
{"user_id": "a\u0000b", "content": "c"}             | user_id must not contain control characters
{"user_id": "u", "content": "a\u0000b"}             | content must not contain NUL
"#;

/// Method, path, status, and what the detail must say.
const REQUESTS: &str = "
GET     | /sessions//messages                             | 400 | session must not be empty
POST    | /sessions//messages                             | 400 | session must not be empty
GET     | /sessions//messages/0                           | 400 | session must not be empty
GET     | /sessions/%20%09/messages                       | 400 | session must not be empty
GET     | /sessions/%zz/messages                          | 400 | session must have two hexadecimal digits
GET     | /sessions/a%/messages                           | 400 | session must have two hexadecimal digits
GET     | /sessions/a%4/messages                          | 400 | session must have two hexadecimal digits
POST    | /sessions/%%34/messages                         | 400 | session must have two hexadecimal digits
GET     | /sessions/%zz/messages/0                        | 400 | session must have two hexadecimal digits
GET     | /sessions/%ff%fe/messages                       | 400 | session must be UTF-8
GET     | /sessions/%c0%af/messages                       | 400 | session must be UTF-8
POST    | /sessions/%ed%a0%80/messages                    | 400 | session must be UTF-8
GET     | /sessions/a%00b/messages                        | 400 | session must not contain control characters
GET     | /sessions/a%0d%0ab/messages                     | 400 | session must not contain control characters
POST    | /sessions/a%7Fb/messages                        | 400 | session must not contain control characters
GET     | /sessions/a/messages?limit=0                    | 400 | limit must be a whole number from 1 to 200
GET     | /sessions/a/messages?limit=201                  | 400 | limit must be a whole number from 1 to 200
GET     | /sessions/a/messages?limit=-1                   | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=+1                   | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=%2B1                 | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=x                    | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=1.5                  | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=1e2                  | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=99999999999999999999 | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=%D9%A3               | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=                     | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit                      | 400 | limit must be a whole number
GET     | /sessions/a/messages?limit=1&limit=1            | 400 | limit must be given at most once
GET     | /sessions/a/messages?limit=%zz                  | 400 | limit must have two hexadecimal digits
GET     | /sessions/a/messages?limit=%ff                  | 400 | limit must be UTF-8
GET     | /sessions/a/messages?%ff=1                      | 400 | query must be UTF-8
GET     | /sessions/a/messages?offset=1                   | 400 | unknown parameter `offset`
GET     | /sessions/a/messages?limit=1&Limit=1            | 400 | unknown parameter `Limit`
GET     | /sessions/a/messages?=1                         | 400 | unknown parameter ``
POST    | /sessions/a/messages?limit=1                    | 400 | unknown parameter `limit`
GET     | /sessions/a/messages/0?x=1                      | 400 | unknown parameter `x`
GET     | /sessions/a/messages/seven                      | 404 | id names no message
GET     | /sessions/a/messages/0                          | 404 | id names no message
GET     | /sessions/a/messages/-1                         | 404 | id names no message
GET     | /sessions/a/messages/+1                         | 404 | id names no message
GET     | /sessions/a/messages/01                         | 404 | id names no message
GET     | /sessions/a/messages/%31                        | 404 | id names no message
GET     | /sessions/a/messages/9223372036854775808        | 404 | id names no message
GET     | /sessions/a/messages/018bcfe5-687b-7000-8000-000000000000 | 404 | id names no message
GET     | /                                               | 404 | path names nothing
GET     | /sessions                                       | 404 | path names nothing
GET     | /sessions/a                                     | 404 | path names nothing
GET     | /sessions/a/messages/                           | 404 | path names nothing
GET     | /sessions/a/b/messages                          | 404 | path names nothing
POST    | /Sessions/a/messages                            | 404 | path names nothing
DELETE  | /health                                         | 404 | path names nothing
OPTIONS | /nothing                                        | 404 | path names nothing
OPTIONS | *                                               | 404 | path names nothing
PUT     | /sessions/a/messages                            | 405 | allowed: GET,HEAD,POST
DELETE  | /sessions/a/messages                            | 405 | allowed: GET,HEAD,POST
OPTIONS | /sessions/a/messages                            | 405 | allowed: GET,HEAD,POST
TRACE   | /sessions/a/messages                            | 405 | allowed: GET,HEAD,POST
BREW    | /sessions/a/messages                            | 405 | allowed: GET,HEAD,POST
PUT     | /sessions//messages                             | 405 | allowed: GET,HEAD,POST
POST    | /sessions/a/messages/1                          | 405 | allowed: GET,HEAD
POST    | /health/live                                    | 405 | allowed: GET,HEAD
OPTIONS | /health/ready                                   | 405 | allowed: GET,HEAD
";

/// Headers of a post with a good body, parted by `&`, with the status and what the detail must say.
const HEADERS: &str = "
                                                    | 415 | content-type must be given exactly once
content-type:application/json&content-type:a/b      | 415 | content-type must be given exactly once
content-type:                                       | 415 | content-type must be application/json
content-type:text/plain                             | 415 | content-type must be application/json
content-type:application/x-www-form-urlencoded      | 415 | content-type must be application/json
content-type:application/jsonx                      | 415 | content-type must be application/json
content-type:application/merge-patch+json           | 415 | content-type must be application/json
content-type:application/json; é                    | 415 | content-type must be application/json
content-type:application/json; charset=latin1       | 415 | content-type must have no charset but utf-8
content-type:application/json&content-encoding:gzip | 415 | content-encoding must be absent
content-type:application/json&content-length:65537  | 413 | body must have at most 65536 bytes
content-type:application/json&content-length:99999999999999999999999 | 413 | body must have at most 65536 bytes
content-type:application/json&content-length:-1     | 400 | content-length must be a whole number
";

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}

fn detail_of(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap_or_default()
}

async fn refuses_body(case: &str, body: Vec<u8>, says: &str) {
    let app = app().await;
    let response = send(&app, post_json(PATH, body)).await;
    let problem = problem_of(case, response, StatusCode::BAD_REQUEST).await;
    let detail = detail_of(&problem);
    assert!(detail.contains(says), "{case}: `{detail}` lacks `{says}`");
    let listing = json_of(send(&app, request("GET", PATH)).await).await;
    assert_eq!(listing, json!({ "messages": [] }), "{case}: it was stored");
}

async fn refuses_request(method: &str, path: &str, status: &str, says: &str) {
    let shown: String = path.chars().take(60).collect();
    let case = format!("{method} {shown}");
    let status = StatusCode::from_bytes(status.as_bytes()).expect("a status in the table");
    let response = send(&app().await, request(method, path)).await;
    let allow = response.headers().get(ALLOW).is_some();
    assert_eq!(allow, status == StatusCode::METHOD_NOT_ALLOWED, "{case}: Allow");
    let problem = problem_of(&case, response, status).await;
    let detail = detail_of(&problem);
    assert!(detail.contains(says), "{case}: `{detail}` lacks `{says}`");
    assert!(detail.len() < 300, "{case}: the detail repeats too much");
}

#[tokio::test]
async fn every_bad_body_in_the_table_is_refused() {
    for row in rows(BODIES) {
        let [body, says] = row[..] else {
            panic!("a row of two: {row:?}");
        };
        refuses_body(body, body.into(), says).await;
    }
}

#[tokio::test]
async fn bodies_that_are_no_text_or_too_deep_are_refused() {
    let json = "body must be valid JSON";
    let with = |text: &[u8]| [b"{\"user_id\": \"", text, b"\", \"content\": \"c\"}"].concat();
    refuses_body("not UTF-8", with(b"\xff\xfe"), "body must be UTF-8").await;
    refuses_body("a cut character", with(b"\xe2\x98"), "body must be UTF-8").await;
    refuses_body("an encoded surrogate", with(b"\xed\xa0\x80"), "body must be UTF-8").await;
    refuses_body("a raw line break", with(b"a\nb"), json).await;
    refuses_body("a raw NUL", with(b"a\0b"), json).await;
    refuses_body("a byte order mark", [b"\xef\xbb\xbf", &with(b"u")[..]].concat(), json).await;
    let deep = format!("{{\"user_id\": {}", "[".repeat(60_000));
    refuses_body("a deep value", deep.into(), json).await;
    refuses_body("a deep body", "[".repeat(60_000).into(), "body must be a JSON object").await;
}

#[tokio::test]
async fn texts_one_character_too_long_are_refused() {
    let post = |user_id: usize, content: usize| {
        let (user_id, content) = ("x".repeat(user_id), "x".repeat(content));
        let body = json!({ "user_id": user_id, "content": content });
        body.to_string().into_bytes()
    };
    let user_id = "user_id must have at most 128 characters";
    refuses_body("user_id", post(NAME_MAX + 1, 1), user_id).await;
    let content = "content must have at most 8192 characters";
    refuses_body("content", post(1, CONTENT_MAX + 1), content).await;
    let session = "session must have at most 128 characters";
    for length in [NAME_MAX + 1, 10_000] {
        let path = format!("/sessions/{}/messages", "x".repeat(length));
        refuses_request("GET", &path, "400", session).await;
        refuses_request("POST", &path, "400", session).await;
    }
}

#[tokio::test]
async fn every_bad_request_in_the_table_is_refused() {
    for row in rows(REQUESTS) {
        let [method, path, status, says] = row[..] else {
            panic!("a row of four: {row:?}");
        };
        refuses_request(method, path, status, says).await;
    }
}

#[tokio::test]
async fn an_id_that_nobody_has_is_unknown() {
    let path = format!("{PATH}/1");
    refuses_request("GET", &path, "404", "id names no message").await;
}

#[tokio::test]
async fn a_made_up_name_is_repeated_short_and_printable() {
    let query = format!("?%0a{}", "y".repeat(10_000));
    let says = format!("unknown parameter `%0a{}…`", "y".repeat(37));
    refuses_request("GET", &format!("{PATH}{query}"), "400", &says).await;
}

#[tokio::test]
async fn every_bad_header_in_the_table_is_refused() {
    for row in rows(HEADERS) {
        let [headers, status, says] = row[..] else {
            panic!("a row of three: {row:?}");
        };
        let mut builder = Request::builder().method("POST").uri(PATH);
        for header in headers.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = header.split_once(':').expect("a name and a value");
            builder = builder.header(name, value.as_bytes());
        }
        let body = json!({ "user_id": "u", "content": "c" }).to_string();
        let request = builder.body(Body::from(body)).expect("can be built");
        let status = StatusCode::from_bytes(status.as_bytes()).expect("a status");
        let problem = problem_of(headers, send(&app().await, request).await, status).await;
        let detail = detail_of(&problem);
        assert!(detail.contains(says), "{headers}: `{detail}` lacks `{says}`");
    }
}
