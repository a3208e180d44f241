use gone::prelude::*;

fn module(loader: &mut Loader) -> u8 {
    loader.load(value(1_u8));
    7
}

fn main() {
    let _ = Gone::load(module);
}
