use std::cell::RefCell;

use gone::prelude::*;

#[derive(Goner)]
struct Counter {
    count: RefCell<u32>,
}

fn main() {}
