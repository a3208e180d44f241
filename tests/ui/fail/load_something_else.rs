// container A-18
use gone::prelude::*;

struct NotAGoner;

fn main() {
    let _ = Gone::load(NotAGoner);
}
