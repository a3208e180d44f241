//! The providers as parts of an application: what the plan says of their config, what is shared, what is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gone::config::{ConfigError, ConfigSource, ErrorKind, Settings};
use gone::db::Db;
use gone::kit::{HealthIndicator, StatValue, StatsReader, Status, check_all};
use gone::prelude::*;
use gone::{Code, db};
use serde::Deserialize;

/// The config of an application that reads nothing of this process.
fn config(variables: &[(&'static str, &'static str)]) -> ConfigSource {
    let folder = std::env::temp_dir().join("gone-tests-without-config");
    ConfigSource::new().folder(folder).environment(variables.iter().copied())
}

#[derive(Deserialize)]
struct Limits {
    burst: u32,
}

#[derive(Goner)]
struct Wants {
    #[gone("config,server.port=8080")]
    port: u16,
    #[gone("config,server.timeout=1m30s")]
    timeout: Duration,
    #[gone("config,server.hosts")]
    hosts: Option<Vec<String>>,
    #[gone("config,server.limits")]
    limits: Limits,
}

#[tokio::test]
async fn config_fills_fields_of_any_type_that_serde_can_read() {
    let variables = [("GONE_SERVER__LIMITS", r#"{"burst": 7}"#), ("GONE_SERVER__HOSTS", r#"["a"]"#)];
    let app = Gone::load(Wants::goner()).load(source(config(&variables))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.port, it.timeout, it.limits.burst), (8080, Duration::from_secs(90), 7));
    assert_eq!(it.hosts.as_deref(), Some(["a".to_owned()].as_slice()));
    app.stop().await.unwrap();
}

/// Where a text cannot say it: any expression of the field's type. It is not evaluated where there is a value, nor in the plan.
#[tokio::test]
async fn a_default_is_any_expression_of_the_fields_type() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);
    fn counted<T>(value: T) -> T {
        EVALUATED.fetch_add(1, Ordering::SeqCst);
        value
    }
    #[derive(Goner)]
    struct Typed {
        #[gone("config,server.timeout", default = counted(Duration::from_secs(5)))]
        timeout: Duration,
        #[gone("config,server.port", default = counted(80))]
        port: u16,
        #[gone("config,server.hosts", default = vec!["localhost".to_owned()])]
        hosts: Vec<String>,
        #[gone("config,server.limits", default = Limits { burst: 3 })]
        limits: Limits,
        /// Nothing has that name, which a default covers, too.
        #[gone("clock", default = Arc::new(Duration::ZERO))]
        clock: Arc<Duration>,
    }
    let gone = || Gone::load(Typed::goner()).load(source(config(&[("GONE_SERVER__PORT", "9000")])));
    gone().check().unwrap();
    assert_eq!(EVALUATED.load(Ordering::SeqCst), 0);
    let app = gone().boot().await.unwrap();
    let it = app.get::<Arc<Typed>>().unwrap();
    assert_eq!((it.timeout, it.port, it.limits.burst), (Duration::from_secs(5), 9000, 3));
    assert_eq!((it.hosts.as_slice(), *it.clock), (["localhost".to_owned()].as_slice(), Duration::ZERO));
    assert_eq!(EVALUATED.load(Ordering::SeqCst), 1);
    app.stop().await.unwrap();

    let clock = gone().load(value(Arc::new(Duration::from_secs(7))).named("clock"));
    let app = clock.boot().await.unwrap();
    assert_eq!(*app.get::<Arc<Typed>>().unwrap().clock, Duration::from_secs(7));
    app.stop().await.unwrap();
}

/// What is set and wrong is wrong, whatever the default; and two defaults are one too many.
#[test]
fn a_default_hides_no_mistake() {
    #[derive(Goner)]
    struct Twice {
        #[gone("config,server.port=80", default = 8080)]
        _port: u16,
        #[gone("config,server.hosts", default = Vec::new())]
        _hosts: Vec<String>,
        #[gone("cofig,server.name", default = "x".to_owned())]
        _name: String,
    }
    let gone = Gone::load(Twice::goner()).load(source(config(&[("GONE_SERVER__HOSTS", "[1")])));
    let error = gone.plan().err().unwrap();
    let problems: Vec<_> = error.report().unwrap().problems().iter().map(|it| it.message.clone()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("`server.port` has two defaults"), "{problems:?}");
    assert!(problems[1].contains("server.hosts"), "{problems:?}");

    #[derive(Goner)]
    struct Misspelt {
        #[gone("cofig,server.name", default = "x".to_owned())]
        _name: String,
    }
    let gone = Gone::load(Misspelt::goner()).load(source(config(&[])));
    let plan = gone.plan().unwrap();
    let warnings: Vec<_> = plan.warnings().iter().map(|it| it.message.as_str()).collect();
    assert!(warnings.contains(&"nothing is named `cofig`, so this takes its default"), "{warnings:?}");
}

