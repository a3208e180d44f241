use gone::prelude::*;

trait NotShared {}

#[derive(Goner)]
#[goner(offers(dyn NotShared))]
struct Offers;

impl NotShared for Offers {}

fn main() {}
