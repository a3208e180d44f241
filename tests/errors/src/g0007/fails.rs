use std::sync::Arc;

use gone::prelude::*;

struct Client;

impl Client {
    fn charge(&self, cents: u64) {
        println!("charged {cents}");
    }
}

async fn connect() -> gone::Result<Arc<Client>> {
    Ok(Arc::new(Client))
}

#[derive(Goner)]
struct Payments {
    #[gone]
    client: Lazy<Client>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Payments::goner(), provide(connect)))
        .run(async |payments: Arc<Payments>| {
            payments.client.get()?.charge(500);
            Ok(())
        })
        .await
}
