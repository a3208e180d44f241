use gone::prelude::*;

#[derive(Goner)]
#[goner(name = 3)]
struct Number;

#[derive(Goner)]
#[goner(offers = "dyn Store")]
struct Text;

#[derive(Goner)]
#[goner("store")]
struct Plain;

#[derive(Goner)]
#[goner]
struct Empty;

#[derive(Goner)]
#[goner = "store"]
struct Assigned;

fn main() {}
