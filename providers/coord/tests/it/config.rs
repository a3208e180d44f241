use std::time::Duration;

use gone_config::{Section, SectionFault};
use gone_coord::{Coord, CoordConfig, CoordError, TlsConfig};
use gone_kit::Secret;

fn faults(config: &CoordConfig) -> Vec<String> {
    config.validate().expect_err("something is wrong").faults().iter().map(ToString::to_string).collect()
}

#[test]
fn development_and_production_have_their_defaults() {
    let config = CoordConfig::for_profile("development").unwrap();
    assert_eq!((config.url.as_str(), config.allow_memory), ("memory:", true));
    assert_eq!(config.dial_timeout, Duration::from_secs(5));
    assert_eq!((config.keep_alive_time, config.keep_alive_timeout), (Duration::from_secs(30), Duration::from_secs(10)));
    assert!(config.username.is_none() && config.password.is_none() && config.tls.is_none());
    // A server that stands still is noticed within 3 s.
    assert!(config.probe_interval + config.probe_timeout <= Duration::from_secs(3));
    config.validate().unwrap();

    let config = CoordConfig::for_profile("production").unwrap();
    assert_eq!(config.url.as_str(), "etcd://etcd1:2379,etcd2:2379,etcd3:2379");
    assert!(!config.allow_memory);
    assert_eq!(config.dial_timeout, Duration::from_secs(10));
    assert_eq!((config.keep_alive_time, config.keep_alive_timeout), (Duration::from_secs(30), Duration::from_secs(10)));
}

#[test]
fn an_unknown_profile_is_an_error_with_near_misses() {
    let error = CoordConfig::for_profile("Producton").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"unknown profile "Producton", did you mean `production`? Allowed: `development`, `production`"#
    );
    let error = CoordConfig::for_profile("staging").unwrap_err();
    assert!(matches!(error.faults(), [SectionFault::UnknownProfile(name)] if name.near().is_none()));
}

#[test]
fn memory_is_used_in_production_only_on_purpose() {
    let production = CoordConfig::for_profile("production").unwrap();
    let memory = CoordConfig { url: "memory:".into(), ..production };
    let fault = faults(&memory).concat();
    assert!(
        fault.starts_with("`url`: `memory:` is this process alone") && fault.contains("allow_memory = true"),
        "{fault}"
    );
    CoordConfig { allow_memory: true, ..memory }.validate().unwrap();
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let config = CoordConfig {
        url: "memory:a/b".into(),
        root: "app/".to_owned(),
        dial_timeout: Duration::ZERO,
        request_timeout: Duration::from_secs(3600),
        instance_id_ttl: Duration::from_millis(1500),
        username: Some("me".to_owned()),
        tls: Some(TlsConfig { key_file: Some("key.pem".into()), ..TlsConfig::default() }),
        ..CoordConfig::default()
    };
    assert_eq!(
        faults(&config),
        [
            "`url`: it has a name after `memory:` that holds more than letters, digits, `-`, `_` and `.`",
            "`root` is app/: it must be empty, or begin with a slash and not end with one",
            "`dial_timeout` is 0ns; it must be 100ms to 600s",
            "`request_timeout` is 3600s; it must be 10ms to 600s",
            "`instance_id_ttl` is 1.5s: it must be whole seconds",
            "`username`: it is set, and `password`, which goes with it, is not",
            "`tls.key_file`: it is set, and `tls.cert_file`, which goes with it, is not",
        ]
    );
}

#[test]
fn every_duration_has_its_bounds() {
    let changes: [fn(&mut CoordConfig, Duration); 8] = [
        |config, it| config.dial_timeout = it,
        |config, it| config.request_timeout = it,
        |config, it| config.keep_alive_time = it,
        |config, it| config.keep_alive_timeout = it,
        |config, it| config.probe_interval = it,
        |config, it| config.probe_timeout = it,
        |config, it| config.watch_relist = it,
        |config, it| config.instance_id_ttl = it,
    ];
    for change in changes {
        for bad in [Duration::ZERO, Duration::from_secs(365 * 24 * 3600)] {
            let mut config = CoordConfig::default();
            change(&mut config, bad);
            assert!(
                matches!(config.validate().unwrap_err().faults(), [SectionFault::OutOfBounds { .. }]),
                "{config:?}"
            );
        }
    }
}

#[test]
fn no_message_and_no_debug_shows_a_password() {
    let config = CoordConfig {
        url: "etcd://me:hunter2@host:2379".into(),
        username: Some("me".to_owned()),
        password: Some(Secret::new("hunter3".to_owned())),
        ..CoordConfig::default()
    };
    let shown =
        format!("{config:?} {} {}", config.validate().unwrap_err(), serde_json::to_string(&config.password).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(shown.contains("me"), "{shown}");
}

#[test]
fn an_unknown_key_is_refused_here_and_in_the_tables() {
    for text in [r#"{"urll": "memory:"}"#, r#"{"tls": {"ca": "x"}}"#] {
        let error = serde_json::from_str::<CoordConfig>(text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
    let config: CoordConfig = serde_json::from_str(r#"{"dial_timeout": "1m", "tls": {"ca_file": "ca.pem"}}"#).unwrap();
    assert_eq!(config.dial_timeout, Duration::from_secs(60));
}

#[cfg(not(feature = "etcd"))]
#[test]
fn a_scheme_that_is_not_compiled_in_names_its_feature() {
    let config = CoordConfig { url: "etcd://localhost".into(), ..CoordConfig::default() };
    let fault = faults(&config).concat();
    assert!(fault.contains("turn on the cargo feature `etcd`") && fault.contains("compiled in: `memory`"), "{fault}");
    let config = CoordConfig { url: "zk://localhost".into(), ..CoordConfig::default() };
    assert!(faults(&config).concat().contains("unknown scheme \"zk\""));
}

#[cfg(feature = "etcd")]
#[test]
fn certificates_are_for_a_connection_over_tls() {
    let tls = Some(TlsConfig { ca_file: Some("ca.pem".into()), ..TlsConfig::default() });
    let config = CoordConfig { url: "etcd://localhost".into(), tls, ..CoordConfig::default() };
    assert_eq!(faults(&config), ["`tls`: it is for a connection over TLS: write `etcds:` in `url`"]);
    CoordConfig { url: "etcds://localhost".into(), ..config }.validate().unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_section_is_told_before_anything_is_connected() {
    let config = CoordConfig { url: "".into(), ..CoordConfig::default() };
    let error = Coord::connect(&config).await.unwrap_err();
    assert!(matches!(&error, CoordError::Config(error) if matches!(error.faults(), [SectionFault::Scheme { .. }])));
}
