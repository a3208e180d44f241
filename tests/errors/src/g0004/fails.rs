use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

#[derive(Goner)]
struct Cache;

#[derive(Goner)]
struct Orders {
    #[gone("orders")]
    cache: Arc<Cache>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Orders::goner())
        .load(Database::goner().named("orders"))
        .load(Cache::goner().named("order-cache"))
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
