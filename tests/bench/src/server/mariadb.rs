//! MariaDB.

use std::io;
use std::process::Command;

use super::probe::ask;
use super::{Place, Server, Software};

/// MariaDB: `root` needs no password.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MariaDb;

started!(MariaDb);

impl Software for MariaDb {
    fn name(&self) -> &'static str {
        "mariadb"
    }

    fn package(&self) -> &'static str {
        "mariadb-server"
    }

    fn user(&self) -> Option<&'static str> {
        Some("mysql")
    }

    fn prepare(&self, place: &Place) -> Vec<Command> {
        let mut command = Command::new("mariadb-install-db");
        command.arg("--no-defaults").arg(format!("--datadir={}", place.path("data").display()));
        command.args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
        vec![command]
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new("/usr/sbin/mariadbd");
        command.args(["--no-defaults", "--bind-address=127.0.0.1", &format!("--port={}", place.port(0))]);
        for (option, name) in [("datadir", "data"), ("socket", "socket"), ("pid-file", "pid")] {
            command.arg(format!("--{option}={}", place.path(name).display()));
        }
        command
    }

    /// It greets with a packet of the protocol's version 10; `0xff` in its place is an error.
    fn answers(&self, place: &Place) -> io::Result<bool> {
        Ok(ask(&place.address(0), b"", 5)?.get(4) == Some(&10))
    }
}

impl Server<MariaDb> {
    /// `mysql://root@127.0.0.1:port/mysql`.
    pub fn url(&self) -> String {
        format!("mysql://root@{}/mysql", self.address())
    }
}
