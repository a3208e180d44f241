//! What a file that declares goners needs: `use gone::prelude::*;`.

#[cfg(feature = "clog")]
pub use gone_clog::Logger;
pub use gone_core::{
    AppBuilder, BeforeInit, Close, CloseReport, Deadline, Given, Goner, Init, Lazy, Loader, NamedProvider,
    NoneParamProvider, Provider, Request, Sources, Start, Stop, Tag, Target, provide, source, value,
};
#[cfg(feature = "macros")]
pub use gone_macros::Goner;

pub use crate::Gone;
