use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;

/// Fetches new orders, again and again.
#[derive(Goner)]
struct Poller;

impl Start for Poller {
    async fn start(&self) -> gone::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Poller::goner().start_budget(Duration::from_millis(10))).run(async |_poller: Arc<Poller>| Ok(())).await
}
