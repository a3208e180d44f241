//! The trace id of a request, on its answer and on every line that is logged for it.
//!
//! All tests log into one log, as the requests of a service do; each looks for the lines of its own ids.

mod broken;
mod ids;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use gone::clog::{Clog, ClogConfig, Section, TraceId, TraceParent};
use message_service::{
    Health, Limit, MemoryStore, Message, MessageService, MessageStore, REQUEST_ID, RequestLimits, Session, StoreError,
    router,
};
use serde_json::Value;
use tokio::sync::Barrier;
use tower::ServiceExt;
use tracing::Instrument;

use broken::Broken;

const LIST: &str = "/sessions/a/messages";

/// What is logged in this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics with it").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let mut config = ClogConfig::for_profile("production").expect("a profile");
    config.queue.mode = gone::clog::QueueMode::Direct;
    let clog = Clog::with_writer(config, log.clone()).expect("a good config");
    assert_eq!(clog.install(), gone::clog::Installed::AsDefault);
    log
});

/// All lines so far that have one of these ids.
fn lines_of(ids: &[&str]) -> Vec<Value> {
    let bytes = LOG.0.lock().expect("no test panics with it").clone();
    let text = String::from_utf8(bytes).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    lines.filter(|line| ids.iter().any(|id| line["trace_id"] == *id)).collect()
}

/// The lines of one request that are its access line.
fn access_lines(id: &str) -> Vec<Value> {
    let is_access = |line: &Value| line["namespace"].as_str().is_some_and(|it| it.ends_with(".access"));
    lines_of(&[id]).into_iter().filter(is_access).collect()
}

async fn app(store: impl MessageStore + 'static) -> Router {
    LazyLock::force(&LOG);
    let service = MessageService::new(Arc::new(store), ids::uid().await);
    router(Arc::new(service), Arc::new(Health::new(Vec::new())), RequestLimits::default())
}

fn request(method: &str, path: &str, parents: &[&str]) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    let builder = parents.iter().fold(builder, |builder, parent| builder.header("traceparent", *parent));
    builder.body(Body::empty()).expect("can be built")
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = app.clone().oneshot(request).await.expect("the router never fails");
    (response.status(), id_of(&response))
}

fn id_of(response: &Response<Body>) -> String {
    let mut ids = response.headers().get_all(REQUEST_ID).iter();
    let id = ids.next().expect("every answer has an id").to_str().expect("text").to_owned();
    assert!(ids.next().is_none(), "one id");
    assert!(TraceId::from(id.as_str()).is_w3c(), "{id}");
    id
}

#[tokio::test]
async fn the_trace_of_whoever_asks_goes_on() {
    let app = app(MemoryStore::default()).await;
    let parent = TraceParent::new(true);
    let (status, id) = send(&app, request("GET", LIST, &[&parent.to_string()])).await;
    assert_eq!((status, id.as_str()), (StatusCode::OK, parent.trace_id().as_str()));
    let [line] = &access_lines(&id)[..] else { panic!("one access line: {:?}", lines_of(&[&id])) };
    assert_eq!(line["level"], "info");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["path"], "/sessions/{session}/messages");
    assert_eq!(line["status"], 200);
    assert!(line["duration_ms"].as_f64().is_some_and(|it| it > 0.0), "{line}");
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_counts_as_none() {
    let app = app(MemoryStore::default()).await;
    let (one, other) = (TraceParent::new(true), TraceParent::new(true));
    let (one, other) = (one.to_string(), other.to_string());
    let zero = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
    let cases: [&[&str]; 6] = [
        &[],
        &[""],
        &["nonsense"],
        &["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"],
        &[&zero],
        &[&one, &other],
    ];
    let mut seen = Vec::new();
    for parents in cases {
        let (_, id) = send(&app, request("GET", LIST, parents)).await;
        assert!(!parents.iter().any(|parent| parent.contains(&id)), "{parents:?}: {id}");
        assert_eq!(access_lines(&id).len(), 1, "{parents:?}");
        assert!(!seen.contains(&id), "{id} twice");
        seen.push(id);
    }
}

