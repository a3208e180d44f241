use gone::prelude::*;

trait Entity: Send + Sync + 'static {}

#[derive(Goner)]
struct Repo<T: Send + Sync + 'static> {
    entity: std::marker::PhantomData<T>,
}

impl<T: Entity> Init for Repo<T> {
    async fn init(&mut self) -> gone::Result<()> {
        Ok(())
    }
}

fn main() {}
