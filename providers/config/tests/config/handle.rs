use gone_config::{ConfigHandle, ConfigLayer, ConfigSource, ErrorKind, Live, Secret};
use gone_kit::StatValue;

use crate::{folder, get, source, value};

fn port(config: &ConfigHandle) -> u16 {
    value(&config.settings(), "server.port")
}

#[test]
fn layers_keep_their_strength_when_they_change() {
    let folder = folder([("gone.toml", "[server]\nport = 2\n")]);
    let source = source(folder.path()).defaults("server", serde_json::json!({"port": 1}));
    let config = source.read().expect("sound").handle();
    assert_eq!(port(&config), 2);
    let config = source.clone().environment([("GONE_SERVER__PORT", "3")]).read().expect("sound").handle();
    assert_eq!(port(&config), 3);
    let config = source.set("server.port", 4).read().expect("sound").handle();
    config
        .put(ConfigLayer::new("centre").set("server", serde_json::json!({"port": 5}), "centre /server"))
        .expect("sound");
    assert_eq!(port(&config), 5);
    config.set("server.port", 6).expect("sound");
    assert_eq!(port(&config), 6);
    config.put(ConfigLayer::new("centre").set("server.port", 7, "centre /server")).expect("sound");
    std::fs::write(folder.path().join("gone.toml"), "[server]\nport = 8\n").expect("written");
    config.reload().expect("sound");
    assert_eq!(port(&config), 6, "what is set at run time is strongest");
    config.unset("server.port").expect("sound");
    assert_eq!(port(&config), 7);
    config.remove("centre").expect("sound");
    assert_eq!(port(&config), 4);
}

#[test]
fn a_pushed_layer_that_does_not_fit_is_refused_whole_and_names_its_place() {
    let settings = ConfigSource::hermetic().set("limits.rate", 1).set("limits.burst", 1).read().expect("sound");
    let rate: Live<u32> = get(&settings, "limits.rate").expect("sound").expect("set");
    let config = settings.handle();
    let layer = |rate: &str| {
        ConfigLayer::new("centre").set("limits.rate", rate, "centre /config/dev/limits/rate").set(
            "limits.burst",
            2,
            "centre /config/dev/limits/burst",
        )
    };
    let refused = config.put(layer("fast")).expect_err("no number");
    assert_eq!(
        refused.to_string(),
        "config key `limits.rate`: bad value `fast`, from centre /config/dev/limits/rate; expected a whole number from 0 \
         to 4294967295, but the text is not a whole number; it overrides: set by the program"
    );
    assert_eq!(value::<u32>(&config.settings(), "limits.burst"), 1);
    config.put(layer("3")).expect("sound");
    assert_eq!((*rate.get(), value::<u32>(&config.settings(), "limits.burst")), (3, 2));
    let refused = config.put(ConfigLayer::new("centre").set("Limits", 1, "here")).expect_err("no key");
    assert!(matches!(refused.iter().next().expect("one").kind(), ErrorKind::BadKey { .. }));
}

#[test]
fn a_bad_key_or_a_secret_cannot_be_set_and_none_unsets() {
    let config = ConfigSource::hermetic().set("server.port", 1).read().expect("sound").handle();
    let refused = config.set("server-port", 2).expect_err("no key");
    assert!(matches!(refused.iter().next().expect("one").kind(), ErrorKind::BadKey { .. }));
    let refused = config.set("server.phrase", Secret::new("hunter2")).expect_err("a secret");
    assert!(refused.to_string().contains("cannot be expressed"), "{refused}");
    config.set("server.port", Some(2)).expect("sound");
    config.set("server.port", None::<u16>).expect("sound");
    assert_eq!(port(&config), 1);
    assert_eq!(config.status().refused, 2);
}

#[tokio::test]
async fn changes_of_the_whole_config_and_the_figures_can_be_followed() {
    let config = ConfigSource::hermetic().set("a.level", "info").read().expect("sound").handle();
    let (mut changes, mut statuses) = (config.changes(), config.statuses());
    config.set("a.level", "debug").expect("sound");
    let change = changes.next().await.expect("the config is there");
    assert_eq!((value::<String>(&change.old, "a.level"), change.version), ("info".into(), 2));
    assert_eq!(value::<String>(&change.new, "a.level"), "debug");
    drop(change);
    config.set("", 1).expect_err("no table");
    let status = statuses.next().await.expect("tried");
    assert_eq!((status.version, status.accepted, status.refused), (2, 1, 1));
    let figures = config.stats().map(|stat| stat.value);
    assert_eq!(figures, [StatValue::Integer(2), StatValue::Integer(1), StatValue::Integer(1)]);
    let next = tokio::spawn(async move { changes.next().await.is_some() });
    tokio::task::yield_now().await;
    drop(config);
    assert!(!next.await.expect("no panic"), "nobody has the config any more");
}

#[test]
fn neither_a_handle_nor_a_layer_shows_values() {
    let config = ConfigSource::hermetic().set("a", "hunter2").read().expect("sound").handle();
    let layer = ConfigLayer::new("centre").set("a", "hunter2", "here");
    let shown = format!("{config:?} {layer:?} {:?} {:?}", config.changes(), config.status());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn without_files_and_environment_there_are_only_defaults_and_what_the_program_sets() {
    let settings = ConfigSource::hermetic().defaults("a", serde_json::json!({"x": 1})).set("a.y", 2).read();
    let settings = settings.expect("sound");
    assert_eq!((value::<u8>(&settings, "a.x"), value::<u8>(&settings, "a.y")), (1, 2));
    settings.handle().reload().expect("nothing to read");
    let folder = folder([("gone.toml", "b = 3\n")]);
    let settings = ConfigSource::hermetic().folder(folder.path()).read().expect("sound");
    assert_eq!(value::<u8>(&settings, "b"), 3);
}
