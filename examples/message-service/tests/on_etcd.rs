//! Instances of the service that know each other by etcd.
#![cfg(feature = "etcd")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gone::config::ConfigSource;
use gone::coord::{Coord, CoordConfig, ServiceInfo};
use gone::prelude::*;
use gone_test_bench::{Etcd, Server, unique};
use message_service::{Health, MemoryStore, Message, MessageService, NewMessage, Session};
use tokio::time::{sleep, timeout};

/// Long enough for any machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn url(etcd: &Server<Etcd>) -> String {
    format!("etcd://{}", etcd.address())
}

/// An instance of the service, which is known by a name of the test's own.
async fn instance(etcd: &Server<Etcd>, name: &str) -> gone::Running {
    let config = ConfigSource::hermetic().set("server.addr", "127.0.0.1:0").set("clog.level", "error");
    let config = config.set("coord.url", url(etcd)).set("uid.service_name", name);
    let config = source(message_service::defaults(config));
    Gone::load((message_service::module, MemoryStore::goner(), config)).boot().await.expect("it starts")
}

async fn post(app: &gone::Running) -> gone::Result<Message> {
    let service: Arc<MessageService> = app.get()?;
    let draft = NewMessage::new(Session::new("room")?, "u", "hi")?;
    Ok(service.post(draft).await?)
}

/// Who looks for the service.
async fn peer(etcd: &Server<Etcd>) -> Coord {
    let config = CoordConfig { url: url(etcd).into(), ..CoordConfig::default() };
    Coord::connect(&config).await.expect("it is there")
}

async fn found(peer: &Coord, name: &str) -> Vec<ServiceInfo> {
    peer.registry().discover(name).await.unwrap_or_default()
}

/// The indicators that are down.
async fn down(app: &gone::Running) -> Vec<String> {
    let health: Arc<Health> = app.get().expect("it is there");
    let report = health.report().await;
    report.checks.into_iter().filter(|check| !check.up).map(|check| check.name).collect()
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it never came: {what}"));
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn instances_are_found_and_make_different_ids() {
    let etcd = Etcd::shared().await;
    let name = unique("instances");
    let peer = peer(etcd).await;
    let instances = [instance(etcd, &name).await, instance(etcd, &name).await];
    assert_eq!(found(&peer, &name).await.len(), 2);
    let mut ids = BTreeSet::new();
    for number in 0..200 {
        assert!(ids.insert(post(&instances[number % 2]).await.expect("stored").id));
    }
    for (rest, app) in [1, 0].into_iter().zip(instances) {
        app.stop().await.expect("it stops");
        assert_eq!(found(&peer, &name).await.len(), rest);
    }
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn while_etcd_is_gone_it_serves_and_says_that_it_is_not_ready_and_is_found_again_after() {
    let etcd = Etcd::new().start().await.expect("it starts");
    let name = unique("outage");
    let app = instance(&etcd, &name).await;
    let before = post(&app).await.expect("stored").id;
    assert_eq!(down(&app).await, [""; 0]);

    etcd.kill9();
    until("not ready", async || down(&app).await.contains(&"coord".to_owned())).await;
    // Its instance id is held for some time yet.
    let during = post(&app).await.expect("stored").id;

    etcd.start().await.expect("it starts again");
    until("ready", async || down(&app).await.is_empty()).await;
    let peer = peer(&etcd).await;
    until("found", async || found(&peer, &name).await.len() == 1).await;
    let after = post(&app).await.expect("stored").id;
    assert_eq!(BTreeSet::from([&before, &during, &after]).len(), 3);

    app.stop().await.expect("it stops");
    assert_eq!(found(&peer, &name).await, []);
}
