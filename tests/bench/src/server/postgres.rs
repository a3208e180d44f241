//! PostgreSQL.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::probe::ask;
use super::{Place, Server, Software};

/// PostgreSQL: one superuser `postgres` that needs no password, nothing forced to disk.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Postgres;

started!(Postgres);

impl Software for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn package(&self) -> &'static str {
        "postgresql"
    }

    fn user(&self) -> Option<&'static str> {
        Some("postgres")
    }

    fn prepare(&self, place: &Place) -> Vec<Command> {
        let mut command = Command::new(program("initdb"));
        command.arg("-D").arg(place.path("data"));
        command.args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"]);
        vec![command]
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(program("postgres"));
        command.arg("-D").arg(place.path("data")).args(["-p", &place.port(0).to_string()]);
        let sockets = format!("unix_socket_directories={}", place.folder().display());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", &sockets] {
            command.args(["-c", setting]);
        }
        command
    }

    /// Begins a session: `R` asks for, or accepts, who we are. `E` is an error, such as that it is still starting up.
    fn answers(&self, place: &Place) -> io::Result<bool> {
        let parameters = b"user\0postgres\0database\0postgres\0\0";
        let length = u32::try_from(8 + parameters.len()).map_err(io::Error::other)?;
        let version_3 = 196_608_u32;
        let request = [&length.to_be_bytes()[..], &version_3.to_be_bytes()[..], parameters].concat();
        Ok(ask(&place.address(0), &request, 1)? == b"R")
    }

    /// "Fast": sessions are ended, not awaited.
    fn stop_signal(&self) -> Signal {
        Signal::INT
    }
}

impl Server<Postgres> {
    /// `postgres://postgres@127.0.0.1:port/postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address())
    }
}

/// Debian keeps the programs of each major version in a folder of its own, and out of the search path: the newest.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok()).max();
    let folder = newest.map(|version| format!("/usr/lib/postgresql/{version}/bin"));
    folder.map_or_else(|| PathBuf::from(name), |folder| PathBuf::from(folder).join(name))
}
