use std::rc::Rc;

use gone::prelude::*;

#[derive(Goner)]
struct Wants {
    #[gone]
    counted: Rc<u8>,
}

fn main() {}
