//! The config of a whole application: what is set and nobody knows, what holds and from where, and what is loaded because of it.

use std::time::Duration;

use gone::config::{ConfigError, ConfigSource, equals, is_set, not, profile};
use gone::db::{self, Db};
use gone::prelude::*;
use gone::{Code, Error, MessageKind};
use serde::Deserialize;
use tempfile::TempDir;

/// A config of one file and nothing else.
fn file(toml: &str) -> (TempDir, ConfigSource) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("gone.toml"), toml).unwrap();
    let source = ConfigSource::new().folder(folder.path()).environment(std::iter::empty::<(&str, &str)>());
    (folder, source)
}

/// The code and the key of each problem.
fn problems(error: &Error) -> Vec<(Code, String)> {
    let key = |it: &gone::Problem| {
        let cause = it.cause.as_ref().and_then(|cause| cause.downcast_ref::<ConfigError>());
        cause.and_then(ConfigError::key).unwrap_or_default().to_owned()
    };
    error.report().unwrap().problems().iter().map(|it| (it.code, key(it))).collect()
}

#[derive(Deserialize)]
struct Limits {
    #[serde(rename = "per_minute")]
    _per_minute: u32,
    #[serde(rename = "burst")]
    _burst: Option<u32>,
}

#[derive(Goner)]
struct Server {
    #[gone("config,server.port=8080")]
    _port: u16,
    #[gone("config,server.host=localhost")]
    _host: String,
    #[gone("config,server.limits")]
    _limits: Option<Limits>,
    #[gone("*,sessions")]
    _sessions: Db,
}

#[test]
fn what_is_set_and_nobody_knows_is_a_problem_where_something_near_was_meant_and_else_a_warning() {
    const SESSIONS: &str = "[db.sessions]\nurl = 'sqlite::memory:'\n";
    // What the file says, which keys are problems, which are warnings.
    let cases: [(&str, &[&str], &[&str]); 13] = [
        ("", &[], &[]),
        ("[server]\nport = 1\nhost = 'h'\n", &[], &[]),
        ("[server]\nprot = 1\n", &["server.prot"], &[]),
        // What is near is set: another program's, or a left-over.
        ("[server]\nport = 1\nports = 2\n", &[], &["server.ports"]),
        ("[server]\nname = 'n'\n", &[], &["server.name"]),
        ("[server.tls]\ncert = 'c'\n", &[], &["server.tls"]),
        // A section that nobody knows may be another program's, unless it is nearly one that is known.
        ("[worker]\nthreads = 1\n", &[], &[]),
        ("[sever]\nport = 1\n", &["sever"], &[]),
        // A struct knows its fields, also if its type says nothing of others.
        ("[server.limits]\nper_minute = 1\nburts = 2\n", &["server.limits.burts"], &[]),
        // A component knows its fields, and the instances that somebody asks for.
        ("[db]\nslow_threshold = '3s'\n", &[], &[]),
        ("[db]\nmax_conections = 3\n", &["db.max_conections"], &[]),
        ("[db.sesions]\nurl = 'sqlite::memory:'\n", &["db.sesions"], &[]),
        ("[clog]\nlevle = 'info'\n", &["clog.levle"], &[]),
    ];
    #[derive(Goner)]
    struct Plain {
        #[gone]
        _log: Logger,
        #[gone]
        _db: Db,
    }
    for (toml, wrong, doubtful) in cases {
        let (_folder, source) = file(&format!("{toml}{SESSIONS}"));
        let planned = Gone::load((Server::goner(), Plain::goner(), db::module)).load(gone::source(source)).plan();
        let (found, warned) = match planned {
            Err(error) => (problems(&error), Vec::new()),
            Ok(plan) => {
                let warnings = plan.warnings().iter().filter(|it| it.kind == MessageKind::UnaskedKey);
                (Vec::new(), warnings.map(|it| it.message.clone()).collect())
            }
        };
        let expected: Vec<_> = wrong.iter().map(|key| (Code::Config, (*key).to_owned())).collect();
        assert_eq!(found, expected, "{toml}");
        let expected: Vec<_> =
            doubtful.iter().map(|key| format!("config key `{key}`: set, and nobody asks for it")).collect();
        assert_eq!(warned, expected, "{toml}");
    }
}