// container C-44
#[test]
fn missing_and_bad_config_stands_in_one_report_with_the_graphs_problems() {
    #[derive(Goner)]
    struct Broken {
        #[gone]
        _missing: Arc<Wants>,
        #[gone("config,server.required")]
        _required: String,
    }
    let variables = [("GONE_SERVER__PORT", "http"), ("GONE_SERVER__LIMITS__BURST", "-1")];
    let builder = Gone::load(Broken::goner()).load(Wants::goner().named("x").only_for_name());
    let error = builder.load(source(config(&variables))).plan().err().unwrap();
    let problems = error.report().unwrap().problems();
    let found: Vec<_> = problems
        .iter()
        .map(|it| {
            let cause = it.cause.as_ref().and_then(|cause| cause.downcast_ref::<ConfigError>());
            (
                it.code,
                cause.and_then(ConfigError::key).unwrap_or_default().to_owned(),
                it.asker.clone().unwrap().to_string(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Code::Missing, String::new(), "Broken._missing".to_owned()),
            (Code::Config, "server.port".to_owned(), "Wants.port".to_owned()),
            (Code::Config, "server.limits.burst".to_owned(), "Wants.limits".to_owned()),
            (Code::Config, "server.required".to_owned(), "Broken._required".to_owned()),
        ]
    );
    let required = problems[3].cause.as_ref().unwrap().downcast_ref::<ConfigError>().unwrap();
    assert!(matches!(required.kind(), ErrorKind::Missing));
}

#[test]
fn what_the_source_cannot_read_is_a_problem_each_and_nothing_follows_from_it() {
    let variables = [("GONE_A", "1"), ("GONE_A__B", "2"), ("GONE_CONFIG", "nowhere/at/all")];
    let error = Gone::load(Wants::goner()).load(source(config(&variables))).check().unwrap_err();
    let messages: Vec<_> = error.report().unwrap().problems().iter().map(|it| it.message.clone()).collect();
    assert_eq!(messages.len(), 2, "{error}");
    assert!(messages.iter().any(|it| it.contains("GONE_A__B")) && messages.iter().any(|it| it.contains("nowhere")));
}

#[tokio::test]
async fn the_settings_themselves_can_be_injected() {
    let app = Gone::load(source(config(&[]).profile("production"))).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Settings>>().unwrap().profile(), "production");
    app.stop().await.unwrap();
}

#[derive(Goner)]
struct Stores {
    #[gone]
    main: Db,
    #[gone("*,sessions")]
    sessions: Db,
    #[gone]
    health: Vec<Arc<dyn HealthIndicator>>,
    #[gone]
    stats: Vec<Arc<dyn StatsReader>>,
}

#[derive(Goner)]
struct AnotherStore {
    #[gone]
    main: Db,
}

#[tokio::test]
async fn a_database_is_one_handle_for_each_instance_reports_its_health_and_is_closed() {
    let memory = config(&[("GONE_DB__URL", "sqlite::memory:"), ("GONE_DB__SESSIONS__URL", "sqlite::memory:")]);
    let builder = Gone::load((db::module, Stores::goner(), AnotherStore::goner())).load(source(memory));
    let app = builder.boot().await.unwrap();
    let it = app.get::<Arc<Stores>>().unwrap();
    let another = app.get::<Arc<AnotherStore>>().unwrap();
    let create = "CREATE TABLE here (id BIGINT PRIMARY KEY)";
    let query = "SELECT id FROM here";
    db::sqlx::query(create).execute(&it.main).await.unwrap();
    assert!(db::sqlx::query(query).fetch_all(&another.main).await.is_ok(), "the same database");
    assert!(db::sqlx::query(query).fetch_all(&it.sessions).await.is_err(), "another one");

    assert_eq!(check_all(&it.health).await.status(), Status::Up);
    let reader = it.stats.iter().find(|it| it.name() == "db").unwrap();
    let stats = reader.stats();
    let connections = stats.iter().find(|it| it.name == "connections").unwrap();
    assert_eq!(connections.value, StatValue::Integer(2));

    app.stop().await.unwrap();
    let names = |stats: &[gone::kit::Stat]| stats.iter().map(|it| it.name).collect::<Vec<_>>();
    assert_eq!(names(&reader.stats()), names(&stats), "the figures are the same ones without a handle");
    assert!(it.main.is_closed() && it.sessions.is_closed());
    assert_eq!(check_all(&it.health).await.status(), Status::Up, "nothing is left that could be down");
}

#[test]
fn a_bad_database_section_is_a_problem_of_the_plan_without_its_password() {
    for (variables, expected) in [
        (vec![("GONE_DB__URL", "postgres://me:hunter2@host/app")], "feature `postgres`"),
        (vec![("GONE_DB__URL", "orakle://me:hunter2@host/app")], "unknown scheme"),
        (vec![("GONE_DB__MAX_CONNECTIONS", "0")], "max_connections"),
        (vec![("GONE_DB__MAX_CONECTIONS", "5")], "max_connections"),
        (vec![("GONE_DB__ACQUIRE_TIMEOUT", "soon")], "db.acquire_timeout"),
        (vec![], "db.sessions"),
    ] {
        let builder = Gone::load((db::module, Stores::goner())).load(source(config(&variables)));
        let error = builder.check().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("hunter2"), "{variables:?}: {text}");
        assert!(error.report().unwrap().problems().iter().all(|it| it.code == Code::Config), "{text}");
    }
}

#[tokio::test]
async fn a_section_lies_over_the_defaults_of_the_profile() {
    let variables = [("GONE_DB__URL", "sqlite::memory:"), ("GONE_DB__SLOW_THRESHOLD", "2s")];
    let settings = config(&variables).profile("production").read().unwrap();
    let section: db::DbConfig = settings.instance("").unwrap();
    assert_eq!((section.max_connections, section.slow_threshold), (100, Duration::from_secs(2)));
    assert_eq!(section.url.as_str(), "sqlite::memory:");
}
