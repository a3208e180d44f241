use gone::prelude::*;

#[derive(Goner)]
struct Holds;

impl Init for Holds {
    async fn init(&mut self) -> gone::Result<()> {
        let local = std::rc::Rc::new(1);
        std::future::ready(()).await;
        drop(local);
        Ok(())
    }
}

fn main() {}
