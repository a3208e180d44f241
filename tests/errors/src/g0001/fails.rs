use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

impl Database {
    fn count(&self, _table: &str) -> u64 {
        3
    }
}

#[derive(Goner)]
struct Orders {
    #[gone]
    database: Arc<Database>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Orders::goner())
        .run(async |orders: Arc<Orders>| {
            println!("{} orders", orders.database.count("orders"));
            Ok(())
        })
        .await
}
