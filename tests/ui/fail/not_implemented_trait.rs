// container A-41
use gone::prelude::*;

trait Store: Send + Sync {}

#[derive(Goner)]
#[goner(offers(dyn Store))]
struct SqlStore;

fn main() {}
