//! The servers themselves: each answers, pauses, dies, comes back at the same port, and ends with its handle.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gone_test_bench::{
    Certificates, Etcd, EtcdCluster, MariaDb, Place, Postgres, Redis, Result, Role, Server, Software,
};

/// Whether it answers just now.
async fn answers<S: Software>(server: &Server<S>) -> bool {
    let server = server.clone();
    tokio::task::spawn_blocking(move || server.software().answers(server.place()).unwrap_or(false)).await.unwrap()
}

/// A busy machine may take longer than one try.
async fn answers_soon<S: Software>(server: &Server<S>) {
    let until = Instant::now() + Duration::from_secs(30);
    while !answers(server).await {
        assert!(Instant::now() < until, "{}", server.log());
    }
}

fn is_there(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

async fn lives_and_dies<S: Software>(server: Server<S>) -> Result<()> {
    let (address, id) = (server.address(), server.id().unwrap());
    answers_soon(&server).await;

    server.pause();
    assert!(!answers(&server).await);
    server.resume();
    answers_soon(&server).await;

    server.kill9();
    assert!(!is_there(id));
    assert!(TcpStream::connect(&address).is_err());
    server.start().await?;
    answers_soon(&server).await;

    server.restart().await?;
    answers_soon(&server).await;
    assert_eq!(server.address(), address);

    server.stop().await?;
    assert_eq!(server.id(), None);
    server.start().await?;

    let (id, folder) = (server.id().unwrap(), server.place().folder().to_owned());
    // Even when it cannot do anything for its end.
    server.pause();
    drop(server);
    assert!(!is_there(id) && !folder.exists());
    Ok(())
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn etcd_lives_and_dies() -> Result<()> {
    let etcd = Etcd::new().start().await?;
    etcd.etcdctl(&["put", "/key", "kept"]).await?;
    etcd.kill9();
    etcd.start().await?;
    assert_eq!(etcd.etcdctl(&["get", "/key", "--print-value-only"]).await?.trim(), "kept");
    lives_and_dies(etcd).await
}

#[tokio::test]
#[ignore = "needs redis: cargo xtask test"]
async fn redis_lives_and_dies() -> Result<()> {
    lives_and_dies(Redis::start().await?).await
}

#[tokio::test]
#[ignore = "needs postgres: cargo xtask test"]
async fn postgres_lives_and_dies() -> Result<()> {
    lives_and_dies(Postgres::start().await?).await
}

#[tokio::test]
#[ignore = "needs mariadb: cargo xtask test"]
async fn mariadb_lives_and_dies() -> Result<()> {
    lives_and_dies(MariaDb::start().await?).await
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn etcd_with_users_refuses_who_names_none() -> Result<()> {
    let etcd = Etcd::new().root_password("open sesame").start().await?;
    assert_eq!(etcd.etcdctl(&["user", "list"]).await?.trim(), "root");
    let nobody = Command::new("etcdctl").args(["--endpoints", &etcd.url(), "get", "x"]).output().unwrap();
    assert!(!nobody.status.success());
    etcd.restart().await
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn etcd_with_certificates_refuses_a_stranger() -> Result<()> {
    let (own, strange) = (Certificates::new()?, Certificates::new()?);
    let etcd = Etcd::new().mutual_tls(&own).start().await?;
    assert!(etcd.url().starts_with("https://"));
    etcd.etcdctl(&["put", "key", "value"]).await?;
    let get = |authority: &Certificates, client: Option<&Certificates>| {
        let mut command = Command::new("etcdctl");
        command.args(["--endpoints", &etcd.url(), "--command-timeout", "2s", "get", "key"]);
        command.arg("--cacert").arg(authority.authority());
        if let Some(client) = client.map(Certificates::client) {
            command.arg("--cert").arg(client.certificate).arg("--key").arg(client.key);
        }
        command.output().unwrap().status.success()
    };
    assert!(get(&own, Some(&own)));
    assert!(!get(&own, Some(&strange)));
    assert!(!get(&own, None));
    assert!(!get(&strange, Some(&own)));
    Ok(())
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn what_the_machines_own_etcd_is_told_is_not_for_ours() -> Result<()> {
    const TEST: &str = "what_the_machines_own_etcd_is_told_is_not_for_ours";
    if Role::is(TEST) {
        let etcd = Etcd::new().start().await?;
        Role::say(&etcd.etcdctl(&["member", "list"]).await?);
        return Ok(());
    }
    let members = |line: &str| line.split(", ").nth(2).map(str::to_owned);
    let mut role = Role::start(TEST, TEST, &[("ETCD_NAME", "theirs"), ("ETCD_QUOTA_BACKEND_BYTES", "no number")])?;
    assert_eq!(members(&role.line(Duration::from_secs(60)).await?).as_deref(), Some("t"));
    Ok(())
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_cluster_elects_another_leader() -> Result<()> {
    let cluster = EtcdCluster::start(3, Etcd::new()).await?;
    let first = cluster.leader().await.expect("a leader");
    cluster.members()[first].kill9();
    let second = loop {
        match cluster.leader().await {
            Some(leader) => break leader,
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_ne!(first, second);
    cluster.members()[second].etcdctl(&["put", "key", "value"]).await?;
    cluster.members()[first].start().await
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn all_tests_of_a_binary_share_one_etcd() {
    assert_eq!(Etcd::shared().await.id(), Etcd::shared().await.id());
    answers_soon(Etcd::shared().await).await;
}

/// A server that is a shell script, and ready when it has made the file `$0`. Without a script it is not installed.
struct Script(&'static str);

impl Software for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn package(&self) -> &'static str {
        "script-server"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(if self.0.is_empty() { "no-such-server" } else { "sh" });
        command.args(["-c", self.0]).arg(place.path("ready"));
        command
    }

    fn answers(&self, place: &Place) -> std::io::Result<bool> {
        place.path("ready").try_exists()
    }

    fn stops_within(&self) -> Duration {
        Duration::from_millis(200)
    }
}

async fn error_of(script: &'static str) -> String {
    match Server::new(Script(script)).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_missing_program_names_the_package() {
    let error = error_of("").await;
    let wanted = "script is not installed, there is no program no-such-server: `apt-get install script-server`, or let \
                  `cargo xtask test` do it";
    assert_eq!(error, wanted);
}

/// A server whose package makes a user, and is not installed.
struct Uninstalled;

impl Software for Uninstalled {
    fn name(&self) -> &'static str {
        "uninstalled"
    }

    fn package(&self) -> &'static str {
        "its-package"
    }

    fn user(&self) -> Option<&'static str> {
        Some("no-such-user")
    }

    fn command(&self, _: &Place) -> Command {
        Command::new("no-such-server")
    }

    fn answers(&self, _: &Place) -> std::io::Result<bool> {
        Ok(true)
    }
}

#[tokio::test]
async fn a_missing_user_names_the_package_too() {
    let Err(error) = Server::new(Uninstalled).await else { panic!("it started") };
    // Who is not root runs it as itself, and misses the program first.
    let lacks = ["there is no user no-such-user", "there is no program no-such-server"];
    let text = error.to_string();
    assert!(lacks.iter().any(|lack| text.contains(lack)) && text.contains("apt-get install its-package"), "{text}");
}

#[tokio::test]
async fn one_that_does_not_start_shows_its_log() {
    let error = error_of("echo the disk is on fire; echo and so is the cat >&2; exit 1").await;
    assert!(error.ends_with("the disk is on fire\nand so is the cat"), "{error}");
}

#[tokio::test]
async fn one_that_does_not_stop_is_killed_and_that_is_said() -> Result<()> {
    let server = Server::new(Script("trap '' TERM; touch \"$0\"; while :; do sleep 1; done")).await?;
    let id = server.id().unwrap();
    let error = server.stop().await.unwrap_err();
    assert!(error.to_string().contains("was killed"), "{error}");
    assert!(!is_there(id));
    Ok(())
}

/// Finds its port taken, the first time.
#[derive(Default)]
struct Late(AtomicBool);

impl Software for Late {
    fn name(&self) -> &'static str {
        "late"
    }

    fn package(&self) -> &'static str {
        "none"
    }

    fn command(&self, _: &Place) -> Command {
        let mut command = Command::new("sh");
        let again = self.0.swap(true, Ordering::Relaxed);
        command.args(["-c", if again { "exec sleep 1000" } else { "echo 'bind: Address already in use'; exit 1" }]);
        command
    }

    fn answers(&self, place: &Place) -> std::io::Result<bool> {
        // The script of the first time has ended by now.
        std::thread::sleep(Duration::from_millis(50));
        Ok(!std::fs::read_to_string(place.path("log"))?.contains("in use"))
    }
}

#[tokio::test]
async fn another_port_is_tried_when_somebody_was_faster() -> Result<()> {
    let server = Server::new(Late::default()).await?;
    assert_eq!(server.log(), "");
    server.stop().await
}
