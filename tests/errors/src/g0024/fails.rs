use std::sync::Arc;

use gone::prelude::*;

/// Writes down what happens.
#[derive(Goner)]
struct Audit;

impl Start for Audit {
    async fn start(&self) -> gone::Result<()> {
        Ok(())
    }
}

#[derive(Goner)]
struct Orders {
    #[gone("audit-lgo")]
    audit: Option<Arc<Audit>>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), Audit::goner().named("audit-log")))
        .options(|options| options.deny_warnings = true)
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
