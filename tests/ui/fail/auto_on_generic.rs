use gone::prelude::*;

#[derive(Goner)]
#[goner(auto, name = "repo")]
struct Repo<T: Default + Send + Sync + 'static> {
    of: T,
}

fn main() {}
