use gone::prelude::*;

fn main() {
    let _ = value(1_u8).when(true);
}
