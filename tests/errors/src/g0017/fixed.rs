use std::sync::Arc;

use gone::prelude::*;

trait Store: Send + Sync {}

#[derive(Goner)]
#[goner(offers(dyn Store))]
struct SqlStore;

impl Store for SqlStore {}

#[derive(Goner)]
#[goner(offers(dyn Store))]
struct MemoryStore;

impl Store for MemoryStore {}

#[derive(Goner)]
struct Orders {
    #[gone]
    store: Arc<dyn Store>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), MemoryStore::goner()))
        .load(SqlStore::goner().default_for::<Arc<dyn Store>>())
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
