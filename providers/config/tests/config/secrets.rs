use gone_config::{ConfigError, ConfigSource, Live, Secret, Settings};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{folder, get, source, toml};

/// The value in every test, under keys with innocent names.
const VALUE: &str = "hunter2";

fn hidden(error: &ConfigError) {
    let shown = format!("{error}\n{error:?}\n{error:#?}");
    assert!(!shown.contains(VALUE), "{shown}");
}

fn refused<T: DeserializeOwned>(settings: &Settings, key: &str) -> ConfigError {
    let error = get::<T>(settings, key).map(|_| ()).expect_err("it does not fit");
    hidden(&error);
    error
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Quoting;

impl TryFrom<String> for Quoting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("I do not like {text}"))
    }
}

#[test]
fn an_error_about_a_secret_does_not_show_it_under_any_key() {
    let settings = toml("[a]\nname = 'hunter2'\nlist = ['x', 'hunter2']\ntext = '{\"name\": \"hunter2\"}'\n");
    let error = refused::<Secret<u16>>(&settings, "a.name");
    assert_eq!((error.value(), error.key()), (Some("***"), Some("a.name")));
    assert_eq!(error.expected(), Some("a whole number from 0 to 65535"));
    assert!(error.to_string().contains("gone.toml:2:1"), "{error}");
    refused::<Secret<Quoting>>(&settings, "a.name");
    refused::<Secret<Option<bool>>>(&settings, "a.name");
    refused::<Option<Secret<char>>>(&settings, "a.name");
    refused::<Secret<std::time::Duration>>(&settings, "a.name");
    refused::<(String, Secret<u8>)>(&settings, "a.list");
    refused::<Secret<Vec<u8>>>(&settings, "a.list");

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Inner {
        name: Secret<u16>,
    }
    refused::<Inner>(&settings, "a.text");
    refused::<Inner>(&settings, "a");
    // The path is known to be secret now, also for those who read it as something else.
    refused::<u16>(&settings, "a.name");
    refused::<Quoting>(&settings, "a.text");
}

#[test]
fn text_that_is_no_json_is_not_shown_where_a_secret_may_stand_in_it() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Inner {
        id: u16,
        name: Secret<String>,
    }
    let settings = toml("[a]\ntable = '{\"id\": 1, \"name\": \"hunter2\"'\nlist = '[\"hunter2\"'\nplain = '[1, 2'\n");
    refused::<Inner>(&settings, "a.table");
    refused::<Vec<Inner>>(&settings, "a.table");
    refused::<Vec<Secret<String>>>(&settings, "a.list");
    refused::<Option<(Secret<String>, String)>>(&settings, "a.list");
    assert_eq!(refused::<Vec<u8>>(&settings, "a.plain").value(), Some("[1, 2"));
}

#[test]
fn a_secret_reads_as_its_type_does() {
    let settings = toml("[a]\nname = 'hunter2'\nport = '80'\n");
    let name: Option<Secret<String>> = get(&settings, "a.name").expect("sound");
    assert_eq!(name.expect("set").expose(), VALUE);
    let port: Option<Secret<u16>> = get(&settings, "a.port").expect("sound");
    assert_eq!(port.expect("set").into_exposed(), 80);
}

#[test]
fn a_message_of_the_struct_around_it_does_not_show_a_secret() {
    #[derive(Deserialize)]
    struct Raw {
        user: String,
        name: Secret<String>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Raw")]
    struct Login;
    impl TryFrom<Raw> for Login {
        type Error = String;
        fn try_from(raw: Raw) -> Result<Self, String> {
            Err(format!("{} may not use {}", raw.user, raw.name.expose()))
        }
    }
    let error = refused::<Login>(&toml("[a]\nuser = 'ada'\nname = 'hunter2'\n"), "a");
    assert!(error.to_string().contains("ada may not use ***"), "{error}");
}

#[test]
fn a_secret_inside_a_flattened_struct_is_not_shown() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Inner {
        name: Secret<u16>,
    }
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    let error = refused::<Outer>(&toml("[a]\nname = 'hunter2'\n"), "a");
    assert!(error.to_string().contains("a secret value does not fit its type"), "{error}");
}

#[test]
fn the_default_of_a_tag_for_a_secret_is_not_shown() {
    let settings = ConfigSource::hermetic().read().expect("sound");
    let error = settings
        .answer("a.name=hunter2", &mut |value| erased_serde::deserialize::<Secret<u16>>(value).map(drop))
        .expect_err("no number");
    assert_eq!(error.value(), Some("***"));
    hidden(&error);
}

#[test]
fn a_refused_reload_of_a_secret_does_not_show_it() {
    let folder = folder([("gone.toml", "[a]\nname = 1\n")]);
    let settings = source(folder.path()).read().expect("sound");
    let name: Live<Secret<u16>> = get(&settings, "a.name").expect("sound").expect("set");
    std::fs::write(folder.path().join("gone.toml"), "[a]\nname = 'hunter2'\n").expect("written");
    let refused = settings.handle().reload().expect_err("no number");
    assert!(refused.to_string().contains("bad value `***`"), "{refused}");
    refused.iter().for_each(hidden);
    let status = format!("{:?} {name:?} {:?}", settings.handle().status(), settings.handle());
    assert!(!status.contains(VALUE), "{status}");
    assert_eq!(*name.get().expose(), 1);
}

#[test]
fn a_secret_in_the_defaults_of_a_component_sets_nothing() {
    #[derive(Debug, serde::Serialize, Deserialize)]
    struct Client {
        name: Secret<String>,
        #[serde(default)]
        other: Secret<String>,
    }
    let defaults = Client { name: Secret::new("x".into()), other: Secret::new("x".into()) };
    let settings = ConfigSource::hermetic().read().expect("sound");
    let error =
        settings.component("client", "", &defaults).expect_err("it must be set").into_iter().next().expect("one");
    assert_eq!(error.key(), Some("client.name"));
    let settings = ConfigSource::hermetic().set("client.name", VALUE).read().expect("sound");
    let client = settings.component("client", "", &defaults).expect("sound");
    assert_eq!((client.name.expose().as_str(), client.other.expose().as_str()), (VALUE, ""));
}
