use gone::prelude::*;

struct Unique;

#[derive(Goner)]
#[goner(share)]
struct Shares;

impl NoneParamProvider for Shares {
    type Output = Unique;
    async fn provide(&self) -> gone::Result<Unique> {
        Ok(Unique)
    }
}

fn main() {}
