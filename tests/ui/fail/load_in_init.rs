// container A-26
use gone::prelude::*;

#[derive(Goner)]
struct Loads {
    #[gone]
    loader: std::sync::Arc<Loader>,
}

impl Init for Loads {
    async fn init(&mut self) -> gone::Result<()> {
        self.loader.load(Loads::goner());
        Ok(())
    }
}

fn main() {}
