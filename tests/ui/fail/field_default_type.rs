use gone::prelude::*;

#[derive(Goner)]
struct Defaults {
    #[gone("config,port", default = "80")]
    port: u16,
}

fn main() {}
