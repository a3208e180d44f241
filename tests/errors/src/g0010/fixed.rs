use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

#[derive(Goner)]
struct Reports {
    #[gone("replica")]
    replica: Arc<Database>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Reports::goner())
        .load(Database::goner().named("primary"))
        .load(Database::goner().named("replica"))
        .run(async |_reports: Arc<Reports>| Ok(()))
        .await
}
