//! What the macros emit paths to. Not for use by hand: it changes without notice.

pub use crate::bundle::{Bundle, Inject};
#[cfg(feature = "linkme")]
pub use crate::registry::GONERS;
pub use crate::registry::{Generic, Registered};
#[cfg(feature = "test-util")]
pub use crate::run::paused_runtime;
pub use crate::run::{TestResult, main, runtime, test};
pub use crate::slots::Sites as Slots;
pub use crate::table::*;
pub use crate::target::{Site, SiteType, Target};
pub use crate::{__register as register, Error, Goner};
#[cfg(not(feature = "linkme"))]
pub use inventory;
#[cfg(feature = "linkme")]
pub use linkme;
pub use std;
