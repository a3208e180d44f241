use gone_config::{ConfigError, ConfigErrors, ErrorKind, Origin, Settings};
use std::time::Duration;

use crate::{folder, get, source, value};

fn read<const N: usize>(text: &str, variables: [(&str, &str); N]) -> Result<Settings, ConfigErrors> {
    let folder = folder([("gone.toml", text)]);
    source(folder.path()).environment(variables).read()
}

#[test]
fn text_in_a_file_refers_to_variables_and_is_converted_like_theirs() {
    let text = "[server]\nport = '${PORT:8080}'\nwait = '${WAIT:30s}'\nurl = 'a://${HOST}:${PORT:1}/$${x}'\n\
                hosts = ['${HOST}', { name = '${NONE:}' }]\n";
    let settings = read(text, [("HOST", "h"), ("PORT", "9000")]).expect("sound");
    assert_eq!(value::<u16>(&settings, "server.port"), 9000);
    assert_eq!(value::<Duration>(&settings, "server.wait"), Duration::from_secs(30));
    assert_eq!(value::<String>(&settings, "server.url"), "a://h:9000/${x}");
    let hosts: (String, std::collections::BTreeMap<String, String>) = value(&settings, "server.hosts");
    assert_eq!((hosts.0.as_str(), hosts.1["name"].as_str()), ("h", ""));
}

#[test]
fn variables_of_ours_and_values_that_the_program_sets_are_not_looked_through() {
    let folder = folder([]);
    let source = source(folder.path()).environment([("GONE_A", "${HOST}"), ("HOST", "h")]).set("b", "${HOST}");
    let settings = source.read().expect("sound");
    assert_eq!(
        (value::<String>(&settings, "a"), value::<String>(&settings, "b")),
        ("${HOST}".into(), "${HOST}".into())
    );
}

#[test]
fn the_origin_tells_the_line_and_the_variable() {
    let settings = read("a = 1\n[server]\nport = '${PORT}'\nsize = '${SIZE:x}'\n", [("PORT", "http")]).expect("sound");
    let error = get::<u16>(&settings, "server.port").expect_err("no number");
    let Some(Origin::Reference { line, column, variables, .. }) = error.origin() else { panic!("{error:?}") };
    assert_eq!((*line, *column, variables.as_slice()), (3, 1, ["PORT".to_owned()].as_slice()));
    let message = error.to_string();
    assert!(
        message.contains("bad value `http`, from ")
            && message.contains("gone.toml:3:1 with environment variable PORT;")
    );
    assert!(
        matches!(settings.origin("server.size"), Some(Origin::File { line: 4, .. })),
        "the default is the file's own"
    );
}

#[test]
fn variables_that_are_not_set_and_references_that_are_none_come_out_all_at_once() {
    let text = "[db]\nurl = 'a://${DB_HOST}'\nname = '${'\nlist = ['x', '${A-B}']\n";
    let errors = read(text, []).expect_err("three are bad");
    let told: Vec<_> = errors.iter().map(ConfigError::key).collect();
    assert_eq!(told, [Some("db.list.1"), Some("db.name"), Some("db.url")]);
    let unset = errors.iter().nth(2).expect("three");
    assert!(matches!(unset.kind(), ErrorKind::UnsetVariable { variable } if variable == "DB_HOST"));
    let message = unset.to_string();
    assert!(message.starts_with("config key `db.url`: refers to the environment variable DB_HOST, which is not set"));
    assert!(message.contains("write `${DB_HOST:default}`") && message.ends_with("gone.toml:2:1"), "{message}");
    assert!(errors.iter().take(2).all(|error| error.to_string().contains("`$${`")), "{errors}");
}

#[test]
fn what_comes_from_a_variable_stays_hidden_by_the_name_of_the_key_or_of_the_variable() {
    let text = "[db]\npassword = '${PW}'\nlink = 'x ${DB_PASSWORD}'\nfree = '${OPEN}'\n";
    let settings = read(text, [("PW", "hunter2"), ("DB_PASSWORD", "hunter2"), ("OPEN", "open")]).expect("sound");
    for (key, shown) in [("db.password", "***"), ("db.link", "***"), ("db.free", "open")] {
        let error = get::<u16>(&settings, key).expect_err("no number");
        assert_eq!(error.value(), Some(shown), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
