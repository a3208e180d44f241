//! A connection that is believed to live, and what finds out when it does not.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use etcd_client::{Client, GetOptions, KvClient, LeaseClient, WatchClient};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::failure::{Failure, Kind};
use super::settings::Settings;

/// By how much a beat may come late before it tells more of this process than of the server.
const LATE: Duration = Duration::from_millis(100);
/// What is read of one answer at most. Listings come in parts and are not bounded by it.
const LARGEST_ANSWER: usize = 64 << 20;

/// How many clients are kept for the next call, which is spared the making of one.
const IDLE: usize = 64;

/// One connection to one member.
pub(super) struct Live {
    client: Client,
    idle: Mutex<Vec<KvClient>>,
    broken: AtomicBool,
    broke: Notify,
    waiting: AtomicUsize,
    heartbeat: AbortHandle,
}

impl Live {
    pub(super) fn new(client: Client, settings: &Settings) -> Arc<Self> {
        let (interval, patience) = (settings.probe_interval, settings.probe_timeout);
        Arc::new_cyclic(|this| Self {
            client,
            idle: Mutex::default(),
            broken: AtomicBool::new(false),
            broke: Notify::new(),
            waiting: AtomicUsize::new(0),
            heartbeat: tokio::spawn(beat(this.clone(), interval, patience)).abort_handle(),
        })
    }

    /// Uses a client for the keys.
    pub(super) async fn kv<T>(&self, call: impl AsyncFnOnce(&mut KvClient) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let fresh = || self.client.kv_client().max_decoding_message_size(LARGEST_ANSWER);
        let mut client = kept.unwrap_or_else(fresh);
        let answer = call(&mut client).await;
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(client);
        }
        answer
    }

    pub(super) fn lease(&self) -> LeaseClient {
        self.client.lease_client()
    }

    pub(super) fn watches(&self) -> WatchClient {
        self.client.watch_client()
    }

    /// Gets a new token.
    pub(super) async fn authenticate(&self) -> Result<(), etcd_client::Error> {
        self.client.refresh_token().await
    }

    /// Nobody waits for it any longer, and nobody uses it again.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
        self.broke.notify_waiters();
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Somebody begins to wait for the server.
    pub(super) fn waiting(self: &Arc<Self>) -> Waiting {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(self.clone())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// Somebody who waits for the server. While there is one it is asked again and again whether it is there.
pub(super) struct Waiting(Arc<Live>);

impl Waiting {
    /// Returns when the connection was given up.
    pub(super) async fn broken(&self) {
        // It hears of what comes after this line.
        let broke = self.0.broke.notified();
        if !self.0.is_broken() {
            broke.await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Asks something small that the member answers by itself, unless it has lost its cluster. Any answer will do.
pub(super) async fn probe(client: &Client) -> Result<(), Failure> {
    let options = GetOptions::new().with_serializable().with_count_only();
    match client.kv_client().get("gone", Some(options)).await.map_err(Failure::from) {
        Ok(_) => Ok(()),
        // This user may not read that key.
        Err(failure) if failure.kind == Kind::Forbidden => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn beat(connection: Weak<Live>, interval: Duration, patience: Duration) {
    loop {
        sleep(interval).await;
        let Some(live) = connection.upgrade() else { return };
        if live.waiting.load(Ordering::Relaxed) == 0 {
            continue;
        }
        let client = live.client.clone();
        drop(live);
        let until = Instant::now() + patience;
        let dead = match timeout(patience, probe(&client)).await {
            Ok(Ok(())) => false,
            Ok(Err(failure)) => failure.breaks_connection(),
            // Nothing of this runtime ran meanwhile; the answer may be waiting.
            Err(_) => until.elapsed() < LATE,
        };
        if dead && let Some(live) = connection.upgrade() {
            tracing::warn!(target: "gone_coord", "etcd does not answer; connecting anew");
            live.give_up();
            return;
        }
    }
}
