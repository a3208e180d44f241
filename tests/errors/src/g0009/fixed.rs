use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Cache;

#[derive(Goner)]
struct Server {
    #[gone]
    cache: Arc<Cache>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Server::goner()).load(Cache::goner()).run(async |_server: Arc<Server>| Ok(())).await
}
