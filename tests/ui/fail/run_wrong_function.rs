// container A-85
use gone::prelude::*;

fn main() {
    let _ = Gone::builder().run(|_: u8| 5);
}
