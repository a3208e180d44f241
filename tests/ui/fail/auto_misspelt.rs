use gone::prelude::*;

#[derive(Goner)]
#[goner(atuo)]
struct Store;

fn main() {}
