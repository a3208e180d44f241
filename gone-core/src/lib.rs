//! The container of Gone: the graph, the plan, the lifecycle. It knows no backend, no provider, no HTTP. Programs use the
//! facade, the crate `gone`, which adds the derive macros and the providers to what is here.
//!
#![doc = include_str!("../docs/map.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod __private;
mod app;
mod builder;
mod bundle;
mod code;
mod condition;
mod dump;
mod error;
mod event;
mod explanation;
mod function;
mod goner;
mod handle;
mod hooks;
mod lazy;
mod life;
mod lists;
mod loader;
mod lookup;
mod marker;
mod message;
mod near;
mod node;
mod options;
pub mod order;
mod outline;
mod plan;
mod provider;
mod race;
mod registry;
mod render;
mod run;
mod schedule;
mod shutdown;
mod slots;
mod source;
mod source_text;
mod spec;
mod spec_builder;
mod table;
mod tag;
mod target;
mod tasks;
mod type_name;
mod unwind;

pub use app::{App, Running};
pub use builder::AppBuilder;
pub use bundle::Inject;
pub use code::Code;
pub use condition::Condition;
pub use dump::{ConfigDump, Setting};
pub use error::{Error, Result};
pub use event::Event;
pub use explanation::{Excerpt, Explanation};
pub use function::{Injected, ProviderFn};
pub use goner::Goner;
pub use handle::{Handle, StateError};
pub use hooks::{
    AfterStart, AfterStop, BeforeInit, BeforeStart, BeforeStop, Close, CloseReport, Deadline, Hook, Init, Run, Start,
    Stop,
};
pub use lazy::{Lazy, LazyError};
pub use loader::{Load, Loader, ModuleOutcome};
#[doc(hidden)]
pub use marker::*;
pub use message::MessageKind;
#[doc(hidden)]
pub use near::edit_distance;
pub use options::{EarlyEnd, Options};
pub use outline::{Edge, Kind, Outline, Part};
pub use plan::{Place, Plan, Problem, Report, Wanted};
pub use provider::{Given, NamedProvider, NoneParamProvider, Provider, Request};
pub use registry::discovered;
pub use render::Rendered;
pub use run::TestFlag;
pub use shutdown::{Shutdown, ShutdownToken};
pub use slots::Sites;
pub use source::{Review, Source, Sources};
pub use spec::{Spec, provide, provide_blocking, provide_with, source, value};
pub use spec_builder::SpecBuilder;
pub use tag::{Asker, Tag};
pub use target::Target;

/// A place in source text.
pub type Location = &'static std::panic::Location<'static>;

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
