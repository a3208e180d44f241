use gone::prelude::*;

#[derive(Goner)]
struct Makes<T: Send + Sync + Default + 'static> {
    of: std::marker::PhantomData<T>,
}

impl NoneParamProvider for Makes<u8> {
    type Output = u8;
    async fn provide(&self) -> gone::Result<u8> {
        Ok(1)
    }
}

fn main() {}
