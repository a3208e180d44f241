// container A-117
use gone::prelude::*;

#[derive(Goner)]
enum Either {
    Left,
    Right,
}

fn main() {}
