use gone_config::{ConfigErrors, Key, Origin};
use serde::Deserialize;

use crate::{folder, get, source, toml, variables};

// container C-98
// container C-44
#[test]
fn three_bad_values_come_out_each_with_key_value_origin_and_what_was_expected() {
    let folder = folder([("gone.toml", "[server]\nport = '80x'\n")]);
    let settings = source(folder.path())
        .environment([("GONE_POOL__SIZE", "-1")])
        .set("log.on", "maybe")
        .read()
        .expect("the layers are sound");
    let errors: ConfigErrors = [
        get::<u16>(&settings, "server.port").err(),
        get::<u32>(&settings, "pool.size").err(),
        get::<bool>(&settings, "log.on").err(),
        Some(settings.missing(&Key::parse("db.url").expect("a key"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let path = folder.path().display();
    let wanted = format!(
        "config key `db.url`: missing; set it in gone.toml or as GONE_DB__URL\n\
         config key `log.on`: bad value `maybe`, set by the program; expected `true` or `false`, \
         but the text is neither\n\
         config key `pool.size`: bad value `-1`, from environment variable GONE_POOL__SIZE; \
         expected a whole number from 0 to 4294967295, but it is negative\n\
         config key `server.port`: bad value `80x`, from {path}/gone.toml:2:1; expected a whole \
         number from 0 to 65535, but the text is not a whole number"
    );
    assert_eq!(errors.to_string(), wanted);
    let data: Vec<_> =
        errors.iter().map(|error| (error.key(), error.value(), error.origin().is_some(), error.expected())).collect();
    assert_eq!(
        data,
        [
            (Some("db.url"), None, false, None),
            (Some("log.on"), Some("maybe"), true, Some("`true` or `false`")),
            (Some("pool.size"), Some("-1"), true, Some("a whole number from 0 to 4294967295")),
            (Some("server.port"), Some("80x"), true, Some("a whole number from 0 to 65535")),
        ]
    );
}

#[test]
fn a_bad_value_says_which_weaker_layers_it_overrides() {
    let folder = folder([("gone.toml", "port = 1\n"), ("gone.development.toml", "\nport = 2\n")]);
    let settings = source(folder.path()).environment([("GONE_PORT", "x")]).read().expect("sound");
    let error = get::<u16>(&settings, "port").expect_err("bad");
    assert_eq!(error.origin(), Some(&Origin::Variable { name: "GONE_PORT".to_owned() }));
    let overridden: Vec<String> = error
        .overridden()
        .iter()
        .map(|origin| origin.to_string().replace(&format!("{}/", folder.path().display()), ""))
        .collect();
    assert_eq!(overridden, ["gone.development.toml:2:1", "gone.toml:1:1"]);
    assert!(error.to_string().contains("; it overrides: "), "{error}");
}

#[test]
fn a_value_of_another_kind_is_told_by_its_kind_and_not_shown() {
    let settings = toml("[server]\nport = { a = 'hunter2' }\nhost = ['hunter2']\n");
    let port = get::<u16>(&settings, "server.port").expect_err("a table");
    assert_eq!(port.value(), Some("a table"));
    let host = get::<String>(&settings, "server.host").expect_err("a list");
    assert_eq!(host.value(), Some("a list"));
    assert!(!format!("{port}{port:?}{host}{host:?}").contains("hunter2"));
}

#[test]
fn a_secret_is_hidden_in_every_form_of_an_error() {
    for key in ["db.password", "db.client_secret", "db.token", "db.api_key", "db.dsn", "db.credentials"] {
        let variable = Key::parse(key).expect("a key").variable().expect("not reserved");
        let settings = variables([(&variable, "hunter2")]);
        let error = get::<u16>(&settings, key).expect_err("no number");
        assert_eq!(error.value(), Some("***"));
        assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn the_password_of_a_url_is_hidden_and_its_rest_shown() {
    let settings = variables([("GONE_DB__URL", "postgres://app:hunter2@db/main")]);
    let error = get::<u16>(&settings, "db.url").expect_err("no number");
    assert_eq!(error.value(), Some("postgres://app:***@db/main"));
    assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn a_secret_default_of_a_tag_is_hidden() {
    let error = variables([])
        .answer("db.password=hunter2", &mut |value| erased_serde::deserialize::<u16>(value).map(drop))
        .expect_err("no number");
    assert_eq!(error.value(), Some("***"));
    assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "Raw")]
struct Checked;

#[derive(Deserialize)]
struct Raw {
    password: String,
    url: String,
}

impl TryFrom<Raw> for Checked {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        Err(format!("{} and {:?} do not go together", raw.url, raw.password))
    }
}

#[test]
fn a_message_of_the_types_own_code_has_its_secrets_taken_out() {
    for settings in [
        toml("[db]\npassword = 'hun\"ter2'\nurl = 'redis://:swordfish@h'\n"),
        variables([("GONE_DB", r#"{"password": "hun\"ter2", "url": "redis://:swordfish@h"}"#)]),
    ] {
        let error = settings.section::<Checked>("db").expect_err("refused");
        let text = format!("{error}{error:?}");
        assert!(text.contains("do not go together"), "{text}");
        assert!(!text.contains("ter2") && !text.contains("swordfish"), "{text}");
    }
}

#[test]
fn json_text_that_holds_a_secret_is_not_shown_when_it_is_bad() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Db {
        password: String,
    }
    let settings = variables([("GONE_DB", r#"{"password": "hunter2""#)]);
    let error = settings.section::<Db>("db").expect_err("no JSON");
    assert_eq!(error.value(), Some("***"));
    assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn a_long_value_is_cut_and_control_signs_are_escaped() {
    let error = get::<u16>(&variables([("GONE_A", &"x".repeat(10_000))]), "a").expect_err("bad");
    assert!(error.value().is_some_and(|value| value.chars().count() == 201));
    let error = get::<u16>(&variables([("GONE_A", "1\n2")]), "a").expect_err("bad");
    assert!(error.to_string().contains(r"`1\n2`"), "{error}");
}
