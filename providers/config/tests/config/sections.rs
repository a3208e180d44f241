use gone_config::ErrorKind;
use serde::Deserialize;

use crate::{folder, get, source, toml, variables};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Server {
    host: String,
    port: u16,
}

impl Default for Server {
    fn default() -> Self {
        Self { host: "localhost".to_owned(), port: 80 }
    }
}

#[test]
fn an_absent_section_reads_as_an_empty_table() {
    let server: Server = toml("").section("server").expect("all fields have defaults");
    assert_eq!(server, Server::default());
}

#[test]
fn a_section_is_read_from_all_layers_together() {
    let folder = folder([("gone.toml", "[server]\nhost = 'a'\n")]);
    let settings = source(folder.path()).environment([("GONE_SERVER__PORT", "81")]).read().expect("sound");
    let server: Server = settings.section("server").expect("sound");
    assert_eq!(server, Server { host: "a".to_owned(), port: 81 });
}

#[test]
fn an_unknown_key_is_an_error_with_its_origin_and_the_near_field() {
    let error = toml("[server]\nhost = 'a'\nprot = 81\n").section::<Server>("server").expect_err("unknown");
    assert!(matches!(error.kind(), ErrorKind::UnknownKey));
    assert_eq!(error.key(), Some("server.prot"));
    assert_eq!(error.expected(), Some("one of `host`, `port`"));
    assert_eq!(error.near()[0].key, "server.port");
    let origin = error.origin().expect("known").to_string();
    assert!(origin.ends_with("gone.toml:3:1"), "{origin}");

    let error = variables([("GONE_SERVER__PROT", "81")]).section::<Server>("server").expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "config key `server.prot`: unknown, from environment variable GONE_SERVER__PROT; expected \
         one of `host`, `port`; near it: `server.port`"
    );
}

#[test]
fn a_required_field_that_no_layer_sets_is_a_missing_key() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read into")]
    struct Db {
        url: String,
    }
    let error = toml("").section::<Db>("db").expect_err("missing");
    assert!(matches!(error.kind(), ErrorKind::Missing));
    assert_eq!(error.key(), Some("db.url"));
    assert_eq!(error.to_string(), "config key `db.url`: missing; set it in gone.toml or as GONE_DB__URL");
}

#[test]
fn an_absent_section_that_is_wanted_as_no_table_is_missing() {
    let error = toml("").section::<Vec<u8>>("list").expect_err("missing");
    assert!(matches!(error.kind(), ErrorKind::Missing), "{error}");
    assert_eq!(error.key(), Some("list"));
}

#[test]
fn the_empty_path_is_the_whole_config() {
    #[derive(Deserialize)]
    struct Whole {
        server: Server,
    }
    let whole: Whole = toml("[server]\nport = 81\n").section("").expect("sound");
    assert_eq!(whole.server.port, 81);
}

#[test]
fn the_tables_under_a_path_are_listed_in_order() {
    let folder = folder([("gone.toml", "[cache]\nurl = 'x'\n[cache.users]\n[cache.a]\nb = 1\n")]);
    let settings = source(folder.path())
        .environment([("GONE_CACHE__SESSIONS", "{}"), ("GONE_CACHE__M__URL", "{")])
        .read()
        .expect("sound");
    assert_eq!(settings.subtables("cache").expect("a table"), ["a", "m", "sessions", "users"]);
    assert_eq!(settings.subtables("").expect("a table"), ["cache"]);
    assert!(settings.subtables("nothing").expect("absent").is_empty());
    assert!(settings.subtables("cache.url").expect("text").is_empty());
    assert!(settings.subtables("no-key").is_err());
}

#[test]
fn a_key_below_what_is_no_table_is_an_error_and_not_absent() {
    let error = get::<u16>(&variables([("GONE_SERVER", "x")]), "server.port").expect_err("text");
    assert_eq!(error.key(), Some("server"));
    assert_eq!(
        error.to_string(),
        "config key `server`: bad value `x`, from environment variable GONE_SERVER; expected a \
         table, but `server.port` is asked for, which lies in it"
    );
}

#[test]
fn keys_near_a_path_are_given_with_their_origin() {
    let settings = toml("[server]\nport = 1\npart = 2\n[http]\nport = 3\n");
    let near = settings.keys_near("server.port");
    let near: Vec<(&str, bool)> = near.iter().map(|near| (near.key.as_str(), near.origin.is_some())).collect();
    assert_eq!(near, [("server.part", true), ("http.port", true)]);
}

#[derive(Debug, Default, PartialEq, serde::Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WithTables {
    pool: Pool,
    spare: Option<Pool>,
}

#[derive(Debug, Default, PartialEq, serde::Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pool {
    size: u64,
    wait: u64,
}

#[test]
fn a_table_in_a_components_section_lies_over_that_of_the_defaults_also_where_these_have_none() {
    let settings = toml("[db.pool]\nsize = 7\n[db.spare]\nwait = 9\n[db.sessions.pool]\nsize = 8\n");
    let defaults = WithTables { pool: Pool { size: 1, wait: 2 }, spare: None };
    let read: WithTables = settings.component("db", "", &defaults).unwrap();
    assert_eq!(read, WithTables { pool: Pool { size: 7, wait: 2 }, spare: Some(Pool { size: 0, wait: 9 }) });
    let read: WithTables = settings.component("db", "sessions", &defaults).unwrap();
    assert_eq!(read, WithTables { pool: Pool { size: 8, wait: 2 }, spare: None });
}