#[test]
fn a_misspelt_key_is_shown_in_its_file_with_what_was_meant() {
    let (folder, source) = file("[server]\nprot = 'hunter2'\n\n[db.sessions]\nurl = 'sqlite::memory:'\n");
    let error = Gone::load((Server::goner(), db::module)).load(gone::source(source)).plan().err().unwrap();
    let path = folder.path().join("gone.toml");
    let expected = format!(
        "error[gone::config]: config key `server.prot`: unknown\n --> {}:2:1\n  |\n2 | prot = …\n  | ^^^^ nobody asks for \
         it\n  |\n  = help: did you mean `server.port`?\n  = see: docs/errors/G0022.md\n\n1 problem; nothing was built",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

/// A type tells of one fault at a time; the report has all of them.
#[test]
fn all_that_is_wrong_with_a_section_stands_in_one_report() {
    #[derive(Goner)]
    struct Careless {
        #[gone("config,limits")]
        _limits: Limits,
        #[gone]
        _db: Db,
    }
    let toml =
        "[limits]\nper_minute = -1\nburst = 'a lot'\nbrust = 3\n[db]\nmax_connections = 'x'\nslow_threshold = 'y'\n";
    let (_folder, source) = file(toml);
    let error = Gone::load((Careless::goner(), db::module)).load(gone::source(source)).plan().err().unwrap();
    let mut keys: Vec<_> = problems(&error).into_iter().map(|(_, key)| key).collect();
    keys.sort();
    assert_eq!(keys, ["db.max_connections", "db.slow_threshold", "limits.brust", "limits.burst", "limits.per_minute"]);
}

#[tokio::test]
async fn the_dump_says_what_holds_and_from_where_and_no_secret() {
    #[derive(Goner)]
    struct Client {
        #[gone("config,client.url=http://localhost")]
        _url: String,
        #[gone("config,client.pin")]
        _pin: Secret<u32>,
        #[gone("config,client.password")]
        _password: String,
        #[gone("config,client.proxy")]
        _proxy: Option<String>,
        #[gone("config,client.hosts")]
        _hosts: Vec<String>,
        #[gone]
        _log: Logger,
    }
    let (folder, source) = file("[client]\npin = 4711\nhosts = ['a', 'b']\nproxy = 'http://u:hunter2@h'\n");
    let source = source.environment([("GONE_CLIENT__PASSWORD", "hunter2")]).set("clog.level", "warn");
    let app = Gone::load(Client::goner()).load(gone::source(source)).boot().await.unwrap();
    let dump = app.config_dump();
    let place = |line: usize| format!("{}:{line}:1", folder.path().join("gone.toml").display());
    for (key, value, origin) in [
        ("client.url", "\"http://localhost\"", "default".to_owned()),
        ("client.pin", "***", place(2)),
        ("client.hosts", "[\"a\", \"b\"]", place(3)),
        ("client.proxy", "\"http://u:***@h\"", place(4)),
        ("client.password", "\"***\"", "GONE_CLIENT__PASSWORD".to_owned()),
        ("clog.level", "\"warn\"", "set by the program".to_owned()),
        ("clog.format", "\"console\"", "default".to_owned()),
    ] {
        let setting = dump.get(key).unwrap_or_else(|| panic!("{key} is not in\n{dump}"));
        assert_eq!((setting.value.as_str(), &setting.origin), (value, &origin), "{key}");
    }
    let text = dump.to_string();
    assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
    assert!(text.contains("client.url = \"http://localhost\"  # default\n"), "{text}");
    assert!(dump.settings().is_sorted());
    app.stop().await.unwrap();
}

#[test]
fn conditions_ask_the_config_and_a_report_says_why_something_is_left_out() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _wanted: Duration,
    }
    let toml = "[cache]\nenabled = true\ntoken = 'hunter2'\n[clog]\nlevel = 'info'\nformat = 'json'\n";
    let plan = |load: fn(&mut Loader)| {
        let (_folder, source) = file(toml);
        Gone::load(Wants::goner()).load(load).load(gone::source(source.profile("staging"))).plan()
    };
    type Loads = fn(&mut Loader);
    let kept: [Loads; 5] = [
        |it| _ = it.load(value(Duration::ZERO).when(profile("staging"))),
        |it| _ = it.load(value(Duration::ZERO).when(equals("cache.enabled", true))),
        |it| _ = it.load(value(Duration::ZERO).when(is_set("cache"))),
        |it| _ = it.load(value(Duration::ZERO).when(not(is_set("cache.url")))),
        |it| _ = it.load(value(Duration::ZERO).when(not(equals("cache.enabled", false))).when(profile("staging"))),
    ];
    for load in kept {
        plan(load).unwrap();
    }
    let left_out: [(Loads, &str); 5] = [
        (
            |it| _ = it.load(value(Duration::ZERO).when(profile("production"))),
            "the profile is `staging`, not `production`",
        ),
        (
            |it| _ = it.load(value(Duration::ZERO).when(equals("cache.enabled", false))),
            "config key `cache.enabled` is not `false`",
        ),
        (
            |it| _ = it.load(value(Duration::ZERO).when(equals("cache.size", 7_u8))),
            "config key `cache.size` is not set",
        ),
        (|it| _ = it.load(value(Duration::ZERO).when(is_set("cache.url"))), "config key `cache.url` is not set"),
        (
            |it| _ = it.load(value(Duration::ZERO).when(equals("cache.token", "guess".to_owned()))),
            "config key `cache.token` is not `***`",
        ),
    ];
    for (load, why) in left_out {
        let text = plan(load).err().unwrap().to_string().replace("\n           ", "");
        assert!(text.contains(why), "{why}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    // What cannot be asked is a problem of the plan.
    for load in [(|it| _ = it.load(value(Duration::ZERO).when(equals("cache.enabled", 7_u8)))) as Loads, |it| {
        _ = it.load(value(Duration::ZERO).when(is_set("Cache-URL")))
    }] {
        let error = plan(load).err().unwrap();
        assert!(error.report().unwrap().problems().iter().any(|it| it.code == Code::Config), "{error}");
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mail {
    /// Where mail goes.
    #[serde(rename = "url")]
    _url: String,
    #[serde(rename = "retries", default)]
    _retries: u8,
}
gone::config::config_section!("mail.outgoing", Mail);

#[test]
fn the_schema_has_the_sections_that_the_crates_of_the_program_announce() {
    let schema = gone::config::schema::schema();
    let section = &schema["properties"]["db"];
    assert_eq!(section["properties"]["max_idle_connections"]["default"], 5);
    assert_eq!(section["properties"]["log_level"]["default"], "info");
    // Tables of any other name are instances, and know the same fields and no others.
    assert_eq!(section["additionalProperties"]["$ref"], "#/$defs/DbConfig");
    let instance = &schema["$defs"]["DbConfig"];
    assert_eq!(instance["additionalProperties"], false);
    assert!(instance["properties"]["acquire_timeout"]["description"].as_str().unwrap().contains("waits"));
    // A number may be the text of a variable.
    let number = &instance["properties"]["max_connections"]["anyOf"];
    assert_eq!((&number[0]["type"], &number[1]["pattern"]), (&"integer".into(), &r"\$\{".into()));
    let level = schema["$defs"]["LogLevel"].to_string();
    assert!(["silent", "error", "warn", "info"].iter().all(|name| level.contains(name)), "{level}");
    // The log's: tables of names, tables in it, and no instances.
    let log = &schema["$defs"]["ClogConfig"];
    assert_eq!(schema["properties"]["clog"]["$ref"], "#/$defs/ClogConfig");
    assert_eq!(
        (&log["additionalProperties"], &log["properties"]["output"]["default"]),
        (&false.into(), &"stdout".into())
    );
    assert_eq!(schema["$defs"]["Format"]["enum"], serde_json::json!(["json", "console"]));
    // A section of the program's own, some tables down.
    let mail = &schema["properties"]["mail"]["properties"]["outgoing"];
    assert_eq!(mail["$ref"], "#/$defs/Mail");
    assert_eq!(schema["$defs"]["Mail"]["required"], serde_json::json!(["url"]));
    // Other keys are whatever a tag asks for.
    assert_eq!(schema.get("additionalProperties"), None);
}

#[test]
fn urls_secrets_and_times_stand_in_the_schema_as_what_is_written() {
    let schema = gone::config::schema::schema();
    let fields = |section: &str| schema["$defs"][section]["properties"].clone();
    assert_eq!(fields("DbConfig")["url"]["type"], "string");
    assert_eq!(fields("CoordConfig")["password"]["type"], serde_json::json!(["string", "null"]));
    let time = &fields("DbConfig")["acquire_timeout"]["anyOf"];
    assert_eq!((&time[0]["type"], &time[1]["anyOf"][0]["type"]), (&"string".into(), &"integer".into()), "{time}");
}

/// A component whose section has no schema.
mod plain {
    use gone::config::{CloseReport, Deadline, Faults, Section, SectionError, Stat};

    #[derive(Clone, Debug)]
    pub(super) struct Plain;

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub(super) struct PlainConfig {}

    impl Section for PlainConfig {
        const NAME: &'static str = "plain";

        fn check(&self, _: &mut Faults) {}
    }

    impl Plain {
        async fn connect(_: &PlainConfig) -> Result<Self, SectionError> {
            Ok(Self)
        }

        async fn ping(&self) -> Result<(), SectionError> {
            Ok(())
        }

        fn figures(_: &[Self]) -> Vec<Stat> {
            Vec::new()
        }

        async fn close(&self, _: Deadline) -> CloseReport {
            CloseReport::clean()
        }
    }

    gone::config::component! {
        /// Opens it.
        pub(super) struct PlainProvider provides Plain, reads PlainConfig;
    }
}

#[tokio::test]
async fn a_component_without_a_schema_works_and_is_left_out_of_it() {
    let plain = async |_: plain::Plain| Ok(());
    Gone::load((source(ConfigSource::hermetic()), plain::module)).run(plain).await.unwrap();
    assert_eq!(gone::config::schema::schema()["properties"].get("plain"), None);
}

#[test]
fn what_is_wrong_with_one_value_is_told_once_however_many_ask_for_it() {
    #[derive(Goner)]
    struct One {
        #[gone]
        _log: Logger,
        #[gone("config,server.port")]
        _port: u16,
    }
    #[derive(Goner)]
    struct Two {
        #[gone]
        _log: Logger,
        #[gone("*,stock")]
        _stock: Logger,
        #[gone("config,server.port")]
        _port: u16,
    }
    let (_folder, source) = file("[clog]\nlevel = 'loud'\n");
    let error = Gone::load((One::goner(), Two::goner())).load(gone::source(source)).plan().err().unwrap();
    assert_eq!(
        problems(&error),
        [(Code::Config, "clog.level".to_owned()), (Code::Config, "server.port".to_owned())],
        "{error}"
    );
    let notes: Vec<_> = error.report().unwrap().problems().iter().flat_map(|it| it.notes.last().cloned()).collect();
    assert_eq!(notes, ["3 fields ask for it", "one more field asks for it"]);
}
