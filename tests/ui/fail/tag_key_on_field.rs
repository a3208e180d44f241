use gone::prelude::*;

#[derive(Inject)]
struct Wanted {
    #[gone(name = "config")]
    one: u8,
    #[gone(nmae)]
    two: u8,
}

fn main() {}
