use std::time::Duration;

use gone_config::{Section, SectionFault};
use gone_db::{Db, DbConfig, DbError, LogLevel};

fn with_url(url: &str) -> DbConfig {
    DbConfig { url: url.into(), ..DbConfig::default() }
}

fn field_of(config: &DbConfig) -> (String, String) {
    let error = config.validate().unwrap_err();
    match error.faults() {
        [SectionFault::OutOfBounds { field, .. }] => ((*field).to_owned(), error.to_string()),
        other => panic!("expected one value out of bounds, got {other:?}"),
    }
}

// DB-1
#[test]
fn development_has_its_defaults() {
    let config = DbConfig::for_profile("development").unwrap();
    assert_eq!(config.url.as_str(), "sqlite:data/gone.db");
    assert_eq!((config.max_connections, config.max_idle_connections, config.min_connections), (25, 5, 0));
    assert_eq!(config.max_lifetime, Duration::from_secs(5 * 60));
    assert_eq!(config.idle_timeout, Duration::from_secs(30 * 60));
    assert_eq!(config.slow_threshold, Duration::from_millis(100));
    assert_eq!(config.log_level, LogLevel::Info);
    assert_eq!(config, DbConfig::default());
}

// DB-2
#[test]
fn production_has_its_defaults() {
    let config = DbConfig::for_profile("production").unwrap();
    assert_eq!(config.url.as_str(), "sqlite:data/gone.db");
    assert_eq!((config.max_connections, config.max_idle_connections, config.min_connections), (100, 10, 0));
    assert_eq!(config.max_lifetime, Duration::from_secs(60 * 60));
    assert_eq!(config.idle_timeout, Duration::from_secs(30 * 60));
    assert_eq!(config.slow_threshold, Duration::from_millis(500));
    assert_eq!(config.log_level, LogLevel::Warn);
}

// DB-3
#[test]
fn an_unknown_profile_is_an_error_with_near_misses() {
    let error = DbConfig::for_profile("produktion").unwrap_err();
    assert!(matches!(error.faults(), [SectionFault::UnknownProfile(name)] if name.near() == Some("production")));
    assert_eq!(
        error.to_string(),
        r#"unknown profile "produktion", did you mean `production`? Allowed: `development`, `production`"#
    );
    let error = DbConfig::for_profile("staging").unwrap_err();
    assert_eq!(error.to_string(), r#"unknown profile "staging". Allowed: `development`, `production`"#);
}

// DB-6
#[test]
fn the_defaults_of_both_profiles_are_valid() {
    for profile in ["development", "production"] {
        assert_eq!(DbConfig::for_profile(profile).unwrap().validate(), Ok(()), "{profile}");
    }
}

// DB-7
#[test]
fn an_empty_url_is_an_error() {
    for url in ["", "  "] {
        let error = with_url(url).validate().unwrap_err();
        assert!(error.to_string().starts_with("`url`: it has no scheme; compiled in: `sqlite`"), "{error}");
    }
}

// DB-8
#[test]
fn a_known_scheme_that_is_not_compiled_in_names_its_feature() {
    for (url, feature) in [
        ("postgres://host/app", "postgres"),
        ("postgresql://host/app", "postgres"),
        ("mysql://host/app", "mysql"),
        ("mariadb://host/app", "mysql"),
    ] {
        let error = with_url(url).validate().unwrap_err();
        assert!(
            matches!(error.faults(), [SectionFault::Scheme { error, .. }] if error.feature() == Some(feature)),
            "{url}: {error}"
        );
        assert!(error.to_string().contains(&format!("feature `{feature}`")), "{error}");
    }
}

// DB-8
#[test]
fn an_unknown_scheme_lists_those_compiled_in_and_the_features_of_the_rest() {
    let error = with_url("sqlit:data/app.db").validate().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`url`: unknown scheme \"sqlit\", did you mean `sqlite`?; compiled in: `sqlite`; with a cargo feature: \
         `postgres` (feature `postgres`), `postgresql` (feature `postgres`), `mysql` (feature `mysql`), \
         `mariadb` (feature `mysql`)"
    );
    let error = with_url("data/app.db").validate().unwrap_err();
    assert!(error.to_string().starts_with("`url`: it has no scheme; compiled in: `sqlite`"), "{error}");
}

