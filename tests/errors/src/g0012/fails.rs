use std::sync::Arc;

use gone::prelude::*;

struct Client {
    url: &'static str,
}

async fn payments() -> gone::Result<Client> {
    Ok(Client { url: "https://payments.example" })
}

async fn parcels() -> gone::Result<Client> {
    Ok(Client { url: "https://parcels.example" })
}

#[derive(Goner)]
struct Checkout {
    #[gone("payments")]
    client: Client,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Checkout::goner())
        .load(provide(payments).named("payments"))
        .load(provide(parcels))
        .run(async |checkout: Arc<Checkout>| {
            println!("pays at {}", checkout.client.url);
            Ok(())
        })
        .await
}
