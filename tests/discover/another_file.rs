//! Comes before `main.rs` by its name, and after it wherever order is left to the linker or to modules.

use std::fmt;

use gone::prelude::*;

use crate::guest;

/// Structs inside functions are discovered as well, also where nobody calls the function.
#[expect(dead_code, reason = "a function that is never called")]
fn never_called() {
    #[derive(Goner)]
    #[goner(auto, offers(dyn fmt::Display + Send + Sync))]
    struct Inside;
    guest!(Inside);
}

#[derive(Goner)]
#[goner(auto, offers(dyn fmt::Display + Send + Sync))]
struct Zoe;
guest!(Zoe);
