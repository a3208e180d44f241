use std::sync::Arc;
use std::time::Duration;

use gone_config::{ConfigSource, Live, Settings};
use gone_coord::{ConfigCentre, Coord, CoordConfig, RemoteConfig};
use gone_core::{AppBuilder, Goner, Running, source};
use gone_kit::{HealthIndicator, StatValue, StatsReader, Status};
use gone_macros::Goner;
use serde_json::json;
use tokio::time::Instant;

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    rate: u32,
}

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Orders {
    #[gone("config,gate.limit=1")]
    limit: Live<u32>,
    #[gone("config,gate.burst=1")]
    burst: Live<u32>,
    #[gone("config,gate.name=local")]
    name: String,
    #[gone("config,ratelimit.login")]
    login: Option<Live<Rule>>,
    #[gone]
    settings: Arc<Settings>,
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    readers: Vec<Arc<dyn StatsReader>>,
}

impl Orders {
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(5), "{what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        begun.elapsed()
    }

    fn figure(&self, name: &str) -> u64 {
        let reader = self.readers.iter().find(|reader| reader.name() == "remote_config").expect("it has figures");
        match reader.stats().iter().find(|stat| stat.name == name).expect("it is a figure").value {
            StatValue::Integer(value) => value,
            other => panic!("{other:?}"),
        }
    }

    async fn detail(&self) -> String {
        let indicator = self.indicators.iter().find(|it| it.name() == "remote_config").expect("it has a health");
        let health = indicator.check().await;
        assert_eq!(health.status, Status::Up);
        health.detail
    }
}

fn builder(test: &str, profile: &str) -> AppBuilder {
    let remote = RemoteConfig::new("orders");
    let local = ConfigSource::hermetic().profile(profile).set("coord.url", format!("memory:{test}"));
    AppBuilder::new()
        .fallback(gone_config::module)
        .fallback(gone_coord::module)
        .load((remote.follower(), Orders::goner()))
        .load(source(local.set("coord.allow_memory", true).set("gate.name", "file").remote(remote)))
}

/// The store that the application reads from; it is there as long as this is.
async fn centre(test: &str) -> ConfigCentre {
    let config = CoordConfig { url: format!("memory:{test}").into(), ..CoordConfig::default() };
    Coord::connect(&config).await.expect("it is in memory").config()
}

async fn boot(test: &str) -> (Running, Arc<Orders>) {
    let app = builder(test, "development").boot().await.unwrap();
    let orders = app.get::<Arc<Orders>>().unwrap();
    (app, orders)
}

