//! Live values and secrets in an application.

use std::sync::{Arc, Mutex};

use gone_config::{ConfigLayer, ConfigSource, ErrorKind, Live, RemoteLayer, Secret, Settings};
use gone_core::{AppBuilder, Code, Goner as _, Result, Run, ShutdownToken, source};
use gone_kit::StatsReader;
use gone_macros::Goner;
use serde::Deserialize;

fn app(source_: ConfigSource) -> AppBuilder {
    AppBuilder::new().load(source(source_)).fallback(gone_config::module)
}

/// The config errors of a plan that does not stand.
fn problems(app: AppBuilder) -> Vec<(Code, String)> {
    let error = app.check().expect_err("it must not stand");
    let report = error.report().expect("of the plan");
    report.problems().iter().map(|problem| (problem.code, problem.message.clone())).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    per_minute: u32,
}

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Gate {
    #[gone("config,gate.level=info")]
    level: Live<String>,
    #[gone("config,gate.limits")]
    limits: Live<Limits>,
    #[gone("config,gate.motto")]
    motto: Live<Option<String>>,
    #[gone("config,gate.absent")]
    absent: Option<Live<u16>>,
    seen: Mutex<Vec<(String, String)>>,
}

impl Run for Gate {
    async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
        let mut changes = self.level.changes();
        let told = async {
            while let Some(change) = changes.next().await {
                let both = (change.old.to_string(), change.new.to_string());
                self.seen.lock().expect("no panic").push(both);
            }
        };
        shutdown.run_until_cancelled(told).await;
        Ok(())
    }
}

// container A-105
// container A-60
#[tokio::test]
async fn a_goner_is_told_of_the_value_before_and_after() {
    let app = app(ConfigSource::hermetic().set("gate.limits.per_minute", 60)).load(Gate::goner());
    let app = app.boot().await.expect("sound");
    let gate = app.get::<Arc<Gate>>().expect("built");
    assert_eq!((gate.level.get().as_str(), gate.limits.get().per_minute), ("info", 60));
    assert!(gate.motto.get().is_none() && gate.absent.is_none());
    let config = app.get::<Arc<Settings>>().expect("offered").handle();
    // The task subscribes when it is first polled.
    tokio::task::yield_now().await;
    config.set("gate.level", "debug").expect("sound");
    config.set("gate.motto", "be brief").expect("sound");
    while gate.seen.lock().expect("no panic").is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*gate.seen.lock().expect("no panic"), [("info".to_owned(), "debug".to_owned())]);
    assert_eq!(gate.motto.get().as_deref(), Some("be brief"));
    let refused = config.unset("gate.limits.per_minute");
    refused.expect("it is set by the program still");
    config.set("gate.limits.per_minute", -1).expect_err("it is checked as at the start");
    app.stop().await.expect("a sound stop");
}

