use gone::prelude::*;

#[derive(Goner)]
struct Defaults {
    #[gone("config,port", default)]
    one: u16,
    #[gone("config,port", defualt = 80)]
    two: u16,
    #[gone(default = 80)]
    three: u16,
    #[gone("*,port", default = 80)]
    four: u16,
    #[gone("config,port", default = 80, 81)]
    five: u16,
}

fn main() {}
