//! The listener: bounded connections, bounded waits, and a stop that loses no request it can keep.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower_service::Service;

use super::transport::Transport;

/// The bounds of a server. The default of each field is in its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOptions {
    /// The most connections at once, 1 to 1,000,000; further ones wait to be accepted. 1,024 by default.
    pub max_connections: u32,
    /// How long the head of a request may take, and how long a connection may idle before its next one. 10 seconds by
    /// default; not zero.
    pub header_timeout: Duration,
    /// How long the client may take nothing of an answer. 10 seconds by default; not zero.
    pub write_timeout: Duration,
    /// The size at which the head of a request is refused when it is not complete, in bytes; at least 8,192. 32 KiB by
    /// default.
    pub header_bytes: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_connections: 1_024,
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            header_bytes: 32 * 1024,
        }
    }
}

impl ServerOptions {
    fn check(&self) -> Result<(), ServerError> {
        let rules = [
            ("max_connections", (1..=1_000_000).contains(&self.max_connections), "from 1 to 1,000,000"),
            ("header_timeout", !self.header_timeout.is_zero(), "more than zero"),
            ("write_timeout", !self.write_timeout.is_zero(), "more than zero"),
            ("header_bytes", self.header_bytes >= 8_192, "at least 8,192"),
        ];
        match rules.into_iter().find(|(_, kept, _)| !kept) {
            None => Ok(()),
            Some((option, _, rule)) => Err(ServerError::Option { option, rule }),
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on: in use, not of this machine, or not an address.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address as it was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// An option is out of its bounds.
    #[error("the server option `{option}` must be {rule}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// The rule, as the end of a sentence.
        rule: &'static str,
    },
}

/// What a stop found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StopReport {
    /// The connections that were open when the stop began and ended in time.
    pub finished: usize,
    /// The connections that were cut at the deadline; each had a request under way.
    pub cut: usize,
    /// How long the stop took.
    pub elapsed: Duration,
}

/// Starts servers.
#[derive(Debug, Clone, Copy)]
pub struct HttpServer;

impl HttpServer {
    /// Listens on `address` (`host:port`; port 0 takes a free one) and serves `router` over HTTP/1.1.
    ///
    /// It returns once connections are accepted, having logged the real address. The server runs until
    /// [`Running::stop`], or until the [`Running`] is dropped. A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`ServerError::Bind`], which names the address, and [`ServerError::Option`].
    pub async fn start(address: &str, router: Router, options: ServerOptions) -> Result<Running, ServerError> {
        options.check()?;
        let bind_error = |source| ServerError::Bind { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(bind_error)?;
        let local_addr = listener.local_addr().map_err(bind_error)?;
        let (stop, stopped) = watch::channel(None);
        let task = tokio::spawn(serve(listener, router, options, Stop(stopped)));
        tracing::info!("listening on http://{local_addr}");
        Ok(Running { local_addr, stop, task })
    }
}

/// A server that listens.
///
/// Dropped without [`stop`](Self::stop), it stops at once and cuts every connection.
#[derive(Debug)]
#[must_use = "the server stops when this is dropped"]
pub struct Running {
    local_addr: SocketAddr,
    stop: watch::Sender<Option<Instant>>,
    task: JoinHandle<StopReport>,
}

impl Running {
    /// The address that is listened on, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, closes idle connections, lets requests under way complete, and cuts those that `deadline` finds
    /// unfinished.
    ///
    /// A connection whose request is under way closes after its answer. If the future is dropped, the stop goes on by
    /// itself to the same deadline.
    pub async fn stop(self, deadline: Duration) -> StopReport {
        const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
        self.stop.send_replace(Some(Instant::now() + deadline.min(A_DAY)));
        let report = self.task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the accept loop ended early");
            StopReport::default()
        });
        if report.cut > 0 {
            tracing::warn!(cut = report.cut, "connections were cut at the deadline");
        }
        report
    }
}

/// Tells that the server stops, and until when.
#[derive(Clone)]
struct Stop(watch::Receiver<Option<Instant>>);

impl Stop {
    /// Waits for the stop and returns its deadline: now, when the [`Running`] was dropped.
    async fn begun(&mut self) -> Instant {
        match self.0.wait_for(Option::is_some).await {
            Ok(deadline) => deadline.unwrap_or_else(Instant::now),
            Err(_) => Instant::now(),
        }
    }
}

async fn serve(listener: TcpListener, router: Router, options: ServerOptions, mut stop: Stop) -> StopReport {
    let slots = Arc::new(Semaphore::new(options.max_connections as usize));
    let mut connections = JoinSet::new();
    let deadline = loop {
        tokio::select! {
            biased;
            deadline = stop.begun() => break deadline,
            Some(ended) = connections.join_next() => note(ended),
            (stream, slot) = accept(&listener, &slots) => {
                let connection = connection(stream, router.clone(), options, stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
        }
    };
    drop(listener);
    drain(connections, deadline).await
}

/// Takes a slot, then a connection, so that at the bound new connections wait with the system.
///
/// A dropped future gives the slot back and loses no connection.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    const PAUSE: Duration = Duration::from_millis(100);
    // The semaphore is never closed.
    let slot = slots.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            // The client gave up before its turn.
            Err(error) if is_of_one_connection(&error) => tracing::debug!(%error, "accept failed"),
            // Most likely out of file descriptors: that passes as connections close, but not in a busy loop.
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: TcpStream, router: Router, options: ServerOptions, mut stop: Stop) {
    // Answers are written whole: waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no-delay was not set");
    }
    let service = service_fn(move |request| Box::pin(router.clone().call(request)));
    let transport = Transport::new(stream, options.write_timeout);
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size(options.header_bytes)
        .max_header_size(options.header_bytes)
        .serve_connection(TokioIo::new(transport), service);
    let mut stopping = false;
    let served = loop {
        tokio::select! {
            // First the connection: a request that is here already is served, not closed as idle.
            biased;
            served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
            _ = stop.begun(), if !stopping => {
                stopping = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
    let mut transport = connection.into_parts().io.into_inner();
    if transport.shutdown().await.is_ok() {
        tokio::select! {
            biased;
            _ = stop.begun() => {}
            () = linger(&mut transport) => {}
        }
    }
}

/// Reads on for a moment after the last answer.
///
/// Closing while bytes are unread resets the connection, and a client that is still sending a body that was refused
/// would lose the answer that says so.
async fn linger(transport: &mut Transport<TcpStream>) {
    const MOMENT: Duration = Duration::from_secs(2);
    const MOST: u64 = 256 * 1024;
    let mut rest = transport.take(MOST);
    let _ = timeout(MOMENT, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

async fn drain(mut connections: JoinSet<()>, deadline: Instant) -> StopReport {
    /// How long a cut connection may take to let go; it does at its next await.
    const LET_GO: Duration = Duration::from_millis(100);
    let began = Instant::now();
    let mut finished = 0;
    while let Ok(Some(ended)) = timeout_at(deadline, connections.join_next()).await {
        note(ended);
        finished += 1;
    }
    let cut = connections.len();
    connections.abort_all();
    let _ = timeout(LET_GO, async { while connections.join_next().await.is_some() {} }).await;
    StopReport { finished, cut, elapsed: began.elapsed() }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
