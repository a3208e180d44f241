use std::sync::Arc;

use gone_config::ConfigSource;
use gone_coord::{Coord, CoordError};
use gone_core::{AppBuilder, Code, Goner, source};
use gone_kit::{HealthIndicator, StatValue, StatsReader, Status, check_all};
use gone_macros::Goner;

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Wants {
    #[gone]
    coord: Coord,
    #[gone]
    again: Coord,
    #[gone("*,other")]
    other: Coord,
    #[gone]
    indicators: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    readers: Vec<Arc<dyn StatsReader>>,
}

fn builder(config: ConfigSource) -> AppBuilder {
    AppBuilder::new().fallback(gone_config::module).fallback(gone_coord::module).load((Wants::goner(), source(config)))
}

/// Two sections, each with a store of its own.
fn config(test: &str) -> ConfigSource {
    ConfigSource::hermetic()
        .set("coord.url", format!("memory:{test}"))
        .set("coord.other.url", format!("memory:{test}-other"))
}

#[tokio::test]
async fn there_is_one_connection_for_each_section_and_all_are_closed_with_the_application() {
    let app = builder(config("sections")).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    it.coord.config().set("/a", &1).await.unwrap();
    assert_eq!(it.again.config().get::<u32>("/a").await.unwrap(), 1);
    assert!(matches!(it.other.config().get::<u32>("/a").await, Err(CoordError::NotFound { .. })));
    app.stop().await.unwrap();
    for coord in [&it.coord, &it.again, &it.other] {
        assert!(matches!(coord.ping().await, Err(CoordError::Closed)));
    }
}

#[tokio::test]
async fn health_and_figures_tell_of_all_connections() {
    let app = builder(config("health")).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    let lock = it.coord.lock().acquire("job", std::time::Duration::from_secs(10)).await.unwrap();
    let report = check_all(&it.indicators).await;
    let [entry] = report.entries() else { panic!("{report:?}") };
    assert_eq!((entry.name.as_str(), entry.status), ("coord", Status::Up));
    assert_eq!(entry.detail, "memory, sessions: 1, renewed within the last 0.0 s; other: memory, no sessions");
    let stats = it.readers.iter().find(|reader| reader.name() == "coord").expect("it has figures").stats();
    assert_eq!((stats[0].name, stats[0].value), ("sessions", StatValue::Integer(1)));
    assert_eq!(stats[1].name, "oldest_renewal_seconds");
    drop(lock);
    let _ = it.other.close(gone_core::Deadline::after(std::time::Duration::from_secs(1))).await;
    let report = check_all(&it.indicators).await;
    assert_eq!(report.status(), Status::Down);
    assert!(report.entries()[0].detail.contains("other: coord is closed"), "{report:?}");
    app.stop().await.unwrap();
}

#[test]
fn a_bad_section_is_a_problem_of_the_plan() {
    let bad = config("bad").set("coord.url", "memory").set("coord.dial_timeout", "1h");
    let error = builder(bad.set("coord.other.root", "x")).check().unwrap_err();
    let problems: Vec<String> = error.report().unwrap().problems().iter().map(|it| it.message.clone()).collect();
    for told in [
        "config key `coord.url`: it has no scheme",
        "config key `coord.dial_timeout`: bad value `1h`",
        "config key `coord.other.root`: bad value `x`",
    ] {
        assert_eq!(problems.iter().filter(|text| text.starts_with(told)).count(), 1, "{told}: {problems:?}");
    }
    assert!(error.report().unwrap().problems().iter().all(|it| it.code == Code::Config));
    let error = builder(config("bad").set("coord.dail_timeout", "1s")).check().unwrap_err().to_string();
    assert!(error.contains("dail_timeout") && error.contains("dial_timeout"), "{error}");
}

#[test]
fn memory_is_refused_in_production_unless_it_is_allowed() {
    let production = || config("production").profile("production");
    let error = builder(production()).check().unwrap_err().to_string();
    assert!(error.contains("allow_memory = true"), "{error}");
    builder(production().set("coord.allow_memory", true).set("coord.other.allow_memory", true)).check().unwrap();
}

// X13: the one variable of the original.
#[test]
fn the_variable_names_the_cluster_where_the_config_says_nothing() {
    let named = |url: Option<&str>| {
        let config = config("variable").environment([("COORD_ETCD_ENDPOINTS", "etcd1:2379,etcd2:2379")]);
        match url {
            Some(url) => builder(config.set("coord.url", url)).check(),
            None => {
                let config = ConfigSource::hermetic().environment([("COORD_ETCD_ENDPOINTS", "etcd1:2379,etcd2:x")]);
                builder(config.set("coord.other.url", "memory:")).check()
            }
        }
    };
    named(Some("memory:")).unwrap();
    // It is read, for what it says here is wrong, with this backend or without.
    let error = named(None).unwrap_err().report().unwrap().problems()[0].message.clone();
    assert!(error.contains("a port that is none") || error.contains("turn on the cargo feature `etcd`"), "{error}");
}

#[test]
fn credentials_and_certificates_may_come_from_variables_and_are_never_shown() {
    let with = |variables: &[(&'static str, &'static str)]| {
        builder(config("credentials").environment(variables.iter().copied())).check()
    };
    let credentials = [("GONE_COORD__USERNAME", "me"), ("GONE_COORD__PASSWORD", "hunter2")];
    with(&credentials).unwrap();
    with(&[credentials[0], credentials[1], ("GONE_COORD__TLS__CA_FILE", "ca.pem")]).unwrap();
    let error = with(&[credentials[1]]).unwrap_err();
    assert!(error.to_string().contains("config key `coord.password`: it is set, and `username`"), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let error = with(&[("GONE_COORD__TLS__CA_FLIE", "ca.pem")]).unwrap_err().to_string();
    assert!(error.contains("ca_flie") && error.contains("ca_file"), "{error}");
}
