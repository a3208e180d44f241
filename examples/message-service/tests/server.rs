//! The server over real sockets.

mod ids;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use message_service::{
    Health, HttpServer, Limit, MemoryStore, Message, MessageService, MessageStore, Phase, RequestLimits, Running,
    ServerError, ServerOptions, Session, StoreError, router,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

const ANYWHERE: &str = "127.0.0.1:0";
/// Long enough for any machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const LIST: &str = "GET /sessions/a/messages HTTP/1.1\r\nhost: x\r\n\r\n";

async fn routes(store: Arc<dyn MessageStore>, limits: RequestLimits) -> Router {
    let health = Arc::new(Health::new(Vec::new()));
    health.enter(Phase::Ready);
    router(Arc::new(MessageService::new(store, ids::uid().await)), health, limits)
}

async fn start_with(store: Arc<dyn MessageStore>, limits: RequestLimits, options: ServerOptions) -> Running {
    HttpServer::start(ANYWHERE, routes(store, limits).await, options).await.expect("a free port")
}

async fn start() -> Running {
    let store = Arc::new(MemoryStore::default());
    start_with(store, RequestLimits::default(), ServerOptions::default()).await
}

struct Client(TcpStream);

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Checks that it is a problem document, and returns its detail.
    fn detail(&self) -> String {
        let head = &self.head;
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        let problem: Value = serde_json::from_slice(&self.body).expect("a JSON body");
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().expect("a detail").to_owned()
    }
}

impl Client {
    async fn connect(running: &Running) -> Self {
        let stream = TcpStream::connect(running.local_addr()).await;
        Self(stream.expect("the server listens"))
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    /// Reads one answer that has a `content-length`.
    async fn answer(&mut self) -> Answer {
        let reading = async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await.expect("an answer"));
            }
            let head = String::from_utf8(head).expect("a head of text").to_lowercase();
            let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            let length: usize = length.and_then(|it| it.parse().ok()).expect("a length");
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.expect("the whole body");
            let status = status.expect("a status");
            Answer { status, head, body }
        };
        timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).await;
        self.answer().await
    }

    /// Waits until the server closes, and returns what it sent before.
    async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let reading = self.0.read_to_end(&mut rest);
        timeout(PATIENCE, reading).await.expect("closed in time").expect("closed in order");
        rest
    }
}

