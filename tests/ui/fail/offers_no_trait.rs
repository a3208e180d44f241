use gone::prelude::*;

#[derive(Goner)]
#[goner(offers(String))]
struct SqlStore;

fn main() {}
