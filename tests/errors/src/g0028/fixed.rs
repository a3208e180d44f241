use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;

/// Brings the tables up to date, which takes its time.
#[derive(Goner)]
struct Migrations;

impl Init for Migrations {
    async fn init(&mut self) -> gone::Result<()> {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Ok(())
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Migrations::goner())
        .options(|options| options.boot = Duration::from_secs(100))
        .run(async |_migrations: Arc<Migrations>| Ok(()))
        .await
}
