//! A crate of goners that only stands in `Cargo.toml` of the program: it is not linked, and has no part in anything.

use gone::prelude::*;

/// Would be discovered if the program named its crate.
#[derive(Goner)]
#[goner(auto)]
struct Unnamed;

impl NoneParamProvider for Unnamed {
    type Output = i128;
    async fn provide(&self) -> gone::Result<i128> {
        Ok(1)
    }
}
