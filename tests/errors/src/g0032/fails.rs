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
    let config = ConfigSource::new().set("server.port", 9000).set("server.workers", 4);
    Gone::load((Server::goner(), source(config)))
        .options(|options| options.deny_warnings = true)
        .run(async |server: Arc<Server>| {
            println!("listens on {}", server.port);
            Ok(())
        })
        .await
}
