use std::time::Duration;

use gone_config::{ConfigErrors, ConfigSource, ErrorKind, Live, Reload, Settings};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{folder, get, source};

/// Asks as a site does: through the erased deserializer alone.
fn ask<T: DeserializeOwned>(settings: &Settings, extend: &str) -> T {
    let mut slot = None;
    settings
        .answer(extend, &mut |value| {
            slot = Some(erased_serde::deserialize(value)?);
            Ok(())
        })
        .expect("sound");
    slot.expect("there is a value")
}

fn only(errors: &ConfigErrors) -> String {
    assert_eq!(errors.len(), 1, "{errors}");
    errors.to_string()
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    per_minute: u32,
    #[serde(default = "ten")]
    burst: u32,
}

fn ten() -> u32 {
    10
}

#[test]
fn a_live_value_follows_its_key_and_falls_back_to_the_default_of_its_tag() {
    let settings = ConfigSource::hermetic().read().expect("sound");
    let wait: Live<Duration> = ask(&settings, "server.wait=30s");
    assert_eq!((*wait.get(), wait.version()), (Duration::from_secs(30), 1));
    let config = settings.handle();
    config.set("server.wait", "1m").expect("sound");
    assert_eq!((*wait.get(), wait.version()), (Duration::from_secs(60), 2));
    config.unset("server.wait").expect("the tag has a default");
    assert_eq!((*wait.get(), wait.version()), (Duration::from_secs(30), 3));
}

#[test]
fn a_required_key_that_is_not_set_any_more_refuses_the_reload() {
    let settings = ConfigSource::hermetic().read().expect("sound");
    settings.handle().set("server.port", 1).expect("sound");
    let port: Live<u16> = get(&settings.handle().settings(), "server.port").expect("sound").expect("set");
    let refused = settings.handle().unset("server.port").expect_err("it is needed");
    assert_eq!(only(&refused), "config key `server.port`: missing; set it in gone.toml or as GONE_SERVER__PORT");
    assert_eq!(*port.get(), 1);
    let still: Option<u16> = get(&settings.handle().settings(), "server.port").expect("sound");
    assert_eq!(still, Some(1), "what is refused is taken back");
}

#[test]
fn if_one_live_value_cannot_take_what_is_new_none_changes() {
    let folder = folder([("gone.toml", "[a]\nlevel = 'info'\nport = 1\n[limits]\nper_minute = 5\n")]);
    let settings = source(folder.path()).read().expect("sound");
    let level: Live<String> = ask(&settings, "a.level");
    let port: Live<u16> = ask(&settings, "a.port");
    let limits: Live<Limits> = settings.section("limits").expect("sound");
    let text = "\n[a]\nlevel = 'debug'\nport = 'many'\n[limits]\nper_minute = -6\nburst = 7\n";
    std::fs::write(folder.path().join("gone.toml"), text).expect("written");
    let refused = settings.handle().reload().expect_err("two are bad");
    let path = folder.path().join("gone.toml");
    assert_eq!(
        refused.to_string(),
        format!(
            "config key `a.port`: bad value `many`, from {0}:4:1; expected a whole number from 0 to 65535, but the text \
             is not a whole number\n\
             config key `limits.per_minute`: bad value `-6`, from {0}:6:1; expected a whole number from 0 to \
             4294967295, but it is out of range",
            path.display()
        )
    );
    assert_eq!((level.get().as_str(), *port.get(), limits.get().per_minute), ("info", 1, 5));
    assert_eq!((level.version(), port.version(), limits.version()), (1, 1, 1));

    std::fs::write(&path, text.replace("'many'", "2").replace("-6", "6")).expect("written");
    settings.handle().reload().expect("sound");
    assert_eq!((level.get().as_str(), *port.get()), ("debug", 2));
    assert_eq!(*limits.get(), Limits { per_minute: 6, burst: 7 });
}

