use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Cache;

#[derive(Goner)]
struct Orders;

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), Cache::goner()))
        .options(|options| options.deny_warnings = true)
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
