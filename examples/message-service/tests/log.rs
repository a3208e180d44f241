//! What is logged. One test alone in its process: another thread's events would meddle with what is captured.

mod broken;
mod ids;

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use message_service::{Health, MessageService, REQUEST_ID, RequestLimits, router};
use tower::ServiceExt;

use broken::Broken;

/// What is logged while its subscriber is set.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no test panics with it").clone();
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics with it").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_clients_are_not_told_is_in_the_log() {
    for (store, cause) in [(Broken::Fails, "password of db.internal refused"), (Broken::Panics, "a store that panics")]
    {
        let uid = ids::uid().await;
        let log = Log::default();
        let writer = log.clone();
        // At this level, too, the line has the id that the client was given.
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_ansi(false);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let service = Arc::new(MessageService::new(Arc::new(store), uid));
        let health = Arc::new(Health::new(Vec::new()));
        let app = router(service, health, RequestLimits::default());
        let request = Request::get("/sessions/a/messages").body(Body::empty());
        let response = app.oneshot(request.expect("can be built")).await;
        drop(guard);
        let response = response.expect("the router never fails");
        assert!(response.status().is_server_error());
        let id = response.headers()[REQUEST_ID].to_str().expect("text");
        let text = log.text();
        assert!(text.contains("ERROR") && text.contains(cause), "{text}");
        assert!(text.contains(&format!("trace_id={id}")), "{text}");
    }
}