#[test]
fn a_value_that_says_the_same_is_no_change() {
    let settings = ConfigSource::hermetic().set("a.x", 1).set("a.y", 1).read().expect("sound");
    let (x, y): (Live<u16>, Live<u16>) = (ask(&settings, "a.x"), ask(&settings, "a.y"));
    assert_eq!(settings.handle().set("a.x", 2).expect("sound"), 2);
    assert_eq!(settings.handle().set("a.x", 2).expect("sound"), 2, "nothing was changed");
    assert_eq!((x.version(), y.version()), (2, 1));
}

#[test]
fn live_values_stand_inside_structs_lists_and_the_sections_of_components() {
    #[derive(Deserialize)]
    struct Pool {
        size: Live<u32>,
        peers: Vec<Live<String>>,
    }
    let settings = ConfigSource::hermetic().set("pool.size", 1).set("pool.peers", ["a", "b"]).read().expect("sound");
    let pool: Pool = settings.section("pool").expect("sound");
    settings.handle().set("pool.size", 2).expect("sound");
    settings.handle().set("pool.peers", ["a", "c"]).expect("sound");
    assert_eq!(*pool.size.get(), 2);
    assert_eq!((pool.peers[0].version(), pool.peers[1].get().as_str()), (1, "c"));
    let refused = settings.handle().set("pool.peers", ["a"]).expect_err("the second is followed");
    assert!(only(&refused).starts_with("config key `pool.peers.1`: missing"), "{refused}");
    settings.handle().set("pool", r#"{"peers": "[\"d\", \"e\"]"}"#).expect_err("text hides the table below it");
    drop(pool);

    #[derive(serde::Serialize, Deserialize)]
    struct Cache {
        entries: Live<u32>,
    }
    let cache: Cache = settings.component("cache", "", &Cache { entries: Live::constant(100) }).expect("sound");
    assert_eq!(*cache.entries.get(), 100);
    settings.handle().set("cache.entries", 200).expect("sound");
    assert_eq!(*cache.entries.get(), 200);
    settings.handle().unset("cache.entries").expect("the component has a default");
    assert_eq!(*cache.entries.get(), 100);
}

#[test]
fn a_live_section_reads_from_the_empty_table_when_it_is_gone() {
    #[derive(Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Server {
        port: u16,
    }
    impl Default for Server {
        fn default() -> Self {
            Self { port: 80 }
        }
    }
    let settings = ConfigSource::hermetic().read().expect("sound");
    settings.handle().set("server.port", 81).expect("sound");
    let server: Live<Server> = settings.handle().settings().section("server").expect("sound");
    assert_eq!(server.get().port, 81);
    settings.handle().unset("server.port").expect("all has defaults");
    assert_eq!(server.get().port, 80);
    let refused = settings.handle().set("server.prot", 81).expect_err("unknown");
    assert_eq!(
        only(&refused),
        "config key `server.prot`: unknown, set at run time; expected `port`; near it: `server.port`"
    );
}

#[test]
fn a_live_value_that_nobody_has_any_more_refuses_nothing() {
    let settings = ConfigSource::hermetic().set("port", 1).read().expect("sound");
    let port: Live<u16> = ask(&settings, "port");
    let clone = port.clone();
    drop(port);
    settings.handle().set("port", "x").expect_err("the clone follows it");
    drop(clone);
    settings.handle().set("port", "x").expect("nobody reads it");
}

#[test]
fn a_live_value_that_is_read_late_from_an_old_snapshot_is_current() {
    let settings = ConfigSource::hermetic().set("port", 1).read().expect("sound");
    settings.handle().set("port", 2).expect("sound");
    assert_eq!(get::<u16>(&settings, "port").expect("sound"), Some(1), "a snapshot never changes");
    let port: Live<u16> = ask(&settings, "port");
    assert_eq!(*port.get(), 2);
    settings.handle().set("port", 3).expect("sound");
    assert_eq!(*port.get(), 3);
}

