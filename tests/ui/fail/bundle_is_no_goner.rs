use gone::prelude::*;

#[derive(Inject)]
#[goner(name = "x", share)]
struct Deps {
    #[gone]
    number: u8,
}

fn main() {}
