use std::sync::Arc;

use gone::config::ConfigSource;
use gone::prelude::*;

#[derive(Goner)]
struct Server {
    #[gone("config,server.port=8080")]
    port: u16,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Server::goner())
        .load(source(ConfigSource::new()))
        .load(source(ConfigSource::new().environment([("GONE_SERVER__PORT", "9000")])))
        .run(async |server: Arc<Server>| {
            println!("listens on {}", server.port);
            Ok(())
        })
        .await
}