#[test]
fn a_type_that_panics_while_it_is_read_refuses_the_reload() {
    #[derive(Debug)]
    struct Even(u32);
    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let number = u32::deserialize(deserializer)?;
            assert!(number % 2 == 0, "odd");
            Ok(Self(number))
        }
    }
    let settings = ConfigSource::hermetic().set("number", 2).read().expect("sound");
    let even: Live<Even> = ask(&settings, "number");
    let refused = settings.handle().set("number", 3).expect_err("it panics");
    assert!(only(&refused).contains("`number`") && only(&refused).contains("panicked"), "{refused}");
    settings.handle().set("number", 4).expect("even");
    assert_eq!(even.get().0, 4);
}

// container A-60
#[tokio::test]
async fn what_is_absent_or_never_reloaded_is_none_or_a_constant() {
    let settings = ConfigSource::hermetic().read().expect("sound");
    assert!(get::<Live<u16>>(&settings, "port").expect("sound").is_none());

    let read: Live<u16> = serde_json::from_str("8080").expect("a number");
    let mut changes = read.changes();
    assert_eq!((*read.get(), read.version()), (8080, 1));
    drop(read);
    assert!(changes.next().await.is_none(), "no change, and the end once the value is gone");
}

#[tokio::test]
async fn a_test_holds_the_other_end_of_a_live_value() {
    let end = Reload::new(1);
    let live = Live::from(end.clone());
    let mut changes = live.changes();
    end.accept(2);
    let change = changes.next().await.expect("changed");
    assert_eq!((*change.old, *change.new, *live.get()), (1, 2, 2));
    assert_eq!(format!("{live:?} {:?}", Live::constant("x")), "Live(2) Live(\"x\")");
    assert_eq!(serde_json::to_string(&live).expect("written"), "2");
}

#[test]
fn a_live_value_inside_a_live_section_follows_too() {
    #[derive(Deserialize)]
    struct Outer {
        level: Live<String>,
        port: u16,
    }
    let settings = ConfigSource::hermetic().set("a.level", "info").set("a.port", 1).read().expect("sound");
    let outer: Live<Outer> = settings.section("a").expect("sound");
    let first = outer.get();
    settings.handle().set("a.level", "debug").expect("sound");
    settings.handle().set("a.port", 2).expect("sound");
    settings.handle().set("a.level", "trace").expect("sound");
    assert_eq!((first.level.get().as_str(), first.port), ("trace", 1));
    assert_eq!((outer.get().level.get().as_str(), outer.get().port), ("trace", 2));
}

#[test]
fn a_bad_default_of_a_tag_is_told_with_its_origin_in_a_reload() {
    let settings = ConfigSource::hermetic().set("a.port", 1).read().expect("sound");
    settings.handle().set("b.port", 2).expect("sound");
    // The default is bad, and is not read as long as the key is set.
    let port: Live<u16> = ask(&settings.handle().settings(), "b.port=http");
    let refused = settings.handle().unset("b.port").expect_err("the default is bad");
    let error = refused.iter().next().expect("one");
    assert!(matches!(error.kind(), ErrorKind::Invalid { .. }));
    assert!(error.to_string().contains("bad value `http`, from default in the tag"), "{error}");
    assert_eq!(*port.get(), 2);
}

#[test]
fn what_is_offered_to_a_live_value_does_not_reach_another_reader() {
    /// Asks under the name that live values ask under, and takes nothing.
    #[derive(Debug)]
    struct Impostor;
    impl<'de> Deserialize<'de> for Impostor {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Impostor;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("anything")
                }
                fn visit_newtype_struct<D: serde::Deserializer<'de>>(self, _: D) -> Result<Impostor, D::Error> {
                    Ok(Impostor)
                }
            }
            deserializer.deserialize_newtype_struct("gone::Live", Visitor)
        }
    }
    let settings = ConfigSource::hermetic().set("port", 1).read().expect("sound");
    get::<Impostor>(&settings, "port").expect("sound").expect("set");
    let live: Live<u16> = serde_json::from_str("7").expect("a number");
    settings.handle().set("port", 2).expect("sound");
    assert_eq!((*live.get(), live.version()), (7, 1));
}
