use gone::prelude::*;

#[derive(Inject)]
#[goner(auto)]
struct Wanted {
    #[gone]
    port: u16,
}

fn main() {}
