use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

impl Init for Database {
    async fn init(&mut self) -> gone::Result<()> {
        // It answers before anybody stops waiting.
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok(())
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Database::goner()).run(async |_database: Arc<Database>| Ok(())).await
}
