//! The provider as a part of an application.

use std::sync::Arc;

use gone_config::ConfigSource;
use gone_core::{AppBuilder, Code, Goner, source};
use gone_kit::{HealthIndicator, StatValue, StatsReader, Status, check_all};
use gone_macros::Goner;
use gone_uid::{Uid, UidError};

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Orders {
    #[gone]
    uid: Uid,
    #[gone("*,audit")]
    audit: Uid,
}

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Watcher {
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    readers: Vec<Arc<dyn StatsReader>>,
}

fn app(config: ConfigSource) -> AppBuilder {
    let app = AppBuilder::new().load(source(config)).fallback(gone_config::module);
    app.load((Orders::goner(), Watcher::goner(), gone_uid::module))
}

fn named() -> ConfigSource {
    ConfigSource::hermetic().set("uid.service_name", "orders").set("uid.audit.service_name", "audit")
}

#[tokio::test]
async fn a_handle_has_its_section_and_gives_its_id_back_before_coordination_closes() {
    let app = app(named()).load(gone_coord::module).boot().await.unwrap();
    let orders = app.get::<Arc<Orders>>().unwrap();
    assert_eq!((orders.uid.instance(), orders.audit.instance()), (Some(1), Some(1)), "each service has its own ids");
    orders.uid.snowflake().await.unwrap();

    let watcher = app.get::<Arc<Watcher>>().unwrap();
    let health = check_all(&watcher.indicators).await;
    let uid = health.entries().iter().find(|it| it.name == "uid").unwrap();
    assert_eq!((uid.status, uid.detail.as_str()), (Status::Up, "instance 1; audit: instance 1"));

    let stats = watcher.readers.iter().find(|it| it.name() == "uid").unwrap().stats();
    let stat = |name: &str| stats.iter().find(|stat| stat.name == name).unwrap().value;
    assert_eq!(stat("instances_held"), StatValue::Integer(2));
    assert!(stat("lease_seconds").as_f64() > 1.0 && stat("epoch_seconds_left").as_f64() > 1e9);
    assert_eq!((stat("refused"), stat("clock_behind_seconds")), (StatValue::Integer(0), StatValue::Float(0.0)));

    let uid = orders.uid.clone();
    drop((orders, watcher));
    app.stop().await.unwrap();
    assert!(matches!(uid.snowflake().await, Err(UidError::Closed)));
}

#[tokio::test]
async fn without_coordination_the_handle_makes_uuids_and_says_what_snowflakes_need() {
    let config = ConfigSource::hermetic().set("uid.audit.epoch_ms", 0);
    let app = app(config).boot().await.unwrap();
    let orders = app.get::<Arc<Orders>>().unwrap();
    assert!(matches!(orders.uid.snowflake().await, Err(UidError::NoCoord)));
    assert!(Uid::is_valid_uuid(&orders.uid.uuid_v7_text()));
    let watcher = app.get::<Arc<Watcher>>().unwrap();
    assert_eq!(check_all(&watcher.indicators).await.status(), Status::Up);
    drop((orders, watcher));
    app.stop().await.unwrap();
}

// UID-3
#[test]
fn what_is_wrong_with_a_section_stands_in_the_plan() {
    let config = named().set("uid.max_instance_id", 0).set("uid.audit.floor_period", "1ms");
    let error = app(config).load(gone_coord::module).plan().err().unwrap();
    let problems = error.report().unwrap().problems();
    assert!(problems.iter().all(|problem| problem.code == Code::Config), "{error}");
    let text = error.to_string();
    for told in [
        "config key `uid.max_instance_id`: bad value `0`",
        "expected 1 to 1023",
        "config key `uid.audit.floor_period`: bad value `1ms`",
        "expected 1s to 3600s",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn a_service_name_that_is_missing_beside_coordination_fails_the_boot() {
    let config = ConfigSource::hermetic().set("uid.audit.service_name", "audit");
    let error = app(config).load(gone_coord::module).boot().await.err().unwrap();
    assert_eq!(error.code(), Code::Config);
    assert!(
        error.to_string().contains("config key `uid.service_name`: missing; expected the name of the service"),
        "{error}"
    );
}

#[test]
fn under_the_profile_production_coordination_in_memory_is_refused_unless_it_is_allowed() {
    let config = || {
        let hermetic = ConfigSource::hermetic().profile("production");
        hermetic.set("uid.service_name", "orders").set("coord.url", "memory:")
    };
    let wants = |config| {
        #[derive(Goner)]
        #[goner(crate = gone_core)]
        struct Wants {
            #[gone]
            _uid: Uid,
        }
        let app = AppBuilder::new().load(source(config)).fallback(gone_config::module);
        app.load(Wants::goner()).load(gone_uid::module).load(gone_coord::module).plan()
    };
    let error = wants(config()).err().unwrap();
    let text = error.to_string();
    assert!(
        text.contains("config key `coord.url`: `memory:` is this process alone") && text.contains("instance ids"),
        "{text}"
    );
    wants(config().set("coord.allow_memory", true)).map(drop).unwrap();
}
