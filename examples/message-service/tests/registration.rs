//! The service in the registry, as others find it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gone::config::ConfigSource;
use gone::coord::{Coord, CoordConfig, ServiceEvent, ServiceInfo};
use gone::prelude::*;
use message_service::{Health, Http, MemoryStore, NAME, Phase};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long enough for any machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The service, with coordination that others in this process share by its name.
fn service(coord: &str) -> ConfigSource {
    let config = ConfigSource::hermetic().set("server.addr", "127.0.0.1:0").set("clog.level", "error");
    config.set("coord.url", format!("memory:{coord}"))
}

async fn start(config: ConfigSource) -> gone::Result<gone::Running> {
    let config = source(message_service::defaults(config));
    Gone::load((message_service::module, MemoryStore::goner(), config)).boot().await
}

/// Somebody else's connection.
async fn peer(coord: &str) -> Coord {
    let config = CoordConfig { url: format!("memory:{coord}").into(), ..CoordConfig::default() };
    Coord::connect(&config).await.expect("in memory")
}

async fn bound(app: &gone::Running) -> SocketAddr {
    let http: Arc<Http> = app.get().expect("it is there");
    http.local_addr().await.expect("it listens")
}

async fn found(peer: &Coord, service: &str) -> Vec<ServiceInfo> {
    peer.registry().discover(service).await.expect("it answers")
}

#[tokio::test]
async fn it_is_found_at_the_address_that_is_bound_while_it_serves() {
    let peer = peer("found").await;
    assert_eq!(found(&peer, NAME).await, []);
    let app = start(service("found")).await.expect("it starts");
    let address = bound(&app).await;
    let expected = ServiceInfo::new(NAME, address.to_string(), "127.0.0.1", address.port());
    assert_eq!(found(&peer, NAME).await, [expected]);
    TcpStream::connect(address).await.expect("who looks it up can connect");
    app.stop().await.expect("it stops");
    assert_eq!(found(&peer, NAME).await, []);
}

#[tokio::test]
async fn it_is_unregistered_and_not_ready_before_it_stops_accepting() {
    let peer = peer("stop").await;
    let app = start(service("stop").set("coord.registry.drain_delay", "500ms")).await.expect("it starts");
    let address = bound(&app).await;
    let health: Arc<Health> = app.get().expect("it is there");
    assert_eq!(health.phase(), Phase::Ready);
    let mut events = peer.registry().watch(NAME).await.expect("it answers");
    let looking = async {
        while !matches!(events.next().await.expect("it goes on"), ServiceEvent::Delete(_)) {}
        (TcpStream::connect(address).await.is_ok(), health.phase())
    };
    let (stopped, seen) = tokio::join!(app.stop(), timeout(PATIENCE, looking));
    stopped.expect("it stops");
    assert_eq!(seen.expect("in time"), (true, Phase::Draining));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_config_says_name_and_address_instead() {
    let peer = peer("told").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = "[uid]\nservice_name = \"chat\"\n[server]\nadvertise = \"ignored\"\n";
    std::fs::write(folder.path().join("gone.toml"), file).expect("written");
    for (advertise, address, port) in [
        ("chat.internal:80", "chat.internal", Some(80)),
        ("chat.internal", "chat.internal", None),
        ("[fe80::1]:80", "fe80::1", Some(80)),
    ] {
        let config = service("told").folder(folder.path()).environment([("GONE_SERVER__ADVERTISE", advertise)]);
        let app = start(config).await.expect("it starts");
        let port = port.unwrap_or(bound(&app).await.port());
        let [info] = &found(&peer, "chat").await[..] else { panic!("{advertise}: one instance") };
        assert_eq!((info.address.as_str(), info.port), (address, port), "{advertise}");
        assert_eq!(info.id, info.authority().to_string());
        assert_eq!(found(&peer, NAME).await, []);
        app.stop().await.expect("it stops");
    }
    let config = service("told").folder(folder.path()).environment([("GONE_UID__SERVICE_NAME", "talk")]);
    let app = start(config).await.expect("it starts");
    assert_eq!((found(&peer, "talk").await.len(), found(&peer, "chat").await.len()), (1, 0));
    app.stop().await.expect("it stops");
}

#[tokio::test]
async fn the_name_of_the_machine_is_advertised_where_all_its_addresses_are_bound() {
    let peer = peer("all").await;
    let app = start(service("all").set("server.addr", "0.0.0.0:0")).await.expect("it starts");
    let [info] = &found(&peer, NAME).await[..] else { panic!("one instance") };
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("on Linux");
    assert_eq!((info.address.as_str(), info.port), (name.trim(), bound(&app).await.port()));
    app.stop().await.expect("it stops");
}

#[tokio::test]
async fn what_cannot_be_registered_is_found_before_anything_is_built() {
    for (key, value, rule) in [
        ("server.advertise", "http://chat.internal", "must be a host or host:port"),
        ("server.registration_ttl", "1500ms", "must be whole seconds, from 1s to 1h"),
        ("server.registration_ttl", "0s", "must be whole seconds, from 1s to 1h"),
        ("server.registration_ttl", "2h", "must be whole seconds, from 1s to 1h"),
    ] {
        let error = start(service("bad").set(key, value)).await.expect_err("it is refused");
        assert_eq!(error.report().map(|report| report.problems().len()), Some(1), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("config key `{key}`")) && text.contains(rule), "{text}");
    }
}

#[tokio::test]
async fn two_instances_are_both_found_and_make_different_ids() {
    let peer = peer("two").await;
    let (one, other) =
        (start(service("two")).await.expect("it starts"), start(service("two")).await.expect("it starts"));
    assert_eq!(found(&peer, NAME).await.len(), 2);
    let ids = [&one, &other].map(|app| app.get::<Arc<message_service::MessageService>>().expect("it is there"));
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..100 {
        let session = message_service::Session::new("room").expect("valid");
        let draft = message_service::NewMessage::new(session, "u", "hi").expect("valid");
        assert!(seen.insert(ids[number % 2].post(draft).await.expect("stored").id));
    }
    one.stop().await.expect("it stops");
    assert_eq!(found(&peer, NAME).await.len(), 1);
    other.stop().await.expect("it stops");
}
