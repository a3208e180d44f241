use std::sync::Arc;

use gone::prelude::*;

/// Answers sites that ask for a feature by its name.
#[derive(Goner)]
struct Features;

impl NamedProvider for Features {
    async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
        request.give(tag.extend() == "gift-wrap")
    }
}

#[derive(Goner)]
struct Checkout {
    #[gone("features,gift-wrap")]
    gift_wrap: Option<bool>,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Checkout::goner(), Features::goner()))
        .run(async |checkout: Arc<Checkout>| {
            println!("gift wrap: {:?}", checkout.gift_wrap);
            Ok(())
        })
        .await
}
