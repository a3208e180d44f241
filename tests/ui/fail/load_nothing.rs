// container A-1
use gone::prelude::*;

fn main() {
    let nothing: Option<gone::Spec<u8>> = None;
    let _ = Gone::load(nothing);
}
