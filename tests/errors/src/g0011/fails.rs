use std::sync::Arc;

use gone::prelude::*;

trait Notifier: Send + Sync {}

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Mail;

impl Notifier for Mail {}

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Sms;

impl Notifier for Sms {}

#[derive(Goner)]
struct Orders {
    #[gone]
    notifier: Arc<dyn Notifier>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Orders::goner())
        .load((Mail::goner().default(), Sms::goner().default()))
        .run(async |_orders: Arc<Orders>| Ok(()))
        .await
}
