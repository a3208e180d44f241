use std::sync::Arc;

use gone::prelude::*;

#[derive(Clone)]
struct Region(String);

/// The region that the variable `SHOP_REGION` says.
fn region(loader: &mut Loader) -> gone::Result<()> {
    let region = std::env::var("SHOP_REGION").unwrap_or_else(|_| "north".to_owned());
    loader.load(value(Region(region)));
    Ok(())
}

#[derive(Goner)]
struct Orders {
    #[gone]
    region: Option<Region>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Orders::goner(), region)).run(async |_orders: Arc<Orders>| Ok(())).await
}
