//! What is marked `#[goner(auto)]` is discovered, and what reports say of goners that the program has and did not load.
//!
//! All tests share one program, and so one registry: what is marked anywhere in this binary, or in a crate that it names, is
//! discovered by every test that asks for it. The same tests pass with the feature `linkme`.

mod another_file;
mod loading;
mod reports;
mod testing;

use std::fmt;

use gone::prelude::*;

// This names the crate, and so it is linked. `discovered-unnamed` stands in `Cargo.toml` as well, and is not.
use discovered_named as _;

/// Something to take all of.
pub(crate) type Guest = dyn fmt::Display + Send + Sync;

macro_rules! guest {
    ($($goner:ident)*) => {$(
        impl std::fmt::Display for $goner {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($goner))
            }
        }
    )*};
}
pub(crate) use guest;

#[derive(Goner)]
#[goner(auto, name = "ada", offers(dyn fmt::Display + Send + Sync))]
pub(crate) struct Ada {
    pub(crate) visits: u32,
}
pub(crate) const ADA_LINE: u32 = line!() - 3;

/// Needs one that is discovered, too.
#[derive(Goner)]
#[goner(auto)]
pub(crate) struct Host {
    #[gone]
    pub(crate) ada: std::sync::Arc<Ada>,
    #[gone]
    pub(crate) guests: Vec<std::sync::Arc<Guest>>,
}

#[derive(Goner)]
#[goner(auto, offers(dyn fmt::Display + Send + Sync))]
struct Bertha;

guest!(Ada Bertha);

/// The names of what was taken, in its order.
pub(crate) fn names(guests: &[std::sync::Arc<Guest>]) -> Vec<String> {
    guests.iter().map(ToString::to_string).collect()
}