// DB-9
#[test]
fn a_value_out_of_bounds_is_an_error_that_names_field_value_and_bounds() {
    let base = DbConfig::default();
    let zero = Duration::ZERO;
    let (field, message) = field_of(&DbConfig { max_connections: 0, ..base.clone() });
    assert_eq!(field, "max_connections");
    assert_eq!(message, "`max_connections` is 0; it must be 1 to 10000");

    for (field, config) in [
        ("max_connections", DbConfig { max_connections: 10_001, ..base.clone() }),
        ("acquire_timeout", DbConfig { acquire_timeout: zero, ..base.clone() }),
        ("connect_timeout", DbConfig { connect_timeout: Duration::from_secs(601), ..base.clone() }),
        ("idle_timeout", DbConfig { idle_timeout: Duration::from_millis(999), ..base.clone() }),
        ("max_lifetime", DbConfig { max_lifetime: zero, ..base.clone() }),
        ("slow_threshold", DbConfig { slow_threshold: zero, ..base.clone() }),
    ] {
        assert_eq!(field_of(&config).0, field);
    }
}

// DB-9
#[test]
fn an_unknown_log_level_is_an_error_with_near_misses() {
    let error = "wran".parse::<LogLevel>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"unknown log level "wran", did you mean `warn`? Allowed: `silent`, `error`, `warn`, `info`"#
    );
    let error = serde_json::from_str::<DbConfig>(r#"{"log_level": "wran"}"#).unwrap_err();
    assert!(error.to_string().contains("did you mean `warn`?"), "{error}");
}

// DB-10
#[test]
fn more_idle_connections_than_connections_is_an_error() {
    let config = DbConfig { max_connections: 4, max_idle_connections: 5, ..DbConfig::default() };
    let (field, message) = field_of(&config);
    assert_eq!(field, "max_idle_connections");
    assert_eq!(message, "`max_idle_connections` is 5; it must be 0 to 4 (max_connections)");

    let config = DbConfig { max_idle_connections: 2, min_connections: 3, ..DbConfig::default() };
    assert_eq!(field_of(&config).0, "min_connections");
}

#[tokio::test]
async fn connecting_checks_the_settings_first() {
    let config = DbConfig { max_connections: 0, ..with_url("sqlite::memory:") };
    let error = Db::connect(&config).await.unwrap_err();
    let DbError::Config(error) = error else { panic!("{error}") };
    assert_eq!(error.faults()[0].field(), Some("max_connections"), "{error}");
}

#[test]
fn a_section_gives_durations_as_text_or_milliseconds() {
    let config: DbConfig = serde_json::from_str(
        r#"{"url": "sqlite:a.db", "max_lifetime": "1h30m", "slow_threshold": 250, "log_level": "error"}"#,
    )
    .unwrap();
    assert_eq!(config.max_lifetime, Duration::from_secs(5_400));
    assert_eq!(config.slow_threshold, Duration::from_millis(250));
    assert_eq!(config.log_level, LogLevel::Error);
    assert_eq!(config.max_connections, 25);

    let error = serde_json::from_str::<DbConfig>(r#"{"max_lifetime": "5x"}"#).unwrap_err();
    assert!(error.to_string().contains("a unit (d, h, m, s, ms, us, ns) was expected"), "{error}");
    assert!(serde_json::from_str::<DbConfig>(r#"{"max_lifetime": -5}"#).is_err());
}

#[test]
fn an_unknown_key_is_refused() {
    let error = serde_json::from_str::<DbConfig>(r#"{"max_conections": 5}"#).unwrap_err();
    assert!(error.to_string().contains("max_conections"), "{error}");
}

#[test]
fn a_config_survives_being_written_and_read() {
    let config = DbConfig::for_profile("production").unwrap();
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<DbConfig>(&text).unwrap(), config);
}

#[test]
fn neither_debug_nor_an_error_shows_the_password() {
    let config = with_url("postgres://me:hunter2@host/app");
    let debug = format!("{config:?}");
    assert!(debug.contains("postgres://me:***@host/app") && !debug.contains("hunter2"), "{debug}");
    for url in ["postgres://me:hunter2@host/app", "me:hunter2@tcp(host)/app", "hunter2", "sqlite:a?key=hunter2"] {
        let error = with_url(url).validate().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error:?}");
    }
}
