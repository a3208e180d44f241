use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Server {
    #[gone("config,server.listen=localhost")]
    listen: String,
    port: u16,
}

impl Init for Server {
    async fn init(&mut self) -> gone::Result<()> {
        let (_host, port) = self.listen.split_once(':').expect("a host and a port");
        self.port = port.parse()?;
        Ok(())
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Server::goner())
        .run(async |server: Arc<Server>| {
            println!("listens on port {}", server.port);
            Ok(())
        })
        .await
}
