use std::sync::Arc;

use gone::Source;
use gone::prelude::*;

/// The prices, read before the plan.
struct PriceList;

struct Prices {
    cents: u64,
}

impl Source for PriceList {
    type Snapshot = Prices;

    fn read(&self) -> gone::Result<Prices> {
        Ok(Prices { cents: 500 })
    }
}

#[derive(Goner)]
struct Checkout {
    #[gone]
    prices: Arc<Prices>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Checkout::goner())
        .load(source(PriceList))
        .run(async |checkout: Arc<Checkout>| {
            println!("{} cents", checkout.prices.cents);
            Ok(())
        })
        .await
}
