use gone::prelude::*;

#[derive(Goner)]
#[goner(nam = "a")]
struct Near;

#[derive(Goner)]
#[goner(entirely_different)]
struct Far;

fn main() {}
