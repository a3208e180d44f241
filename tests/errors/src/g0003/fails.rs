use std::sync::Arc;

use gone::prelude::*;

trait Notifier: Send + Sync {
    fn notify(&self, text: &str);
}

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Mail;

impl Notifier for Mail {
    fn notify(&self, text: &str) {
        println!("by mail: {text}");
    }
}

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Sms;

impl Notifier for Sms {
    fn notify(&self, text: &str) {
        println!("by SMS: {text}");
    }
}

#[derive(Goner)]
struct Orders {
    #[gone]
    notifier: Arc<dyn Notifier>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), Mail::goner(), Sms::goner()))
        .run(async |orders: Arc<Orders>| {
            orders.notifier.notify("your order is on its way");
            Ok(())
        })
        .await
}
