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
        self.port = match self.listen.split_once(':') {
            Some((_host, port)) => port.parse()?,
            None => 8080,
        };
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
