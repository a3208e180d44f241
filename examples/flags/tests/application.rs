//! The provider in an application.

use std::sync::Arc;

use gone_config::{CallError, ConfigSource, Section};
use gone_core::{AppBuilder, Goner, source};
use gone_flags::{Flags, FlagsConfig, FlagsError};
use gone_kit::{HealthIndicator, StatsReader, check_all};
use gone_macros::Goner;

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Wants {
    #[gone]
    flags: Flags,
    #[gone("*,beta")]
    beta: Flags,
    #[gone]
    health: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    figures: Vec<Arc<dyn StatsReader>>,
}

fn app(config: ConfigSource) -> AppBuilder {
    // The module of the config as a fallback: there is one source, and it is this test's.
    AppBuilder::new().fallback(gone_config::module).load((source(config), gone_flags::module, Wants::goner()))
}

#[test]
fn production_waits_less_long() {
    let production = FlagsConfig::for_profile("production").unwrap();
    assert_eq!(production.request_timeout.as_secs(), 1);
    for profile in ["development", "production"] {
        FlagsConfig::for_profile(profile).unwrap().validate().unwrap();
    }
}

#[test]
fn what_is_wrong_with_a_section_is_a_problem_of_the_plan() {
    let config = ConfigSource::hermetic().set("flags.request_timeout", "1ms").set("flags.beta.url", "redis");
    let error = app(config).check().unwrap_err();
    let problems: Vec<&str> = error.report().unwrap().problems().iter().map(|it| it.message.as_str()).collect();
    let told = ["config key `flags.beta.url`: it has no scheme", "config key `flags.request_timeout`: bad value `1ms`"];
    assert_eq!(problems.len(), told.len(), "{problems:#?}");
    assert!(told.iter().all(|told| problems.iter().any(|it| it.starts_with(told))), "{problems:#?}");
}

#[tokio::test]
async fn the_application_tells_health_and_figures_and_closes_every_instance() {
    let config = ConfigSource::hermetic().set("flags.beta.key", "beta");
    let app = app(config).boot().await.unwrap();
    let wants = app.get::<Arc<Wants>>().unwrap();
    wants.flags.set("dark-mode", true).await.unwrap();
    assert!(!wants.beta.is_on("dark-mode").await.unwrap(), "each instance is its own");

    let health = check_all(&wants.health).await;
    assert_eq!(health.entries().iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["flags"]);
    let figures = || wants.figures.iter().find(|it| it.name() == "flags").expect("they are read by this name").stats();
    let before: Vec<&str> = figures().iter().map(|it| it.name).collect();
    assert_eq!(before, ["calls_under_way"]);

    app.stop().await.unwrap();
    assert_eq!(figures().iter().map(|it| it.name).collect::<Vec<_>>(), before, "also when no handle is left");
    for flags in [&wants.flags, &wants.beta] {
        assert!(matches!(flags.is_on("x").await, Err(FlagsError::Call(CallError::Closed))));
    }
}
