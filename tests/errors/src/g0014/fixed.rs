use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Replica;

#[derive(Goner)]
struct Reports {
    #[gone("replica")]
    replica: Option<Arc<Replica>>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Reports::goner())
        .load(Replica::goner().named("replica").only_for_name())
        .run(async |_reports: Arc<Reports>| Ok(()))
        .await
}
