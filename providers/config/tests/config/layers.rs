use std::collections::BTreeMap;

use gone_config::{ConfigErrors, ErrorKind, Origin};
use serde::Serialize;

use crate::{folder, get, source, value};

#[derive(Serialize)]
struct Defaults {
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    none: Option<u8>,
}

const DEFAULTS: Defaults = Defaults { a: 1, b: 1, c: 1, d: 1, e: 1, none: None };

#[test]
fn each_layer_overrides_the_ones_before_it_key_by_key() {
    let folder = folder([
        ("gone.toml", "[s]\nb = 2\nc = 2\nd = 2\ne = 2\n"),
        ("gone.development.toml", "[s]\nc = 3\nd = 3\ne = 3\n"),
        ("gone.production.toml", "[s]\na = 9\nb = 9\n"),
    ]);
    let settings = source(folder.path())
        .environment([("GONE_S__D", "4"), ("GONE_S__E", "4")])
        .defaults("s", DEFAULTS)
        .set("s.e", 5)
        .read()
        .expect("sound");
    let read = ["s.a", "s.b", "s.c", "s.d", "s.e"].map(|key| value::<u8>(&settings, key));
    assert_eq!(read, [1, 2, 3, 4, 5]);
    assert_eq!(get::<u8>(&settings, "s.none").expect("no error"), None);
}

