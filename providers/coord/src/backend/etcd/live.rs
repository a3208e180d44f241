//! A connection that is believed to live, and what finds out when it does not.

use std::sync::{Arc, Weak};
use std::time::Duration;

use etcd_client::{Client, GetOptions, KvClient, LeaseClient, WatchClient};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::failure::{Failure, Kind};
use super::settings::Settings;

/// By how much a beat may come late before it tells more of this process than of the server.
const LATE: Duration = Duration::from_millis(100);
/// What is read of one answer at most. Listings come in parts and are not bounded by it.
const LARGEST_ANSWER: usize = 64 << 20;

/// One connection to one member.
pub(super) struct Live {
    client: Client,
    kv: KvClient,
    broken: watch::Sender<bool>,
    heartbeat: AbortHandle,
}

impl Live {
    pub(super) fn new(client: Client, settings: &Settings) -> Arc<Self> {
        let (interval, patience) = (settings.probe_interval, settings.probe_timeout);
        Arc::new_cyclic(|this| Self {
            kv: client.kv_client().max_decoding_message_size(LARGEST_ANSWER),
            client,
            broken: watch::Sender::new(false),
            heartbeat: tokio::spawn(beat(this.clone(), interval, patience)).abort_handle(),
        })
    }

    pub(super) fn kv(&self) -> KvClient {
        self.kv.clone()
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
        self.broken.send_replace(true);
    }

    pub(super) fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    /// Tells when it was given up. While one of these exists the server is asked again and again whether it is there.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.broken.subscribe())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// Somebody who waits for the server.
pub(super) struct Waiting(watch::Receiver<bool>);

impl Waiting {
    /// Returns when the connection was given up.
    pub(super) async fn broken(&mut self) {
        // A sender that is gone is a connection that is gone.
        let _ = self.0.wait_for(|broken| *broken).await;
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
        if live.broken.receiver_count() == 0 {
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
