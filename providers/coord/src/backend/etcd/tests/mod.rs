//! Against real servers, real networks and their faults.

mod calls;
mod failover;
mod session;
mod tls;
mod users;
mod watch;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gone_core::Deadline;
use gone_kit::Clock;
use gone_test_bench::{Proxy, Server};

use super::Etcd;
use super::settings::{Settings, Tls};
use crate::backend::{Backend, Entry, Range, RawWatch, Step, Txn, WatchItem};

const SECOND: Duration = Duration::from_secs(1);

fn settings<const N: usize>(endpoints: [String; N]) -> Settings {
    Settings {
        endpoints: endpoints.into(),
        user: None,
        tls: Tls::default(),
        dial_timeout: 3 * SECOND,
        request_timeout: 3 * SECOND,
        keep_alive_time: 30 * SECOND,
        keep_alive_timeout: 10 * SECOND,
        probe_interval: Duration::from_millis(500),
        probe_timeout: Duration::from_millis(2_400),
        clock: Clock::system(),
    }
}

async fn open(settings: Settings) -> Etcd {
    Etcd::open(settings).await.expect("etcd is there")
}

/// One on the server that all tests share.
async fn shared() -> Etcd {
    open(settings([gone_test_bench::Etcd::shared().await.url()])).await
}

async fn server() -> Server<gone_test_bench::Etcd> {
    gone_test_bench::Etcd::new().start().await.expect("etcd starts")
}

/// A proxy before a server, and the URL of it.
fn proxied(server: &Server<gone_test_bench::Etcd>) -> (Proxy, String) {
    let proxy = Proxy::start(&server.address()).expect("a proxy");
    let url = format!("http://{}", proxy.address());
    (proxy, url)
}

/// A prefix that no other test uses.
fn prefix() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("/{}/{}/", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn put(key: &str, value: &str) -> Txn {
    put_under(key, value, 0)
}

fn put_under(key: &str, value: &str, session: i64) -> Txn {
    let put = Step::Put { key: key.to_owned(), value: value.as_bytes().into(), session };
    Txn { then: vec![put], ..Txn::default() }
}

fn delete(key: &str) -> Txn {
    Txn { then: vec![Step::Delete(key.to_owned())], ..Txn::default() }
}

async fn close(etcd: &Etcd) -> gone_core::CloseReport {
    etcd.close(Deadline::after(5 * SECOND)).await
}

/// The next item of a watch that is no mere progress.
async fn next(watch: &mut RawWatch) -> WatchItem {
    loop {
        let item = tokio::time::timeout(10 * SECOND, watch.items.recv()).await.expect("an item in time");
        match item.expect("the last item is an end") {
            WatchItem::Progress(_) => {}
            item => return item,
        }
    }
}

/// Waits until something holds.
async fn until(within: Duration, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < within, "not within {within:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}