#[test]
fn every_value_knows_its_origin() {
    let folder = folder([
        ("gone.toml", "# first\n\n[s]\nb = 2\n  c.x = 2\n\n[[list]]\nv = 1\n[[list]]\n v = 2\n[only]\n"),
        ("gone.development.toml", "'ü' = { s = 3, t = 4 }\n"),
    ]);
    let settings = source(folder.path())
        .environment([("GONE_S__D", r#"{"in": 4}"#), ("GONE_E__F__G", "6")])
        .defaults("s", DEFAULTS)
        .set("s.e", 5)
        .read()
        .expect("sound");
    let origin = |path: &str| {
        let text = settings.origin(path).map(|origin| origin.to_string());
        let text = text.unwrap_or_else(|| "nowhere".to_owned());
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    for (path, wanted) in [
        ("s.a", "provider defaults of `s`"),
        ("s.b", "gone.toml:4:1"),
        ("s.c.x", "gone.toml:5:5"),
        ("s.c", "gone.toml:5:3"),
        ("s", "set by the program"),
        ("only", "gone.toml:11:2"),
        ("list.1.v", "gone.toml:10:2"),
        ("list.1", "gone.toml:9:1"),
        ("ü.t", "gone.development.toml:1:16"),
        ("s.d", "environment variable GONE_S__D"),
        ("s.d.in", "environment variable GONE_S__D"),
        ("s.e", "set by the program"),
        ("e.f.g", "environment variable GONE_E__F__G"),
        ("e", "environment variable GONE_E__F__G"),
        ("s.f", "nowhere"),
        ("t", "nowhere"),
    ] {
        assert_eq!(origin(path), wanted, "{path}");
    }
    assert_eq!(settings.origin("s.e"), Some(Origin::Program));
}

#[test]
fn the_profile_is_development_unless_a_variable_or_the_program_names_another() {
    let folder = folder([("gone.development.toml", "name = 'dev'"), ("gone.production.toml", "name = 'prod'")]);
    let read = |source: gone_config::ConfigSource| {
        let settings = source.read().expect("sound");
        (settings.profile().to_owned(), get::<String>(&settings, "name").expect("no error"))
    };
    let with = |profile: &str, name: Option<&str>| (profile.to_owned(), name.map(str::to_owned));
    let plain = || source(folder.path());
    let variable = || plain().environment([("GONE_PROFILE", "production")]);
    assert_eq!(read(plain()), with("development", Some("dev")));
    assert_eq!(read(variable()), with("production", Some("prod")));
    assert_eq!(read(plain().profile("production")), with("production", Some("prod")));
    assert_eq!(read(variable().profile("staging")), with("staging", None));
}

#[test]
fn a_profile_that_would_lead_to_another_folder_is_refused() {
    let folder = folder([]);
    for profile in ["", "../etc", "a b", "Production"] {
        let errors = source(folder.path()).profile(profile).read().expect_err(profile);
        assert!(matches!(first(&errors), ErrorKind::BadProfile { .. }), "{errors}");
    }
}

#[test]
fn defaults_may_depend_on_the_profile() {
    let folder = folder([]);
    let read = |profile: &str| {
        source(folder.path())
            .profile(profile)
            .defaults_by_profile("log", |profile| BTreeMap::from([("at", profile.to_owned())]))
            .read()
            .expect("sound")
    };
    assert_eq!(value::<String>(&read("development"), "log.at"), "development");
    assert_eq!(value::<String>(&read("production"), "log.at"), "production");
}

#[test]
fn gone_config_names_a_folder_or_a_base_file() {
    let folder = folder([
        ("gone.toml", "name = 'here'"),
        ("conf/gone.toml", "name = 'folder'"),
        ("conf/app.toml", "name = 'file'"),
        ("conf/app.production.toml", "extra = 1"),
    ]);
    let read = |config: &str| {
        source(folder.path())
            .environment([("GONE_CONFIG", config), ("GONE_PROFILE", "production")])
            .read()
            .expect(config)
    };
    assert_eq!(value::<String>(&read("conf"), "name"), "folder");
    assert_eq!(get::<u8>(&read("conf"), "extra").expect("no error"), None);
    assert_eq!(value::<String>(&read("conf/app.toml"), "name"), "file");
    assert_eq!(value::<u8>(&read("conf/app.toml"), "extra"), 1);
    let absolute = folder.path().join("conf");
    assert_eq!(value::<String>(&read(absolute.to_str().expect("text")), "name"), "folder");
    // The variable itself is no key.
    assert_eq!(get::<String>(&read("conf"), "config").expect("no error"), None);
}

#[test]
fn a_gone_config_that_names_nothing_is_an_error() {
    let folder = folder([("gone.toml", "name = 'here'")]);
    let read = |config: &str| source(folder.path()).environment([("GONE_CONFIG", config)]).read();
    let errors = read("nowhere").expect_err("no such file");
    assert!(matches!(first(&errors), ErrorKind::NotFound { path } if path.ends_with("nowhere")));
    let errors = read("").expect_err("empty");
    assert!(matches!(first(&errors), ErrorKind::BadVariable { .. }));
}

#[test]
fn no_file_is_needed() {
    let folder = folder([]);
    let settings = source(folder.path()).read().expect("no file is fine");
    assert_eq!(settings.profile(), "development");
}

#[test]
fn all_that_is_wrong_comes_out_in_one_read() {
    let folder = folder([("gone.toml", "a = 1\nb = = hunter2\n"), ("gone.development.toml", "c = 1\nc = 2\n")]);
    let errors = source(folder.path())
        .environment([
            ("GONE_GONE-VERSION", "1"),
            ("GONE_DB", "{}"),
            ("GONE_DB__URL", "x"),
            ("GONE_UP", "1"),
            ("GONE_up", "2"),
        ])
        .set("Bad", 1)
        .set("none", BTreeMap::from([((1, 2), 3)]))
        .read()
        .expect_err("much is wrong");
    let text = errors.to_string().replace(&format!("{}/", folder.path().display()), "");
    let wanted = [
        "config file is not valid TOML: duplicate key `c` in document root, from \
         gone.development.toml:2:1",
        "config file is not valid TOML: ",
        "environment variable GONE_GONE-VERSION cannot be used: it stands for the key \
         `gone-version`; '-' is not allowed",
        "config key `Bad`: is not a key: 'B' is not allowed",
        "config key `db`: environment variables GONE_DB and GONE_DB__URL both set it",
        "config key `none`: cannot be expressed as a config value, set by the program",
        "config key `up`: environment variables GONE_UP and GONE_up both set it",
    ];
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), wanted.len(), "{text}");
    for (line, wanted) in lines.iter().zip(wanted) {
        assert!(line.starts_with(wanted), "{wanted}\n{text}");
    }
    assert!(text.contains("gone.toml:2:5"), "{text}");
    assert!(!format!("{text}{errors:?}").contains("hunter2"), "{text}");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_that_keeps_its_source() {
    let folder = folder([("gone.toml/inner", "")]);
    let errors = source(folder.path()).read().expect_err("a folder is no file");
    let error = errors.iter().next().expect("one");
    assert!(matches!(error.kind(), ErrorKind::File { .. }), "{error}");
    let source = std::error::Error::source(error).expect("kept");
    assert!(source.downcast_ref::<std::io::Error>().is_some());
}

#[test]
fn a_file_over_the_limit_or_not_unicode_is_an_error() {
    let folder = folder([("gone.toml", &format!("a = '{}'", "x".repeat(1 << 20)))]);
    let errors = source(folder.path()).read().expect_err("too large");
    assert!(matches!(first(&errors), ErrorKind::TooLarge { limit: 1_048_576, .. }), "{errors}");
    std::fs::write(folder.path().join("gone.toml"), b"a = '\xff'").expect("written");
    let errors = source(folder.path()).read().expect_err("not Unicode");
    assert!(matches!(first(&errors), ErrorKind::File { .. }), "{errors}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_an_error_only_when_it_is_ours() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let folder = folder([]);
    let bad = || OsString::from_vec(b"\xff".to_vec());
    let read = |name: &str| source(folder.path()).environment([(OsString::from(name), bad())]).read();
    assert!(read("OTHER").is_ok());
    for name in ["GONE_NAME", "GONE_PROFILE"] {
        let errors = read(name).expect_err("ours");
        let kind = first(&errors);
        assert!(matches!(kind, ErrorKind::BadVariable { variable, .. } if variable == name), "{errors}");
    }
}

#[test]
fn the_program_may_set_tables_and_later_values_win() {
    let folder = folder([("gone.toml", "[s]\na = 9\nf = 6\n")]);
    let settings = source(folder.path())
        .set("s", DEFAULTS)
        .set("s.b", 2)
        .set("s.b", "3")
        .set("s.f", None::<u8>)
        .read()
        .expect("sound");
    let read = ["s.a", "s.b", "s.f"].map(|key| value::<u8>(&settings, key));
    assert_eq!(read, [1, 3, 6]);
}

#[test]
fn a_list_replaces_a_weaker_list_and_text_a_weaker_table() {
    let folder = folder([("gone.toml", "list = [1, 2, 3]\n[s]\na = 1\nb = 1\n")]);
    let settings =
        source(folder.path()).environment([("GONE_LIST", "[4]"), ("GONE_S", r#"{"b": 2}"#)]).read().expect("sound");
    assert_eq!(value::<Vec<u8>>(&settings, "list"), [4]);
    assert_eq!(value::<u8>(&settings, "s.b"), 2);
    assert_eq!(get::<u8>(&settings, "s.a").expect("no error"), None);
}

#[test]
fn settings_and_source_show_no_value_in_debug() {
    let folder = folder([]);
    let source = source(folder.path()).environment([("GONE_NAME", "hunter2")]).set("other", "hunter2");
    let settings = source.read().expect("sound");
    assert!(!format!("{source:?}{settings:?}").contains("hunter2"));
}

#[test]
fn a_snapshot_is_shared_between_threads_and_cheap_to_clone() {
    fn shared<T: Clone + Send + Sync + 'static>(value: &T) -> T {
        value.clone()
    }
    let settings = shared(&crate::toml("a = 1"));
    // The snapshot, and where later ones come from.
    assert_eq!(size_of_val(&settings), 2 * size_of::<usize>());
    let read = std::thread::spawn(move || value::<u8>(&settings, "a")).join();
    assert_eq!(read.expect("no panic"), 1);
}

fn first(errors: &ConfigErrors) -> &ErrorKind {
    errors.iter().next().expect("at least one").kind()
}
