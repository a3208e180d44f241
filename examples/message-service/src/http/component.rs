//! The server as a part of the application.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gone::{BeforeStop, Close, CloseReport, Deadline, Goner, Live, Start, Stop};
use tokio::sync::Mutex;

use super::limits::{BodyBytes, RequestLimits};
use super::router::router;
use super::server::{HttpServer, Running, ServerOptions, StopReport};
use crate::health::{Health, Phase};
use crate::message::PageLimits;
use crate::service::MessageService;

/// Serves the routes from start to stop: ready once it listens, draining once the stop begins.
#[derive(Goner)]
pub struct Http {
    #[gone("config,server.addr=127.0.0.1:8080")]
    addr: String,
    #[gone("config,server.body_bytes=65536")]
    body_bytes: Live<BodyBytes>,
    #[gone("config,server.body_timeout=10s")]
    body_timeout: Duration,
    #[gone("config,server.page")]
    page: Live<PageLimits>,
    #[gone("config,server.stop_timeout=8s")]
    stop_timeout: Duration,
    #[gone]
    service: Arc<MessageService>,
    #[gone]
    health: Arc<Health>,
    running: Mutex<Option<Running>>,
    stopped: Mutex<Option<StopReport>>,
}

impl Http {
    /// The address that is listened on, with the real port; none before the start and after the stop.
    pub async fn local_addr(&self) -> Option<SocketAddr> {
        self.running.lock().await.as_ref().map(Running::local_addr)
    }
}

impl Start for Http {
    async fn start(&self) -> gone::Result<()> {
        let (body_bytes, page) = (self.body_bytes.clone(), self.page.clone());
        let limits = RequestLimits { body_bytes, body_timeout: self.body_timeout, page };
        let routes = router(self.service.clone(), self.health.clone(), limits);
        let running = HttpServer::start(&self.addr, routes, ServerOptions::default()).await?;
        *self.running.lock().await = Some(running);
        self.health.enter(Phase::Ready);
        Ok(())
    }
}

impl BeforeStop for Http {
    /// Not ready any more, and still serving: coordination unregisters the service at this moment.
    async fn before_stop(&self) -> gone::Result<()> {
        self.health.enter(Phase::Draining);
        Ok(())
    }
}

impl Stop for Http {
    async fn stop(&self) -> gone::Result<()> {
        if let Some(running) = self.running.lock().await.take() {
            *self.stopped.lock().await = Some(running.stop(self.stop_timeout).await);
        }
        Ok(())
    }
}

impl Close for Http {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        let report = self.stopped.lock().await.take().unwrap_or_default();
        Ok(CloseReport::clean().flushed(report.finished as u64).lost(report.cut as u64))
    }
}
