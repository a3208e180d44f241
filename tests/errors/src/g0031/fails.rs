use std::process::Command;
use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

impl Init for Database {
    async fn init(&mut self) -> gone::Result<()> {
        // Somebody who does not want to wait, while the database does not answer.
        Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status()?;
        std::future::pending().await
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Database::goner()).run(async |_database: Arc<Database>| Ok(())).await
}
