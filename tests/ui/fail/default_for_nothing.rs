// container A-8
use gone::prelude::*;

#[derive(Goner)]
struct It;

fn main() {
    let _ = It::goner().default_for();
}
