use gone::prelude::*;

#[derive(Goner)]
#[goner(hooks(Init, Strat))]
struct Repo<T: Send + Sync + 'static> {
    entity: std::marker::PhantomData<T>,
}

#[derive(Goner)]
#[goner(hooks(BeforeInit))]
struct Other<T: Send + Sync + 'static> {
    entity: std::marker::PhantomData<T>,
}

#[derive(Goner)]
#[goner(hooks(Init))]
struct Plain;

fn main() {}