// X13: what is for all services, and over it what is for this one.
#[tokio::test(start_paused = true)]
async fn the_part_of_the_service_lies_over_that_of_all_and_both_over_what_is_local() {
    let centre = centre("parts").await;
    centre.set("/config/dev/global/gate", &json!({ "limit": 10, "burst": 20, "name": "global" })).await.unwrap();
    centre.set("/config/dev/orders/gate.json", &json!({ "limit": 11 })).await.unwrap();
    centre.set("/config/dev/orders/ratelimit/login", &json!({ "rate": 5 })).await.unwrap();
    centre.set("/config/dev/orders/ratelimit/logout.json", &json!({ "rate": 6 })).await.unwrap();
    // Not for this service, nor for this environment.
    centre.set("/config/dev/orders-old/gate", &json!({ "limit": 12 })).await.unwrap();
    centre.set("/config/prod/orders/gate", &json!({ "limit": 13 })).await.unwrap();
    let (app, orders) = boot("parts").await;
    assert_eq!((*orders.limit.get(), *orders.burst.get(), orders.name.as_str()), (11, 20, "global"));
    assert_eq!(*orders.login.as_ref().expect("it is set").get(), Rule { rate: 5 });
    let origin = |key| orders.settings.origin(key).expect("it is set").to_string();
    assert_eq!(origin("gate.limit"), "memory /config/dev/orders/gate.json");
    assert_eq!(origin("gate.burst"), "memory /config/dev/global/gate");
    assert_eq!(orders.settings.subtables("ratelimit").unwrap(), ["login", "logout"]);
    app.stop().await.unwrap();

    // X10: the names of the environments are short in keys.
    let app = builder("parts", "production").boot().await.unwrap();
    assert_eq!(*app.get::<Arc<Orders>>().unwrap().limit.get(), 13);
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_the_config_centre_changes_live_values() {
    let centre = centre("live").await;
    let (app, orders) = boot("live").await;
    assert_eq!(*orders.limit.get(), 1);
    centre.set("/config/dev/global/gate", &json!({ "limit": 10, "burst": 20 })).await.unwrap();
    let took = orders.until("the part for all", |it| (*it.limit.get(), *it.burst.get()) == (10, 20)).await;
    println!("a change was seen after {took:?}");
    centre.set("/config/dev/orders/gate", &json!({ "limit": 11 })).await.unwrap();
    orders.until("the part of the service", |it| (*it.limit.get(), *it.burst.get()) == (11, 20)).await;
    centre.delete("/config/dev/orders/gate").await.unwrap();
    orders.until("the part for all again", |it| *it.limit.get() == 10).await;
    centre.delete("/config/dev/global/gate").await.unwrap();
    orders.until("the default again", |it| (*it.limit.get(), *it.burst.get()) == (1, 1)).await;
    // What is not live stays as it was at the start.
    assert_eq!(orders.name, "file");
    app.stop().await.unwrap();
}

// CRD-R7
#[tokio::test(start_paused = true)]
async fn a_bad_push_changes_nothing_and_shows_in_health_and_figures_until_a_good_one() {
    let centre = centre("bad").await;
    centre.set("/config/dev/orders/gate", &json!({ "limit": 10 })).await.unwrap();
    let (app, orders) = boot("bad").await;
    orders.until("the first reading", |it| it.figure("changes_taken") > 0).await;
    assert_eq!(orders.detail().await, "");
    let taken = orders.figure("changes_taken");
    // All of it or nothing: the burst is good.
    centre.set("/config/dev/orders/gate", &json!({ "limit": "many", "burst": 5 })).await.unwrap();
    orders.until("the refusal", |it| it.figure("changes_refused") == 1).await;
    assert_eq!((*orders.limit.get(), *orders.burst.get()), (10, 1));
    assert_eq!((orders.figure("is_refused"), orders.figure("changes_taken")), (1, taken));
    let detail = orders.detail().await;
    assert!(detail.starts_with("the last change was refused: config key `gate.limit`: bad value `many`"), "{detail}");
    assert!(detail.contains("memory /config/dev/orders/gate"), "{detail}");
    let last = centre.set("/config/dev/orders/gate", &json!({ "limit": 12, "burst": 5 })).await.unwrap();
    orders.until("the good one", |it| (*it.limit.get(), *it.burst.get()) == (12, 5)).await;
    orders.until("its figures", |it| it.figure("version") == u64::try_from(last).unwrap()).await;
    assert_eq!((orders.detail().await.as_str(), orders.figure("is_refused")), ("", 0));
    app.stop().await.unwrap();
}

// CRD-R7
#[tokio::test(start_paused = true)]
async fn the_last_of_a_thousand_pushes_is_seen_soon_and_few_are_taken_up() {
    let centre = centre("many").await;
    let (app, orders) = boot("many").await;
    let before = orders.settings.handle().version();
    for push in 1..=1_000 {
        centre.set("/config/dev/orders/gate", &json!({ "limit": push })).await.unwrap();
        if push % 10 == 5 {
            tokio::time::sleep(Duration::from_millis(9)).await;
        }
    }
    let took = orders.until("the last one", |it| *it.limit.get() == 1_000).await;
    let versions = orders.settings.handle().version() - before;
    println!("the last of 1,000 pushes held after {took:?}; the config changed {versions} times");
    assert!(took <= Duration::from_millis(500), "{took:?}");
    assert!(versions < 200, "{versions}");
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_does_not_hold_at_the_start_fails_the_boot_and_names_its_key() {
    let centre = centre("start").await;
    centre.set("/config/dev/orders/gate", &json!({ "limit": "many" })).await.unwrap();
    let error = builder("start", "development").boot().await.unwrap_err().to_string();
    assert!(error.contains("gate.limit") && error.contains("/config/dev/orders/gate"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_has_a_name_that_is_a_part_of_a_path() {
    for name in ["", "global", "a/b"] {
        let remote = RemoteConfig::new(name);
        let config = ConfigSource::hermetic().remote(remote);
        let app = AppBuilder::new().fallback(gone_config::module).load(source(config));
        let error = app.boot().await.unwrap_err().to_string();
        assert!(error.contains("must be a part of a path"), "{error}");
    }
}
