//! What is wrong with a configuration, in a file and in the environment, in one report: `cargo run -q --example bad_config`. It ends with
//! exit code 1, and says the same bytes every time. The file is `examples/bad_config/gone.toml`; the variables are given by the program,
//! so that those of your shell do not matter.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use gone::config::ConfigSource;
use gone::prelude::*;
use serde::Deserialize;

#[derive(Goner)]
struct Server {
    // `http` is no number.
    #[gone("config,server.port=8080")]
    port: u16,
    // The file sets it, and a variable sets it to what is no address.
    #[gone("config,server.host")]
    host: IpAddr,
    // Set as `server.timout`.
    #[gone("config,server.timeout=30s")]
    timeout: Duration,
    #[gone("config,server.limits")]
    limits: Limits,
    // A password that is no number must not be told.
    #[gone("config,server.pin")]
    pin: Secret<u32>,
}

#[derive(Deserialize)]
struct Limits {
    per_minute: u32,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    let config = ConfigSource::new()
        .folder("examples/bad_config")
        .environment([("GONE_SERVER__HOST", "localhost"), ("GONE_SERVER__PIN", "hunter2")]);
    Gone::load((Server::goner(), source(config)))
        .run(async |server: Arc<Server>| {
            let Server { port, host, timeout, limits, pin } = &*server;
            println!("{host}:{port}, {timeout:?}, {} a minute, {pin:?}", limits.per_minute);
            Ok(())
        })
        .await
}
