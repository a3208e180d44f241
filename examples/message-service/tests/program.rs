//! The program as a process, wired by the container, on a database in a folder of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Long enough for any machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// No program of a test is needed longer, however often it is waited for.
const LIFE: Duration = Duration::from_secs(60);

/// A running program, killed when the test ends early.
struct Program {
    child: Child,
    log: Log,
    errors: BufReader<ChildStderr>,
}

/// The lines of a program's log, read as they come.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    has_ended: Arc<AtomicBool>,
}

impl Log {
    fn of(output: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let reading = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                reading.lines.lock().expect("nobody panics with it").push(line);
            }
            reading.has_ended.store(true, Ordering::Release);
        });
        log
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics with it").clone()
    }

    /// Waits for a line that has this in it; none when the log ends without.
    fn line_with(&self, text: &str) -> Option<String> {
        eventually(text, || {
            // Asked for first: what came before the end is there then.
            let has_ended = self.has_ended.load(Ordering::Acquire);
            let found = self.lines().into_iter().find(|line| line.contains(text));
            (found.is_some() || has_ended).then_some(found)
        })
    }
}

/// Asks again and again until there is an answer.
fn eventually<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(since.elapsed() < PATIENCE, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it in `folder`, on a free port, with these variables beside.
    fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_message-service"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GONE_")) {
            command.env_remove(name);
        }
        command.env("GONE_SERVER__ADDR", "127.0.0.1:0").envs(variables.iter().copied()).current_dir(folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let log = Log::of(child.stdout.take().expect("a pipe"));
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        watch(child.id());
        Program { child, log, errors }
    }

    /// Reads its log up to the address that it listens on.
    fn address(&mut self) -> String {
        match self.log.line_with("listening on http://") {
            Some(line) => {
                let (_, rest) = line.split_once("listening on http://").expect("it is in the line");
                rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect()
            }
            None => {
                let mut errors = String::new();
                self.errors.read_to_string(&mut errors).expect("readable");
                panic!("it ended without an address: {errors}");
            }
        }
    }

    fn ready(&mut self) -> String {
        let address = self.address();
        // It listens a moment before it is ready.
        eventually("ready", || get(&address, "/health/ready").starts_with("HTTP/1.1 200").then_some(()));
        address
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    fn end(mut self) -> (ExitStatus, String) {
        let mut errors = String::new();
        self.errors.read_to_string(&mut errors).expect("readable");
        (self.child.wait().expect("it ends"), errors)
    }
}

/// Ends a program that outlives its test, so that a test that waits for it fails instead of hanging.
fn watch(id: u32) {
    std::thread::spawn(move || {
        std::thread::sleep(LIFE);
        let _ = Command::new("kill").args(["-KILL".to_owned(), id.to_string()]).stderr(Stdio::null()).status();
    });
}

fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn get(address: &str, path: &str) -> String {
    send(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
}

fn post(address: &str, path: &str, body: &str) -> String {
    let length = body.len();
    let head = "host: x\r\nconnection: close\r\ncontent-type: application/json";
    send(address, &format!("POST {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn it_serves_ends_well_on_either_signal_and_has_its_data_after_a_restart() {
    let folder = folder();
    for (round, signal) in ["TERM", "INT"].into_iter().enumerate() {
        let mut program = Program::start(folder.path(), &[]);
        let address = program.ready();
        let before = get(&address, "/sessions/room/messages");
        assert_eq!(before.matches("\"content\":\"hello").count(), round, "{before}");
        let body = format!(r#"{{"user_id":"u","content":"hello {round}"}}"#);
        let answer = post(&address, "/sessions/room/messages", &body);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        program.signal(signal);
        let (status, errors) = program.end();
        assert_eq!(status.code(), Some(0), "{signal}: {errors}");
    }
    assert!(folder.path().join("data").join("gone.db").is_file(), "the default database lies in the data folder");
}

#[test]
fn a_request_under_way_completes_when_the_stop_begins() {
    let folder = folder();
    let mut program = Program::start(folder.path(), &[("GONE_DB__URL", "sqlite::memory:")]);
    let address = program.ready();
    let body = r#"{"user_id":"u","content":"late"}"#;
    let mut stream = TcpStream::connect(&address).expect("it listens");
    let head = "POST /sessions/a/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{}", body.len(), &body[..5]).expect("it reads");
    std::thread::sleep(Duration::from_millis(100));
    program.signal("TERM");
    // The stop has begun once nobody new is let in.
    eventually("an end of accepting", || TcpStream::connect(&address).is_err().then_some(()));
    stream.write_all(&body.as_bytes()[5..]).expect("it still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(program.end().0.code(), Some(0));
}

#[test]
fn config_comes_from_the_folder_that_gone_config_names_and_the_environment_wins() {
    let (folder, config) =
        (folder(), folder_with("[db]\nurl = \"sqlite:from-file.db\"\n[server]\naddr = \"256.0.0.1:1\"\n"));
    let variables = [("GONE_CONFIG", config.path().to_str().expect("text"))];
    let mut program = Program::start(folder.path(), &variables);
    program.ready();
    program.signal("TERM");
    assert_eq!(program.end().0.code(), Some(0));
    assert!(folder.path().join("from-file.db").is_file());
}

fn folder_with(config: &str) -> TempDir {
    let folder = folder();
    std::fs::write(folder.path().join("gone.toml"), config).expect("written");
    folder
}

/// Puts another config file in the place of the one that is there, at once: half of one is a config, too.
fn rewrite(folder: &TempDir, config: &str) {
    let next = folder.path().join("next.toml");
    std::fs::write(&next, config).expect("written");
    std::fs::rename(next, folder.path().join("gone.toml")).expect("replaced");
}

#[test]
fn bad_config_is_one_report_with_all_that_is_wrong_and_nothing_is_built() {
    let folder = folder();
    let variables = [
        ("GONE_DB__URL", "oracle://scott:tiger@db"),
        ("GONE_SERVER__BODY_TIMEOUT", "soon"),
        ("GONE_SERVER__STOP_TIMEOUT", "-1"),
    ];
    let (status, errors) = Program::start(folder.path(), &variables).end();
    assert_eq!(status.code(), Some(1));
    for part in
        ["oracle", "server.body_timeout", "soon", "server.stop_timeout", "GONE_SERVER__STOP_TIMEOUT", "3 problems"]
    {
        assert!(errors.contains(part), "no {part} in:\n{errors}");
    }
    assert!(!errors.contains("tiger"), "{errors}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn an_address_in_use_ends_it_with_the_address_in_the_error() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let (status, errors) = Program::start(folder.path(), &[("GONE_SERVER__ADDR", &address)]).end();
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("`Http` failed in start"), "{errors}");
    assert!(errors.contains(&format!("cannot listen on `{address}`")), "{errors}");
}

#[test]
fn a_database_that_cannot_be_opened_ends_it_and_names_it() {
    let folder = folder();
    std::fs::write(folder.path().join("data"), "a file where the folder should be").expect("written");
    let (status, errors) = Program::start(folder.path(), &[]).end();
    assert_eq!(status.code(), Some(1));
    assert!(errors.contains("`DbProvider` failed in provide for `SqlStore.db`"), "{errors}");
    assert!(errors.contains("data/gone.db"), "{errors}");
}

#[test]
fn readiness_names_all_that_it_is_built_on() {
    let folder = folder();
    let mut program = Program::start(folder.path(), &[("GONE_DB__URL", "sqlite::memory:")]);
    let address = program.ready();
    let (_, body) = whole(&get(&address, "/health/ready"));
    let checks = ["coord", "db", "uid"].map(|name| serde_json::json!({ "name": name, "up": true }));
    assert_eq!(body, serde_json::json!({ "phase": "ready", "checks": checks }));
}

/// The head of an answer in lower case, and its body.
fn whole(answer: &str) -> (String, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    (head.to_lowercase(), serde_json::from_str(body).expect("a JSON body"))
}

#[test]
fn limits_follow_the_file_and_bad_ones_are_refused() {
    let config = |body_bytes: &str, page: &str| format!("[server]\nbody_bytes = {body_bytes}\npage = {page}\n");
    let folder = folder_with(&config("100", "{ default = 1, max = 2 }"));
    let write = |text: String| rewrite(&folder, &text);
    let mut program = Program::start(folder.path(), &[("GONE_DB__URL", "sqlite::memory:")]);
    let address = program.ready();
    let list = |query: &str| get(&address, &format!("/sessions/room/messages{query}"));
    let listed = |query: &str| whole(&list(query)).1["messages"].as_array().map(Vec::len);
    let long = format!(r#"{{"user_id":"u","content":"{}"}}"#, "x".repeat(100));
    for content in ["1", "2", "3"] {
        let body = format!(r#"{{"user_id":"u","content":"{content}"}}"#);
        assert!(post(&address, "/sessions/room/messages", &body).starts_with("HTTP/1.1 201"));
    }
    assert_eq!((listed(""), listed("?limit=2")), (Some(1), Some(2)));
    assert!(list("?limit=3").contains("limit must be a whole number from 1 to 2"));
    assert!(post(&address, "/sessions/room/messages", &long).contains("body must have at most 100 bytes"));

    write(config("200", "{ default = 2, max = 3 }"));
    eventually("the new limits", || (listed("") == Some(2)).then_some(()));
    assert_eq!(listed("?limit=3"), Some(3));
    assert!(list("?limit=4").contains("limit must be a whole number from 1 to 3"));
    assert!(post(&address, "/sessions/room/messages", &long).starts_with("HTTP/1.1 201"));

    // Each is refused as a whole: also what would be good in it.
    for (bad, key, reason) in [
        (config("0", "{ default = 1, max = 9 }"), "server.body_bytes", "from 1 to 16777216"),
        (config("900", "{ default = 9, max = 8 }"), "server.page", "from 1 to `max`, 8"),
        (config("900", "{ default = 1, least = 8 }"), "server.page.least", "server.page.least"),
        (config("\"many\"", "{ default = 1, max = 9 }"), "server.body_bytes", "many"),
    ] {
        let before = program.log.lines().len();
        write(bad);
        eventually(&format!("{key} is refused: {reason}"), || {
            let lines = program.log.lines();
            lines[before..].iter().any(|line| line.contains(key) && line.contains(reason)).then_some(())
        });
        assert_eq!((listed(""), listed("?limit=3")), (Some(2), Some(3)), "{key}");
        assert!(list("?limit=4").contains("limit must be a whole number from 1 to 3"), "{key}");
        assert!(post(&address, "/sessions/room/messages", &"x".repeat(201)).contains("at most 200 bytes"), "{key}");
    }

    // Left out they are what they are without a file.
    write(String::new());
    eventually("the defaults", || list("?limit=201").contains("from 1 to 200").then_some(()));
    assert_eq!(listed(""), Some(4));
    assert!(post(&address, "/sessions/room/messages", &"x".repeat(65_537)).contains("at most 65536 bytes"));
}

#[test]
fn the_level_of_the_log_follows_the_file() {
    let folder = folder_with("[clog]\nlevel = \"info\"\n");
    let mut program = Program::start(folder.path(), &[("GONE_DB__URL", "sqlite::memory:")]);
    let address = program.ready();
    get(&address, "/sessions/before/messages");
    program.log.line_with("statement").expect("statements are logged");
    rewrite(&folder, "[clog]\nlevel = \"warn\"\n");
    eventually("silence", || {
        let before = program.log.lines().len();
        get(&address, "/sessions/after/messages");
        std::thread::sleep(Duration::from_millis(20));
        (program.log.lines().len() == before).then_some(())
    });
}

#[test]
fn every_line_of_a_request_has_its_trace_id_and_no_line_of_another() {
    let folder = folder();
    let variables = [("GONE_DB__URL", "sqlite:messages.db"), ("GONE_CLOG__FORMAT", "json")];
    let mut program = Program::start(folder.path(), &variables);
    let address = program.ready();
    let clients: Vec<_> = (1..=8)
        .map(|client| {
            let address = address.clone();
            std::thread::spawn(move || {
                for number in 1..=5 {
                    let trace_id = format!("{client:016x}{number:016x}");
                    let body = r#"{"user_id":"u","content":"hi"}"#;
                    let length = body.len();
                    let head = format!(
                        "host: x\r\nconnection: close\r\ntraceparent: 00-{trace_id}-00f067aa0ba902b7-01\r\n\
                         content-type: application/json\r\ncontent-length: {length}"
                    );
                    let answer =
                        send(&address, &format!("POST /sessions/room/messages HTTP/1.1\r\n{head}\r\n\r\n{body}"));
                    let (head, _) = whole(&answer);
                    assert!(head.starts_with("http/1.1 201"), "{head}");
                    assert!(head.contains(&format!("\r\nx-request-id: {trace_id}")), "{head}");
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    program.signal("TERM");
    let log = program.log.clone();
    assert_eq!(program.end().0.code(), Some(0));
    eventually("the end of the log", || log.has_ended.load(Ordering::Acquire).then_some(()));

    let lines: Vec<Value> =
        log.lines().iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let is_insert = |line: &&Value| line["sql"].as_str().is_some_and(|sql| sql.contains("VALUES ($1, $2, $3, $4, $5)"));
    let is_access = |line: &&Value| line["msg"] == "answered" && line["method"] == "POST";
    for client in 1..=8 {
        for number in 1..=5 {
            let trace_id = format!("{client:016x}{number:016x}");
            let own: Vec<_> = lines.iter().filter(|line| line["trace_id"] == trace_id.as_str()).collect();
            assert_eq!(own.iter().copied().filter(is_insert).count(), 1, "{own:?}");
            let [access] = own.iter().copied().filter(is_access).collect::<Vec<_>>()[..] else { panic!("{own:?}") };
            assert_eq!((&access["path"], &access["status"]), (&"/sessions/{session}/messages".into(), &201.into()));
        }
    }
    assert_eq!(
        (lines.iter().filter(is_insert).count(), lines.iter().filter(is_access).count()),
        (40, 40),
        "none besides"
    );
}
