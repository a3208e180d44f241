//! The program as a process, wired by the container, on a database in a folder of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Long enough for any machine; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program, killed when the test ends early.
struct Program {
    child: Child,
    log: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
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
        let log = BufReader::new(child.stdout.take().expect("a pipe"));
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        watch(child.id());
        Program { child, log, errors }
    }

    /// Reads its log up to the address that it listens on.
    fn address(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).expect("a readable log");
            if let Some((_, rest)) = line.split_once("listening on http://") {
                return rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
            }
            if read == 0 {
                let mut errors = String::new();
                self.errors.read_to_string(&mut errors).expect("readable");
                panic!("it ended without an address: {errors}");
            }
        }
    }

    fn ready(&mut self) -> String {
        let address = self.address();
        // It listens a moment before it is ready.
        let since = Instant::now();
        while !get(&address, "/health/ready").starts_with("HTTP/1.1 200") {
            assert!(since.elapsed() < PATIENCE, "it never became ready");
        }
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

/// Ends a program that outlives all patience, so that a test that waits for it fails instead of hanging.
fn watch(id: u32) {
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
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
    let since = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(since.elapsed() < PATIENCE, "it goes on accepting");
    }
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
