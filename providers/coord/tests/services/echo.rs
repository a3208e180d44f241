//! A gRPC server that tells who it is, without generated code.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut};
use gone_coord::{ServiceChannel, ServiceInfo};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// Text, as it is.
#[derive(Clone, Copy)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Text;
    type Decoder = Text;

    fn encoder(&mut self) -> Text {
        Text
    }

    fn decoder(&mut self) -> Text {
        Text
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let text = buffer.copy_to_bytes(buffer.remaining());
        String::from_utf8(text.to_vec()).map(Some).map_err(|_| Status::internal("no text"))
    }
}

/// Answers with its name: at once, `after <ms>`, or not at all: `unavailable`, `internal`, `crash`.
#[derive(Clone)]
struct Echo {
    name: Arc<str>,
    calls: Arc<AtomicU64>,
}

impl tower_service::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(Text).unary(echo, request).await) })
    }
}

impl tonic::server::UnaryService<String> for Echo {
    type Response = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Status>> + Send>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let Echo { name, calls } = self.clone();
        Box::pin(async move {
            calls.fetch_add(1, Ordering::SeqCst);
            let asked = request.into_inner();
            if let Some((_, sick)) = asked.split_once(" of ")
                && sick != &*name
            {
                return Ok(Response::new(name.to_string()));
            }
            match asked.split(' ').next() {
                Some("unavailable") => return Err(Status::unavailable("as asked")),
                Some("internal") => return Err(Status::internal("as asked")),
                Some("after") => {
                    let after = asked.split(' ').nth(1).and_then(|after| after.parse().ok()).unwrap_or_default();
                    tokio::time::sleep(Duration::from_millis(after)).await;
                }
                _ => {}
            }
            Ok(Response::new(name.to_string()))
        })
    }
}

/// A server that runs, under the name of its instance.
pub(crate) struct Served {
    pub(crate) info: ServiceInfo,
    calls: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves on a port of its own.
    pub(crate) async fn start(service: &str, id: &str) -> Self {
        Self::start_with(service, id, None).await
    }

    pub(crate) async fn start_with(service: &str, id: &str, tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let calls = Arc::new(AtomicU64::new(0));
        let echo = Echo { name: id.into(), calls: Arc::clone(&calls) };
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).expect("its certificate");
        }
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let served = server.serve_with_incoming_shutdown(echo, TcpIncoming::from(listener), stopped).await;
            served.expect("it serves");
        });
        let info = ServiceInfo::new(service, id, "127.0.0.1", port);
        Self { info, calls, stop: Some(stop), task }
    }

    /// How many calls have come.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets no new call in, and waits until those that are under way are answered.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        (&mut self.task).await.expect("it ends");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A channel of this crate, or a plain one.
pub(crate) trait Asked:
    tonic::client::GrpcService<Body, ResponseBody = Body, Error: std::fmt::Debug> + Clone
{
}

impl Asked for ServiceChannel {}

impl Asked for tonic::transport::Channel {}

/// Asks for a name.
pub(crate) async fn ask(channel: &impl Asked, question: &str) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("it is always ready");
    let path = PathAndQuery::from_static("/test.Echo/Ask");
    client.unary(Request::new(question.to_owned()), path, Text).await.map(Response::into_inner)
}
