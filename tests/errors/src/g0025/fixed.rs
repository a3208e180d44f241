use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Prices {
    text: String,
}

impl Init for Prices {
    async fn init(&mut self) -> gone::Result<()> {
        self.text = match std::fs::read_to_string("no-such-folder/prices.csv") {
            // A new shop has no prices yet.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        Ok(())
    }
}

#[derive(Goner)]
struct Checkout {
    #[gone]
    prices: Arc<Prices>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Checkout::goner(), Prices::goner()))
        .run(async |checkout: Arc<Checkout>| {
            println!("{} prices", checkout.prices.text.lines().count());
            Ok(())
        })
        .await
}