#[tokio::test]
async fn problems_have_an_id_and_an_access_line_too() {
    let memory = app(MemoryStore::default()).await;
    let failing = app(Broken::Fails).await;
    let panicking = app(Broken::Panics).await;
    for (app, method, path, status, route, lines) in [
        (&memory, "GET", "/sessions/a/messages?limit=x", 400, "/sessions/{session}/messages", 1),
        (&memory, "GET", "/sessions/%ff/messages/1", 400, "/sessions/{session}/messages/{id}", 1),
        (&memory, "GET", "/sessions/secret/messages/x", 404, "/sessions/{session}/messages/{id}", 1),
        (&memory, "GET", "/sessions//messages", 400, "/sessions//messages", 1),
        (&memory, "DELETE", LIST, 405, "/sessions/{session}/messages", 1),
        (&memory, "BREW", "/secret", 404, "unknown", 1),
        (&memory, "POST", LIST, 415, "/sessions/{session}/messages", 1),
        (&memory, "GET", "/health/ready", 503, "/health/ready", 1),
        (&failing, "GET", LIST, 503, "/sessions/{session}/messages", 2),
        (&panicking, "GET", LIST, 500, "/sessions/{session}/messages", 2),
    ] {
        let case = format!("{method} {path}");
        let (found, id) = send(app, request(method, path, &[])).await;
        assert_eq!(found, status, "{case}");
        let [line] = &access_lines(&id)[..] else { panic!("{case}: one access line: {:?}", lines_of(&[&id])) };
        assert_eq!((&line["method"], &line["path"]), (&method.into(), &route.into()), "{case}");
        assert_eq!(line["status"], status, "{case}");
        let all = lines_of(&[&id]);
        assert_eq!(all.len(), lines, "{case}: {all:?}");
        assert!(!all.iter().any(|line| line.to_string().contains("secret")), "{case}: {all:?}");
    }
}

/// A store that has something to say, and lets everybody begin before anybody ends.
struct Talkative(Barrier);

impl Talkative {
    async fn talk(&self, session: &Session) {
        tracing::info!(said_for = session.as_str(), "before");
        self.0.wait().await;
        let session = session.as_str().to_owned();
        let task = async move {
            tokio::task::yield_now().await;
            tracing::warn!(said_for = session, "in a task");
        };
        tokio::spawn(task.in_current_span()).await.expect("no panic");
        self.0.wait().await;
        tracing::info!(passed_on = gone::clog::trace_id().map(|id| id.to_string()), "after");
    }
}

#[async_trait]
impl MessageStore for Talkative {
    async fn append(&self, _: Message) -> Result<(), StoreError> {
        panic!("nothing is appended")
    }
    async fn newest(&self, session: &Session, _: Limit) -> Result<Vec<Message>, StoreError> {
        self.talk(session).await;
        Ok(Vec::new())
    }
    async fn find(&self, session: &Session, _: i64) -> Result<Option<Message>, StoreError> {
        self.talk(session).await;
        Ok(None)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_at_once_do_not_mix() {
    const REQUESTS: usize = 16;
    let app = app(Talkative(Barrier::new(REQUESTS))).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        let app = app.clone();
        let parent = TraceParent::new(false).to_string();
        let session = format!("session-{number}");
        let id = if number % 2 == 0 { "" } else { "/7" };
        let request =
            request("GET", &format!("/sessions/{session}/messages{id}"), &[parent.as_str()][..number % 3 % 2]);
        tasks.spawn(async move { (send(&app, request).await.1, session) });
    }
    let sessions: BTreeMap<String, String> = tasks.join_all().await.into_iter().collect();
    assert_eq!(sessions.len(), REQUESTS, "an id for each");
    let ids: Vec<_> = sessions.keys().map(String::as_str).collect();
    for (id, session) in &sessions {
        let lines = lines_of(&[id]);
        let said: Vec<_> = lines.iter().map(|line| line["msg"].as_str().expect("text")).collect();
        assert_eq!(said, ["before", "in a task", "after", "answered"], "{session}");
        assert_eq!([&lines[0]["said_for"], &lines[1]["said_for"]], [session.as_str(); 2]);
        assert_eq!(lines[2]["passed_on"], *id);
    }
    assert_eq!(lines_of(&ids).len(), 4 * REQUESTS);
    let text = String::from_utf8(LOG.0.lock().expect("no test panics with it").clone()).expect("text");
    assert_eq!(text.matches("session-").count(), 2 * REQUESTS, "none without an id");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_has_its_line_without_a_status() {
    let app = app(Talkative(Barrier::new(2))).await;
    let parent = TraceParent::new(true);
    let request = request("GET", LIST, &[&parent.to_string()]);
    let cut = tokio::time::timeout(Duration::from_millis(20), send(&app, request)).await;
    assert!(cut.is_err(), "it waits for a second one");
    let [line] = &access_lines(parent.trace_id().as_str())[..] else { panic!("one access line") };
    assert_eq!(line["msg"], "gone before it was answered");
    assert_eq!((&line["path"], line.get("status")), (&"/sessions/{session}/messages".into(), None));
}
