use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

#[derive(Goner)]
struct Orders {
    #[gone("order-database")]
    database: Arc<Database>,
}

#[derive(Goner)]
struct Server {
    #[gone]
    orders: Arc<Orders>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Server::goner(), Orders::goner()))
        .load(Database::goner().named("order-database"))
        .run(async |_server: Arc<Server>| Ok(()))
        .await
}
