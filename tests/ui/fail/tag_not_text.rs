use gone::prelude::*;

#[derive(Goner)]
struct Tags {
    #[gone(config)]
    one: u8,
    #[gone = "config"]
    two: u8,
    #[gone("config", "port")]
    three: u8,
    #[gone("a")]
    #[gone("b")]
    four: u8,
}

fn main() {}
