use gone::prelude::*;

#[derive(Goner)]
struct Both;

impl Provider for Both {
    type Output = u8;
    async fn provide(&self, _: &Tag) -> gone::Result<u8> {
        Ok(1)
    }
}

impl NoneParamProvider for Both {
    type Output = u16;
    async fn provide(&self) -> gone::Result<u16> {
        Ok(1)
    }
}

fn main() {}
