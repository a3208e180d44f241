use gone::prelude::*;

#[derive(Goner)]
enum Either {
    Left,
    Right,
}

fn main() {}