#[test]
fn live_values_are_checked_in_the_plan_like_others() {
    let problems =
        problems(app(ConfigSource::hermetic().set("gate.level", 7).set("gate.motto", [1])).load(Gate::goner()));
    let told: Vec<&str> = problems.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(problems.len(), 3, "{told:#?}");
    assert!(problems.iter().all(|(code, _)| *code == Code::Config));
    for (what, message) in [("gate.level", told[0]), ("gate.limits.per_minute", told[1]), ("gate.motto", told[2])] {
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn an_absent_section_reads_as_the_empty_table_and_a_field_that_is_needed_is_the_one_that_is_missing() {
    #[derive(Debug, Deserialize)]
    #[serde(default)]
    struct Server {
        port: u16,
    }
    impl Default for Server {
        fn default() -> Self {
            Self { port: 80 }
        }
    }
    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Wants {
        #[gone("config,server")]
        server: Server,
        #[gone("config,live")]
        live: Live<Server>,
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let app = app(ConfigSource::hermetic()).load(Wants::goner()).boot().await.expect("all has defaults");
        let wants = app.get::<Arc<Wants>>().expect("built");
        assert_eq!((wants.server.port, wants.live.get().port), (80, 80));
        let config = app.get::<Arc<Settings>>().expect("offered").handle();
        config.set("live.port", 81).expect("sound");
        assert_eq!(wants.live.get().port, 81);
        app.stop().await.expect("a sound stop");
    });

    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Needs {
        #[gone("config,limits")]
        _limits: Limits,
        #[gone("config,number")]
        _number: u16,
        #[gone("config,wait")]
        _wait: std::time::Duration,
        #[gone("config,map")]
        _map: std::collections::BTreeMap<String, String>,
        #[gone("config,any")]
        _any: serde_json::Value,
        #[gone("config,text")]
        _text: Live<String>,
    }
    let error = app(ConfigSource::hermetic()).load(Needs::goner()).check().expect_err("six are missing");
    let report = error.report().expect("of the plan");
    let mut keys: Vec<_> = report
        .problems()
        .iter()
        .map(|problem| {
            let cause = problem.cause.as_ref().and_then(|it| it.downcast_ref::<gone_config::ConfigError>());
            let cause = cause.expect("a config error");
            assert!(matches!(cause.kind(), ErrorKind::Missing), "{cause}");
            cause.key().expect("of a key").to_owned()
        })
        .collect();
    keys.sort();
    assert_eq!(keys, ["any", "limits.per_minute", "map", "number", "text", "wait"]);
}

// container A-101
#[test]
fn a_type_that_serde_cannot_read_is_a_problem_of_the_plan() {
    struct Channel;
    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Wants {
        #[gone("config,server.port=80")]
        _channel: Arc<Mutex<Channel>>,
    }
    let problems = problems(app(ConfigSource::hermetic()).load(Wants::goner()));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].1.contains("`Arc<Mutex<Channel>>` does not implement `Deserialize`"), "{problems:?}");
}

#[test]
fn a_secret_in_the_plans_report_is_hidden_under_any_key() {
    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Wants {
        #[gone("config,user.name")]
        _name: Secret<u16>,
        #[gone("config,user.nick=hunter2")]
        _nick: Live<Secret<bool>>,
    }
    let error = app(ConfigSource::hermetic().set("user.name", "hunter2")).load(Wants::goner()).check();
    let error = error.expect_err("neither fits");
    let shown = format!("{error} {error:?} {:?}", error.report());
    assert!(shown.contains("user.name") && shown.contains("user.nick") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_remote_layer_is_fetched_at_the_boot_and_not_by_a_check() {
    struct Centre;
    #[async_trait::async_trait]
    impl RemoteLayer for Centre {
        async fn fetch(&self, local: &Settings) -> Result<ConfigLayer> {
            let address: Option<String> = local.get("centre.address")?;
            let address = address.ok_or_else(|| gone_core::Error::msg("no address"))?;
            Ok(ConfigLayer::new("centre").set("gate.level", "debug", format!("{address} /gate/level")))
        }
    }
    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Wants {
        #[gone("config,gate.level=info")]
        level: String,
    }
    let source = ConfigSource::hermetic().remote(Centre);
    app(source.clone()).load(Wants::goner()).check().expect("a check fetches nothing");
    let error = app(source.clone()).load(Wants::goner()).boot().await.expect_err("no address");
    assert!(error.to_string().contains("no address"), "{error}");
    let app = app(source.set("centre.address", "etcd")).load(Wants::goner()).boot().await.expect("sound");
    assert_eq!(app.get::<Arc<Wants>>().expect("built").level, "debug");
    let settings = app.get::<Arc<Settings>>().expect("offered");
    assert_eq!(settings.origin("gate.level").expect("set").to_string(), "etcd /gate/level");
    app.stop().await.expect("a sound stop");
}

#[tokio::test]
async fn the_figures_of_the_config_are_read_with_the_others() {
    let app = app(ConfigSource::hermetic()).boot().await.expect("sound");
    let readers = app.get_matching::<Arc<dyn StatsReader>>("*").expect("one");
    let figures: Vec<_> = readers.iter().map(|reader| (reader.name(), reader.stats()[0].name)).collect();
    assert_eq!(figures, [("config", "reload_version")]);
    app.stop().await.expect("a sound stop");
}
