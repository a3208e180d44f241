use gone::prelude::*;

struct NoDefault;

#[derive(Goner)]
struct Holds {
    it: NoDefault,
}

fn main() {}
