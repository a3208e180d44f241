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

/// Sends nothing: for a machine without a mail server.
#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Silent;

impl Notifier for Silent {}

fn notifiers(loader: &mut Loader) {
    loader.load(Mail::goner().named("mail"));
    loader.load(Sms::goner().named("sms"));
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(notifiers).load(Silent::goner().named("mail").replace()).run(async || Ok(())).await
}
