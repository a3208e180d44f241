// container A-63
use gone::prelude::*;

fn main() {
    let _ = provide(|_: u8| 5);
}
