//! Goners of several types with one trait, and one without.

use gone::prelude::*;

pub(crate) trait Shape: Send + Sync {
    fn name(&self) -> &'static str;
}

macro_rules! shapes {
    ($($name:ident),*) => {$(
        #[derive(Goner)]
        #[goner(offers(dyn Shape))]
        pub(crate) struct $name;
        impl Shape for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
        }
    )*};
}
shapes!(Circle, Square, Triangle, Hexagon);

#[derive(Goner)]
pub(crate) struct Dep {
    pub(crate) number: u32,
}
