//! What stands in signatures, and nobody needs to name.

pub use crate::bundle::{Bundled, With};
pub use crate::function::{Blocking, InTurn, OnThread};
pub use crate::spec::{Provide, Read, Value};