fn post(session: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /sessions/{session}/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A store whose listing waits until it is let go, and says when it has begun.
#[derive(Default)]
struct Gate {
    begun: Notify,
    open: Notify,
}

#[async_trait]
impl MessageStore for Gate {
    async fn append(&self, _: Message) -> Result<(), StoreError> {
        panic!("nothing is appended")
    }
    async fn newest(&self, _: &Session, _: Limit) -> Result<Vec<Message>, StoreError> {
        self.begun.notify_one();
        self.open.notified().await;
        Ok(Vec::new())
    }
    async fn find(&self, _: &Session, _: i64) -> Result<Option<Message>, StoreError> {
        panic!("nothing is looked for")
    }
}

async fn start_gated() -> (Running, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let running = start_with(gate.clone(), RequestLimits::default(), ServerOptions::default()).await;
    (running, gate)
}

#[tokio::test]
async fn messages_go_in_and_come_out_over_one_connection() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let posted = client.ask(post("a", r#"{"user_id":"u","content":"hi"}"#)).await;
    assert_eq!(posted.status, 201);
    assert!(posted.head.contains("location: /sessions/a/messages/"), "{}", posted.head);
    let listed = client.ask(LIST).await;
    assert_eq!(listed.status, 200);
    let listing: Value = serde_json::from_slice(&listed.body).expect("JSON");
    assert_eq!(listing["messages"][0]["content"], "hi");
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind(ANYWHERE).await.expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let routes = routes(Arc::new(MemoryStore::default()), RequestLimits::default()).await;
    let error = HttpServer::start(&address, routes, ServerOptions::default()).await.expect_err("the port is taken");
    assert!(error.to_string().contains(&address), "{error}");
    let ServerError::Bind { source, .. } = error else {
        panic!("another error: {error}");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_that_names_it() {
    let routes = routes(Arc::new(MemoryStore::default()), RequestLimits::default()).await;
    let error = HttpServer::start("8080", routes, ServerOptions::default()).await.expect_err("no address");
    assert!(error.to_string().contains("`8080`"), "{error}");
}

#[tokio::test]
async fn options_out_of_bounds_are_refused_by_name() {
    let good = ServerOptions::default();
    for (name, options) in [
        ("max_connections", ServerOptions { max_connections: 0, ..good }),
        ("max_connections", ServerOptions { max_connections: u32::MAX, ..good }),
        ("header_timeout", ServerOptions { header_timeout: Duration::ZERO, ..good }),
        ("write_timeout", ServerOptions { write_timeout: Duration::ZERO, ..good }),
        ("header_bytes", ServerOptions { header_bytes: 8_191, ..good }),
    ] {
        let routes = routes(Arc::new(MemoryStore::default()), RequestLimits::default()).await;
        let error = HttpServer::start(ANYWHERE, routes, options).await.expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_a_400() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let mut request = post("a", "0123456789").into_bytes();
    request.truncate(request.len() - 10);
    request.extend_from_slice(b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe");
    let answer = client.ask(request).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.detail(), "body must be UTF-8");
}

#[tokio::test]
async fn a_slow_body_is_a_408_and_the_connection_closes() {
    let limits = RequestLimits { body_timeout: Duration::from_millis(50), ..RequestLimits::default() };
    let store = Arc::new(MemoryStore::default());
    let running = start_with(store, limits, ServerOptions::default()).await;
    let mut client = Client::connect(&running).await;
    let whole = post("a", r#"{"user_id":"u","content":"hi"}"#);
    let answer = client.ask(&whole[..whole.len() - 1]).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.detail(), "body must arrive within 50ms");
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn an_announced_body_that_is_too_long_is_a_413_before_it_is_sent() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let head = "POST /sessions/a/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000000\r\nexpect: 100-continue\r\n\r\n";
    let answer = client.ask(head).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.detail(), "body must have at most 65536 bytes");
}

#[tokio::test]
async fn a_chunked_body_that_is_too_long_is_a_413_that_the_sender_can_read() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client
        .send("POST /sessions/a/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    for _ in 0..32 {
        client.send(&chunk).await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.detail(), "body must have at most 65536 bytes");
}

#[tokio::test]
async fn a_sender_that_goes_on_after_a_refusal_is_not_reset_at_once() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let head = "POST /sessions/a/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
    assert_eq!(client.ask(head).await.status, 413);
    let end = timeout(PATIENCE, client.0.read(&mut [0])).await;
    assert_eq!(end.expect("closed in time").expect("closed in order"), 0);
    for _ in 0..20 {
        client.send([b' '; 5_000]).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_badly_framed_body_is_a_400() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let answer = client
        .ask("POST /sessions/a/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.detail(), "body must be complete and correctly framed");
}

#[tokio::test]
async fn what_is_not_http_is_a_problem_too() {
    let running = start().await;
    let long = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (case, bytes, status) in [
        ("nonsense", b"nonsense\r\n\r\n".to_vec(), 400),
        ("a bad header", b"GET / HTTP/1.1\r\nbad header\r\n\r\n".to_vec(), 400),
        ("a bad version", b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400),
        ("a blank in the path", b"GET /sessions/a b/messages HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), 400),
        ("a control character in the path", b"GET /sessions/a\x01b/messages HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), 400),
        ("a raw byte in the path", b"GET /sessions/a\xffb/messages HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), 400),
        ("a bad length", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n".to_vec(), 400),
        ("two lengths", b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(), 400),
        ("an unknown coding", b"POST / HTTP/1.1\r\ntransfer-encoding: odd\r\n\r\n".to_vec(), 400),
        ("a long head", long.into_bytes(), 431),
        ("many fields", many.into_bytes(), 431),
    ] {
        let mut client = Client::connect(&running).await;
        let answer = client.ask(bytes).await;
        assert_eq!(answer.status, status, "{case}: {}", answer.head);
        assert!(answer.detail().contains(" must be "), "{case}");
        assert!(answer.head.contains("connection: close"), "{case}");
        assert_eq!(client.rest().await, b"", "{case}");
    }
}

#[tokio::test]
async fn a_session_name_of_ten_kilobytes_is_refused_by_its_rule() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    let answer = client.ask(post(&"x".repeat(10_000), "{}")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.detail(), "session must have at most 128 characters");
}

#[tokio::test]
async fn odd_targets_are_problems() {
    let running = start().await;
    for (line, status) in [
        ("OPTIONS *", 404),
        ("CONNECT example.org:443", 404),
        ("GET http://example.org/nothing", 404),
        ("GET //sessions/a/messages", 404),
    ] {
        let mut client = Client::connect(&running).await;
        let answer = client.ask(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{line}");
        answer.detail();
    }
}

#[tokio::test]
async fn a_head_request_that_fails_has_the_head_of_a_problem_and_no_body() {
    let running = start().await;
    let mut client = Client::connect(&running).await;
    client.send("HEAD /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let answer = String::from_utf8(client.rest().await).expect("text").to_lowercase();
    assert!(answer.starts_with("http/1.1 404"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut() {
    let options = ServerOptions { header_timeout: Duration::from_millis(50), ..ServerOptions::default() };
    let store = Arc::new(MemoryStore::default());
    let running = start_with(store, RequestLimits::default(), options).await;
    let mut client = Client::connect(&running).await;
    client.send("GET /health/live HTTP/1.1\r\nhost:").await;
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_its_turn() {
    let options = ServerOptions { max_connections: 1, ..ServerOptions::default() };
    let store = Arc::new(MemoryStore::default());
    let running = start_with(store, RequestLimits::default(), options).await;
    let mut first = Client::connect(&running).await;
    assert_eq!(first.ask(LIST).await.status, 200);
    let mut second = Client::connect(&running).await;
    second.send(LIST).await;
    let early = timeout(Duration::from_millis(100), second.0.readable()).await;
    assert!(early.is_err(), "the second was served beside the first");
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

#[tokio::test]
async fn a_stop_completes_the_request_under_way_and_refuses_new_connections() {
    let (running, gate) = start_gated().await;
    let address = running.local_addr();
    let mut client = Client::connect(&running).await;
    client.send(LIST).await;
    gate.begun.notified().await;

    let stop = tokio::spawn(running.stop(PATIENCE));
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("new connections are refused");
    assert!(!stop.is_finished(), "the request is still under way");

    gate.open.notify_one();
    let answer = client.answer().await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(client.rest().await, b"");
    let report = stop.await.expect("no panic");
    assert!(report.finished >= 1, "{report:?}");
    assert_eq!(report.cut, 0);
}

#[tokio::test]
async fn a_stop_closes_idle_connections_at_once() {
    let running = start().await;
    let mut kept = Client::connect(&running).await;
    assert_eq!(kept.ask(LIST).await.status, 200);
    let fresh = Client::connect(&running).await;
    // The server has taken the fresh one when it has served one that came later.
    let mut later = Client::connect(&running).await;
    assert_eq!(later.ask(LIST).await.status, 200);

    let before = Instant::now();
    let report = running.stop(PATIENCE).await;
    assert!(before.elapsed() < PATIENCE / 4, "{report:?}");
    assert_eq!((report.finished, report.cut), (3, 0));
    for client in [kept, fresh, later] {
        assert_eq!(client.rest().await, b"");
    }
}

#[tokio::test]
async fn a_stop_answers_the_first_of_two_pipelined_requests_and_closes() {
    let (running, gate) = start_gated().await;
    let mut client = Client::connect(&running).await;
    client.send(format!("{LIST}{LIST}")).await;
    gate.begun.notified().await;
    let mut stop = std::pin::pin!(running.stop(PATIENCE));
    // The stop begins with the first poll.
    assert!(timeout(Duration::from_millis(50), &mut stop).await.is_err());
    gate.open.notify_one();
    let answer = client.answer().await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    let report = stop.await;
    assert_eq!((report.finished, report.cut), (1, 0));
}

#[tokio::test]
async fn a_stop_cuts_at_the_deadline_and_reports_how_many() {
    let (running, gate) = start_gated().await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect(&running).await;
        client.send(LIST).await;
        gate.begun.notified().await;
        clients.push(client);
    }
    let before = Instant::now();
    let report = running.stop(Duration::from_millis(100)).await;
    assert!(before.elapsed() >= Duration::from_millis(100), "{report:?}");
    assert!(before.elapsed() < PATIENCE / 4, "{report:?}");
    assert_eq!((report.finished, report.cut), (0, 2));
    for mut client in clients {
        let mut rest = Vec::new();
        // Cut: the end of the stream or a reset, but never an answer.
        let _ = timeout(PATIENCE, client.0.read_to_end(&mut rest)).await.expect("closed");
        assert_eq!(rest, b"");
    }
}

#[tokio::test]
async fn a_stop_whose_future_is_dropped_goes_on() {
    let (running, gate) = start_gated().await;
    let address = running.local_addr();
    let mut client = Client::connect(&running).await;
    client.send(LIST).await;
    gate.begun.notified().await;
    assert!(timeout(Duration::from_millis(50), running.stop(PATIENCE)).await.is_err());
    assert!(TcpStream::connect(address).await.is_err());
    gate.open.notify_one();
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_dropped_server_cuts_everything() {
    let (running, gate) = start_gated().await;
    let address = running.local_addr();
    let mut client = Client::connect(&running).await;
    client.send(LIST).await;
    gate.begun.notified().await;
    drop(running);
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, client.0.read_to_end(&mut rest)).await.expect("closed");
    assert_eq!(rest, b"");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_panic_answers_500_and_the_connection_lives_on() {
    let (running, gate) = start_gated().await;
    gate.open.notify_one();
    let mut client = Client::connect(&running).await;
    let answer = client.ask(post("a", r#"{"user_id":"u","content":"hi"}"#)).await;
    assert_eq!(answer.status, 500);
    answer.detail();
    assert_eq!(client.ask(LIST).await.status, 200);
}
