//! A server ends with the process of its test, however that ends.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gone_test_bench::{Place, Role, Server, Signal, Software};

struct Sleeper;

impl Software for Sleeper {
    fn name(&self) -> &'static str {
        "sleeper"
    }

    fn package(&self) -> &'static str {
        "coreutils"
    }

    fn command(&self, _: &Place) -> Command {
        let mut command = Command::new("sleep");
        command.arg("1000");
        command
    }

    fn answers(&self, _: &Place) -> std::io::Result<bool> {
        Ok(true)
    }
}

/// Starts a process that starts a server and then ends itself in some way: the server's number, its folder, and the process.
async fn started(test: &str, way: &str) -> (u32, PathBuf, Role) {
    let mut role = Role::start(test, way, &[]).unwrap();
    let line = role.line(Duration::from_secs(20)).await.unwrap();
    let (id, folder) = line.split_once(' ').unwrap();
    (id.parse().unwrap(), folder.into(), role)
}

/// What the second process does: it keeps a server in a static, which nothing drops.
fn keeps_a_server() {
    static KEPT: std::sync::OnceLock<Server<Sleeper>> = std::sync::OnceLock::new();
    let server = KEPT.get_or_init(|| Server::new_blocking(Sleeper).unwrap());
    Role::say(&format!("{} {}", server.id().unwrap(), server.place().folder().display()));
}

fn is_there(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

async fn is_gone_soon(id: u32, folder: &Path) {
    let until = Instant::now() + Duration::from_secs(10);
    while is_there(id) || folder.exists() {
        assert!(Instant::now() < until, "process {id} or {} is still there", folder.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_ends_with_a_test_that_is_killed() {
    const TEST: &str = "a_server_ends_with_a_test_that_is_killed";
    if Role::is(TEST) {
        keeps_a_server();
        std::future::pending::<()>().await;
    }
    let (id, folder, role) = started(TEST, TEST).await;
    assert!(is_there(id) && folder.exists());
    role.kill9();
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_server_ends_with_a_test_that_aborts() {
    const TEST: &str = "a_server_ends_with_a_test_that_aborts";
    if Role::is(TEST) {
        keeps_a_server();
        std::process::abort();
    }
    let (id, folder, _role) = started(TEST, TEST).await;
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_server_ends_with_a_test_that_panics() {
    const TEST: &str = "a_server_ends_with_a_test_that_panics";
    if Role::is(TEST) {
        keeps_a_server();
        // What it says is nothing that a reader of the test's output should wonder about.
        std::panic::set_hook(Box::new(|_| ()));
        panic!();
    }
    let (id, folder, _role) = started(TEST, TEST).await;
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_server_ends_with_a_test_binary_that_just_exits() {
    const TEST: &str = "a_server_ends_with_a_test_binary_that_just_exits";
    if Role::is(TEST) {
        return keeps_a_server();
    }
    let (id, folder, _role) = started(TEST, TEST).await;
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_server_ends_with_a_test_that_is_interrupted() {
    const TEST: &str = "a_server_ends_with_a_test_that_is_interrupted";
    if Role::is(TEST) {
        keeps_a_server();
        std::future::pending::<()>().await;
    }
    let (id, folder, role) = started(TEST, TEST).await;
    role.signal(Signal::TERM);
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_server_ends_with_a_role_that_is_dropped() {
    const TEST: &str = "a_server_ends_with_a_role_that_is_dropped";
    if Role::is(TEST) {
        keeps_a_server();
        std::future::pending::<()>().await;
    }
    let (id, folder, role) = started(TEST, TEST).await;
    drop(role);
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn what_is_left_of_a_killed_server_goes_with_its_test() {
    const TEST: &str = "what_is_left_of_a_killed_server_goes_with_its_test";
    if Role::is(TEST) {
        let server = Server::new_blocking(Sleeper).unwrap();
        server.kill9();
        Role::say(&server.place().folder().display().to_string());
        std::future::pending::<()>().await;
    }
    let mut role = Role::start(TEST, TEST, &[]).unwrap();
    let folder = PathBuf::from(role.line(Duration::from_secs(20)).await.unwrap());
    assert!(folder.exists());
    let id = role.id();
    role.kill9();
    drop(role);
    is_gone_soon(id, &folder).await;
}

#[tokio::test]
async fn a_paused_role_ends_with_its_handle() {
    const TEST: &str = "a_paused_role_ends_with_its_handle";
    if Role::is(TEST) {
        Role::say("here I am");
        std::future::pending::<()>().await;
    }
    let mut role = Role::start(TEST, TEST, &[]).unwrap();
    assert_eq!(role.line(Duration::from_secs(20)).await.unwrap(), "here I am");
    let id = role.id();
    role.pause();
    assert!(!role.has_ended());
    drop(role);
    assert!(!is_there(id));
}

#[tokio::test]
async fn a_role_that_no_test_plays_has_ended() {
    let mut role = Role::start("no_such_test", "nobody", &[]).unwrap();
    let error = role.line(Duration::from_secs(20)).await.unwrap_err();
    assert!(error.to_string().contains("has ended"), "{error}");
}
