use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Orders {
    #[gone]
    invoices: Arc<Invoices>,
}

#[derive(Goner)]
struct Invoices {
    #[gone]
    orders: Lazy<Orders>,
}

impl Invoices {
    fn send(&self) -> gone::Result<()> {
        let _orders = self.orders.get()?;
        Ok(())
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), Invoices::goner())).run(async |invoices: Arc<Invoices>| invoices.send()).await
}
