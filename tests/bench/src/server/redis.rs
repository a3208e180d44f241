//! Redis.

use std::io;
use std::process::Command;

use super::probe::ask;
use super::{Place, Server, Software};

/// Redis, one node, nothing written to disk.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Redis;

started!(Redis);

impl Software for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn package(&self) -> &'static str {
        "redis-server"
    }

    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &place.port(0).to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(place.folder());
        command
    }

    fn answers(&self, place: &Place) -> io::Result<bool> {
        Ok(ask(&place.address(0), b"PING\r\n", 7)? == b"+PONG\r\n")
    }
}

impl Server<Redis> {
    /// `redis://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address())
    }
}
