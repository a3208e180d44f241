use std::time::Duration;

use gone_config::{Answer, ConfigError, ErrorKind, Origin, Settings};
use serde::de::DeserializeOwned;

use crate::{toml, variables};

/// Asks as the container does: through the erased deserializer alone.
fn ask<T: DeserializeOwned>(settings: &Settings, extend: &str) -> Result<Option<T>, ConfigError> {
    let mut slot = None;
    let answer = settings.answer(extend, &mut |value| {
        slot = Some(erased_serde::deserialize(value)?);
        Ok(())
    })?;
    assert_eq!(answer == Answer::Filled, slot.is_some());
    Ok(slot)
}

// container A-94
#[test]
fn a_tag_is_answered_with_the_value_in_the_asked_type() {
    let settings = variables([("GONE_SERVER__PORT", "9000"), ("GONE_TAGS", r#"["a","b"]"#)]);
    assert_eq!(ask::<u16>(&settings, "server.port=8080").expect("sound"), Some(9000));
    assert_eq!(ask::<Option<u16>>(&settings, "server.port").expect("sound"), Some(Some(9000)));
    let tags = ask::<Vec<String>>(&settings, "tags").expect("sound");
    assert_eq!(tags, Some(vec!["a".to_owned(), "b".to_owned()]));
}

// container A-95
#[test]
fn an_absent_key_is_answered_with_the_default_of_the_tag() {
    let settings = variables([]);
    assert_eq!(ask::<u16>(&settings, "port=8080").expect("sound"), Some(8080));
    assert_eq!(ask::<u16>(&settings, "port,default=8080").expect("sound"), Some(8080));
    assert_eq!(ask::<String>(&settings, "name,default=").expect("sound"), Some(String::new()));
    let wait = ask::<Duration>(&settings, "timeout=30s").expect("sound");
    assert_eq!(wait, Some(Duration::from_secs(30)));
}

// container A-99
#[test]
fn an_absent_key_without_a_default_is_absent_and_the_asker_not_called() {
    let settings = variables([]);
    let answer = settings.answer("port", &mut |_| panic!("there is nothing to read"));
    assert_eq!(answer.expect("no error"), Answer::Absent);
}

// container A-103
#[test]
fn a_required_key_that_is_absent_is_an_error_with_the_keys_near_it() {
    let settings = toml("[server]\nprot = 1\n[http]\nport = 2\n");
    let error = settings.missing(&"server.port".parse().expect("a key"));
    assert!(matches!(error.kind(), ErrorKind::Missing));
    assert_eq!(error.key(), Some("server.port"));
    let near: Vec<&str> = error.near().iter().map(|near| near.key.as_str()).collect();
    assert_eq!(near, ["server.prot", "http.port"]);
    let message = error.to_string();
    assert!(message.contains("GONE_SERVER__PORT"), "{message}");
    assert!(message.contains("gone.toml:2:1"), "{message}");
}

// container A-100
#[test]
fn a_default_that_is_no_json_is_an_error_from_the_tag() {
    let error = ask::<Vec<u8>>(&variables([]), "list=[1, 2").expect_err("no JSON");
    assert_eq!(error.origin(), Some(&Origin::Tag));
    assert_eq!(error.expected(), Some("a list as JSON text"));
    assert_eq!(error.value(), Some("[1, 2"));
}

// container A-99
#[test]
fn an_empty_default_is_an_error_for_a_number() {
    let error = ask::<u16>(&variables([]), "port,default=").expect_err("empty");
    assert_eq!((error.value(), error.origin()), (Some(""), Some(&Origin::Tag)));
    assert!(ask::<Option<u16>>(&variables([]), "port=").is_err());
}

#[test]
fn an_error_inside_an_erased_struct_still_names_the_innermost_key() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Inner {
        port: u16,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Outer {
        inner: Vec<Inner>,
    }
    let settings = toml("[a]\ninner = [{port = 1}, {port = 'x'}]\n");
    let error = ask::<Outer>(&settings, "a").expect_err("bad");
    assert_eq!(error.key(), Some("a.inner.1.port"));
    assert_eq!(error.value(), Some("x"));
    assert_eq!(error.expected(), Some("a whole number from 0 to 65535"));
    assert!(error.origin().is_some_and(|it| it.to_string().ends_with("gone.toml:2:23")), "{error}");

    let settings = toml("[a]\ninner = [{port = 1, prot = 2}]\n");
    let error = ask::<Outer>(&settings, "a").expect_err("bad");
    assert!(matches!(error.kind(), ErrorKind::UnknownKey), "{error}");
    assert_eq!(error.key(), Some("a.inner.0.prot"));
    assert_eq!(error.near()[0].key, "a.inner.0.port");

    let settings = toml("[a]\ninner = [{}]\n");
    let error = ask::<Outer>(&settings, "a").expect_err("bad");
    assert!(matches!(error.kind(), ErrorKind::Missing), "{error}");
    assert_eq!(error.key(), Some("a.inner.0.port"));
}

#[test]
fn an_error_of_the_asker_itself_is_told() {
    let settings = variables([("GONE_PORT", "1")]);
    let error =
        settings.answer("port", &mut |_| Err(serde::de::Error::custom("the asker is full"))).expect_err("refused");
    assert_eq!(error.key(), Some("port"));
    assert!(error.to_string().contains("the asker is full"), "{error}");
}
