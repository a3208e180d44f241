use gone_config::{ConfigError, ErrorKind, Key, Lookup};

use crate::variables;

fn read(extend: &str) -> (String, Option<String>) {
    let lookup = Lookup::parse(extend).expect(extend);
    (lookup.key().to_string(), lookup.default().map(str::to_owned))
}

fn refused(extend: &str) -> ConfigError {
    Lookup::parse(extend).expect_err(extend)
}

// container A-95
#[test]
fn a_default_is_written_in_two_forms_and_may_be_empty() {
    for (extend, key, default) in [
        ("key", "key", None),
        ("key=def", "key", Some("def")),
        ("key,default=def", "key", Some("def")),
        ("key,default=", "key", Some("")),
        ("key=", "key", Some("")),
        (" server.port , default=def", "server.port", Some("def")),
    ] {
        assert_eq!(read(extend), (key.to_owned(), default.map(str::to_owned)), "{extend}");
    }
}

// container A-96
#[test]
fn an_extra_bare_key_is_an_error_that_names_it() {
    for extend in ["first,second", "first,second,third", "first,second=1"] {
        let message = refused(extend).to_string();
        assert!(message.contains("`second") && message.contains("`first`"), "{message}");
    }
}

// container A-97
#[test]
fn an_empty_extension_or_only_a_comma_is_an_error() {
    for extend in ["", " ", ",", " , ", "=x", ",default=x"] {
        let error = refused(extend);
        assert!(matches!(error.kind(), ErrorKind::BadTag { .. }), "{extend}: {error}");
        assert!(error.to_string().contains("names no key"), "{error}");
    }
    assert!(refused("key,").to_string().contains("nothing follows the comma"));
}

// container A-97
#[test]
fn default_alone_is_the_key_of_that_name() {
    assert_eq!(read("default=x"), ("default".to_owned(), Some("x".to_owned())));
}

// container A-104
#[test]
fn a_default_keeps_every_further_sign_and_blank() {
    for (extend, default) in [
        ("key=a=b,c=d", "a=b,c=d"),
        ("key=1,default=2", "1,default=2"),
        ("key,default=a,default=b=c", "a,default=b=c"),
        ("key= x ", " x "),
        ("key,default= x ", " x "),
        ("key==", "="),
    ] {
        assert_eq!(read(extend), ("key".to_owned(), Some(default.to_owned())), "{extend}");
    }
}

// container A-107
#[test]
fn the_extension_is_read_once_and_its_value_keeps_every_equals_sign() {
    assert_eq!(read(" key =a = b"), ("key".to_owned(), Some("a = b".to_owned())));
}

// container A-102
#[test]
fn a_key_is_snake_case_and_its_variable_has_two_underscores_for_a_dot() {
    let key = Key::parse("server.max_body").expect("a key");
    assert_eq!(key.variable().as_deref(), Some("GONE_SERVER__MAX_BODY"));
    let settings = variables([("GONE_SERVER__MAX_BODY", "7")]);
    assert_eq!(settings.get::<u8>("server.max_body").expect("sound"), Some(7));
}

// container A-102
#[test]
fn a_dash_in_a_key_is_refused_and_the_spelling_with_an_underscore_offered() {
    let error = Key::parse("gone-version").expect_err("a dash");
    assert!(matches!(error.kind(), ErrorKind::BadKey { .. }));
    assert!(error.to_string().contains("snake_case"), "{error}");
    assert_eq!(error.near()[0].key, "gone_version");
    assert_eq!(refused("gone-version=1").near()[0].key, "gone_version");
}

#[test]
fn what_is_no_key_is_refused() {
    let long = "a".repeat(256);
    let deep = ["a"; 17].join(".");
    for text in ["", ".", "a.", ".a", "a..b", "A", "a b", "ä", "a__b", "_a", "a_", "a/b", &long, &deep] {
        let error = Key::parse(text).expect_err(text);
        assert!(matches!(error.kind(), ErrorKind::BadKey { .. }), "{text}: {error}");
        let error = variables([]).get::<String>(text).expect_err(text);
        assert!(matches!(error.kind(), ErrorKind::BadKey { .. }), "{text}: {error}");
    }
    for text in ["a", "0", "a.0.b_c", "a1_2b"] {
        assert_eq!(Key::parse(text).expect(text).as_str(), text);
    }
}

// container A-102
#[test]
fn the_reserved_variables_belong_to_no_key() {
    assert_eq!(Key::parse("profile").expect("a key").variable(), None);
    assert_eq!(Key::parse("config").expect("a key").variable(), None);
    let settings = variables([("GONE_PROFILE", "test")]);
    assert_eq!(settings.get::<String>("profile").expect("no error"), None);
    assert_eq!(settings.profile(), "test");
}

#[test]
fn a_bad_tag_never_quotes_its_default() {
    for extend in ["password,extra=hunter2", "=hunter2", "PASSWORD=hunter2", "a,b=hunter2,c"] {
        let error = refused(extend);
        assert!(!format!("{error}{error:?}").contains("hunter2"), "{error:?}");
    }
}
