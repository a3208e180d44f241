use std::sync::Arc;

use gone::prelude::*;

#[derive(Goner)]
struct Outbox {
    queue: Vec<String>,
}

impl Init for Outbox {
    async fn init(&mut self) -> gone::Result<()> {
        self.queue.push("your order is on its way".to_owned());
        Ok(())
    }
}

impl Stop for Outbox {
    async fn stop(&self) -> gone::Result<()> {
        for text in &self.queue {
            println!("sent: {text}");
        }
        Ok(())
    }
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(Outbox::goner()).run(async |_outbox: Arc<Outbox>| Ok(())).await
}
