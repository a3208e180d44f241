use std::sync::Arc;

use gone::prelude::*;

trait Mailer: Send + Sync {}

#[derive(Goner)]
#[goner(offers(dyn Mailer))]
struct Smtp;

impl Mailer for Smtp {}

/// Sends nothing: for a machine without a mail server.
#[derive(Goner)]
#[goner(offers(dyn Mailer))]
struct Silent;

impl Mailer for Silent {}

#[derive(Goner)]
struct Orders {
    #[gone]
    mailer: Arc<dyn Mailer>,
}

fn shop(loader: &mut Loader) {
    loader.load((Orders::goner(), Smtp::goner()));
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(shop).load(Silent::goner().replace()).run(async |_orders: Arc<Orders>| Ok(())).await
}
