use std::sync::Arc;

use gone::prelude::*;

trait Discount: Send + Sync {
    fn percent(&self) -> u32;
}

#[derive(Goner)]
#[goner(offers(dyn Discount))]
struct Spring;

impl Discount for Spring {
    fn percent(&self) -> u32 {
        10
    }
}

#[derive(Goner)]
struct Prices {
    #[gone]
    discounts: Vec<Arc<dyn Discount>>,
}

impl Prices {
    fn discount(&self) -> u32 {
        self.discounts.iter().map(|it| it.percent()).sum()
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Prices::goner(), Spring::goner()))
        .run(async |prices: Arc<Prices>| {
            println!("{} % off", prices.discount());
            Ok(())
        })
        .await
}
