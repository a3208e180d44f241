//! A crate of goners that a program names with `use discovered_named as _;`, and with nothing else.

use std::fmt;

use gone::prelude::*;

/// One of the guests.
#[derive(Goner)]
#[goner(auto, offers(dyn fmt::Display + Send + Sync))]
struct Stranger;

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stranger")
    }
}

/// In the registry, and not marked.
#[derive(Goner)]
#[goner(name = "spare")]
struct Spare;

impl NoneParamProvider for Spare {
    type Output = char;
    async fn provide(&self) -> gone::Result<char> {
        Ok('s')
    }
}
