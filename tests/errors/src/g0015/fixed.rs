use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Database;

#[derive(Goner)]
struct Orders {
    #[gone]
    primary: Arc<Database>,
    #[gone("replica")]
    replica: Arc<Database>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Orders::goner())
        .load(Database::goner().named("primary"))
        .load(Database::goner().named("replica").only_for_name())
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
