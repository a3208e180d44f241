use gone::prelude::*;

#[derive(Goner)]
struct Borrows<'a> {
    text: &'a str,
}

fn main() {}
