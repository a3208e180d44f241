use gone::prelude::*;

#[derive(Goner)]
#[goner(nam = "store")]
#[goner(hooks(Strat, Stopp), offers(Store))]
struct SqlStore<T: Send + Sync + 'static> {
    #[gone(config)]
    url: String,
    #[gone = "config"]
    size: u32,
    kept: Vec<T>,
}

trait Store: Send + Sync {}

fn main() {}
