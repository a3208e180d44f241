use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Server {
    #[gone("config,server.port=8080")]
    port: u16,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Server::goner())
        .run(async |server: Arc<Server>| {
            println!("listens on {}", server.port);
            Ok(())
        })
        .await
}
