//! What a file that declares goners needs: `use gone::prelude::*;`.

#[cfg(feature = "clog")]
pub use gone_clog::Logger;
#[cfg(feature = "config")]
pub use gone_config::{Live, Secret};
pub use gone_core::{
    AfterStart, AfterStop, AppBuilder, BeforeInit, BeforeStart, BeforeStop, Close, CloseReport, Deadline, Given, Goner,
    Handle, Init, Inject, Lazy, Loader, NamedProvider, NoneParamProvider, Provider, Request, Run, Shutdown,
    ShutdownToken, Source, Sources, Start, Stop, Tag, Target, provide, provide_blocking, provide_with, source, value,
};
#[cfg(feature = "macros")]
pub use gone_macros::{Goner, Inject};

pub use crate::Gone;
