//! The config that comes over a real etcd, and what holds while that is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gone_config::{ConfigSource, Live};
use gone_coord::{Coord, CoordConfig, RemoteConfig};
use gone_core::{AppBuilder, Goner, source};
use gone_kit::{HealthIndicator, Status, check_all};
use gone_macros::Goner;
use gone_test_bench::Etcd;
use serde_json::json;

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Gate {
    #[gone("config,gate.limit=1")]
    limit: Live<u32>,
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
}

impl Gate {
    async fn until(&self, limit: u32) -> Duration {
        let begun = Instant::now();
        while *self.limit.get() != limit {
            assert!(begun.elapsed() < Duration::from_secs(15), "{} and not {limit}", self.limit.get());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    /// The details of the health, by name.
    async fn health(&self) -> Vec<(String, Status, String)> {
        let report = check_all(&self.indicators).await;
        report.entries().iter().map(|entry| (entry.name.clone(), entry.status, entry.detail.clone())).collect()
    }
}

// CRD-R7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn the_config_follows_etcd_and_stays_as_it_was_while_that_is_away() {
    let server = Etcd::new().start().await.unwrap();
    let url = format!("etcd://{}", server.address());
    let writer = Coord::connect(&CoordConfig { url: url.as_str().into(), ..CoordConfig::default() }).await.unwrap();
    let centre = writer.config();
    centre.set("/config/dev/shop/gate", &json!({ "limit": 10 })).await.unwrap();

    let remote = RemoteConfig::new("shop");
    let local = ConfigSource::hermetic().set("coord.url", &url).set("coord.request_timeout", "500ms");
    let app = AppBuilder::new()
        .fallback(gone_config::module)
        .fallback(gone_coord::module)
        .load((remote.follower(), Gate::goner()))
        .load(source(local.remote(remote)));
    let app = app.boot().await.unwrap();
    let gate = app.get::<Arc<Gate>>().unwrap();
    assert_eq!(*gate.limit.get(), 10);
    for push in 1..=1_000 {
        centre.set("/config/dev/shop/gate", &json!({ "limit": push })).await.unwrap();
    }
    let took = gate.until(1_000).await;
    println!("the last of 1,000 pushes held after {took:?}");
    assert!(took < Duration::from_millis(2_500), "{took:?}");

    server.kill9();
    let begun = Instant::now();
    loop {
        let health = gate.health().await;
        if health.iter().any(|(name, _, detail)| name == "remote_config" && detail.contains("not heard of for")) {
            assert!(health.iter().any(|(name, status, _)| name == "coord" && *status == Status::Down), "{health:?}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{health:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("the death of the server showed after {:?}", begun.elapsed());
    assert_eq!(*gate.limit.get(), 1_000);
    server.start().await.unwrap();
    let begun = Instant::now();
    while let Err(error) = centre.set("/config/dev/shop/gate", &json!({ "limit": 7 })).await {
        assert!(begun.elapsed() < Duration::from_secs(15), "{error}");
    }
    println!("the first change after the restart held after {:?}", gate.until(7).await);
    let healthy = gate.health().await;
    assert!(healthy.iter().all(|(_, status, _)| *status == Status::Up), "{healthy:?}");
    app.stop().await.unwrap();
}

/// An operator gives each application the rights to its own keys alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_user_who_may_read_its_own_keys_alone_has_all_that_it_needs() {
    let server = Etcd::new().root_password("root").start().await.unwrap();
    for arguments in [
        &["role", "add", "shop"][..],
        &["role", "grant-permission", "shop", "--prefix=true", "readwrite", "/config/dev/shop/"],
        &["user", "add", "shop:secret"],
        &["user", "grant-role", "shop", "shop"],
    ] {
        server.etcdctl(arguments).await.unwrap();
    }
    let config = CoordConfig {
        url: format!("etcd://{}", server.address()).into(),
        username: Some("shop".to_owned()),
        password: Some("secret".to_owned().into()),
        ..CoordConfig::default()
    };
    let coord = Coord::connect(&config).await.unwrap();
    let centre = coord.config();
    let value = centre.follow("/config/dev/shop/limit", || 1_u32).await.unwrap();
    let all = centre.follow_prefix("/config/dev/shop/", |entries| entries.get::<u32>("/config/dev/shop/limit"));
    assert!(all.await.is_err(), "nothing is stored yet");
    assert!(centre.get::<u32>("/config/dev/other/limit").await.unwrap_err().to_string().contains("refused"));
    server.restart().await.unwrap();
    let begun = Instant::now();
    while let Err(error) = centre.set("/config/dev/shop/limit", &2).await {
        assert!(begun.elapsed() < Duration::from_secs(15), "{error}");
    }
    while *value.get() != 2 {
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", value.watch_status());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(value.watch_status().breaks > 0, "the restart was not seen: {:?}", value.watch_status());
}

/// The resident memory of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has a size");
    line.split_whitespace().nth(1).and_then(|size| size.parse::<u64>().ok()).expect("in KiB") / 1024
}

// CRD-R7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_the_last_of_a_thousand_pushes_a_second_is_seen_within_half_a_second() {
    let server = Etcd::new().start().await.unwrap();
    let config = CoordConfig { url: format!("etcd://{}", server.address()).into(), ..CoordConfig::default() };
    let (writer, reader) = (Coord::connect(&config).await.unwrap(), Coord::connect(&config).await.unwrap());
    let value = reader.config().follow("/n", || 0_u64).await.unwrap();
    // Nobody reads this one.
    let watch = reader.config().watch::<u64>("/n").await.unwrap();
    let (mut longest, mut rate, mut after_ten) = (Duration::ZERO, f64::MAX, 0);
    for round in 1..=60_u64 {
        let begun = Instant::now();
        let mut pushing = tokio::task::JoinSet::new();
        for lane in 0..8 {
            let centre = writer.config();
            pushing.spawn(async move {
                for push in 0..125_u64 {
                    centre.set("/n", &(round * 10_000 + lane * 125 + push)).await.unwrap();
                }
            });
        }
        pushing.join_all().await;
        let last = round * 10_000 + 9_999;
        writer.config().set("/n", &last).await.unwrap();
        rate = rate.min(1_001.0 / begun.elapsed().as_secs_f64());
        let pushed = Instant::now();
        while *value.get() != last {
            assert!(pushed.elapsed() < Duration::from_secs(15), "round {round}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        longest = longest.max(pushed.elapsed());
        assert!(watch.waiting() <= 1, "{watch:?}");
        if round == 10 {
            after_ten = resident();
        }
    }
    let grown = resident().saturating_sub(after_ten);
    println!(
        "60 rounds of 1,001 pushes, {rate:.0} a second at the slowest: seen after {longest:?} at most, grown by {grown} MiB"
    );
    assert!(rate >= 1_000.0, "{rate:.0} pushes a second");
    assert!(longest <= Duration::from_millis(500), "{longest:?}");
    assert!(grown <= 8, "{grown} MiB");
}
