//! What a file that declares goners needs: `use gone::prelude::*;`.

pub use gone_core::{
    AppBuilder, BeforeInit, Close, CloseReport, Deadline, Given, Goner, Init, Loader, NamedProvider, NoneParamProvider,
    Provider, Request, Sources, Start, Stop, Tag, Target, provide, source, value,
};
#[cfg(feature = "clog")]
pub use gone_clog::Logger;
#[cfg(feature = "macros")]
pub use gone_macros::Goner;

pub use crate::Gone;
