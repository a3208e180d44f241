// container A-117
use gone::prelude::*;

#[derive(Goner)]
struct Pair(u8, u8);

fn main() {}
