use gone_core::{AppBuilder, Load};

/// Where a program begins: `Gone::load(…).load(…).run(…)`.
///
/// Beside what is loaded, an application has what the default features bring: configuration and logs. They give way to whatever
/// the program itself loads in their place.
#[derive(Debug)]
pub enum Gone {}

impl Gone {
    /// Begins an application and loads the first thing into it: see [`AppBuilder::load`].
    #[track_caller]
    pub fn load(it: impl Load) -> AppBuilder {
        Self::builder().load(it)
    }

    /// Begins an application with every goner of the program loaded that is marked `#[goner(auto)]`: see
    /// [`discovered`](gone_core::discovered). What else is loaded stands before them.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use gone::prelude::*;
    ///
    /// #[derive(Goner)]
    /// #[goner(auto)]
    /// struct Clock;
    ///
    /// #[derive(Goner)]
    /// #[goner(auto)]
    /// struct Greeter {
    ///     #[gone]
    ///     clock: Arc<Clock>,
    /// }
    ///
    /// #[gone::main]
    /// async fn main() -> gone::Result<()> {
    ///     Gone::discover()
    ///         .run(async |greeter: Arc<Greeter>, clock: Arc<Clock>| {
    ///             assert!(Arc::ptr_eq(&greeter.clock, &clock));
    ///             Ok(())
    ///         })
    ///         .await
    /// }
    /// ```
    #[track_caller]
    pub fn discover() -> AppBuilder {
        Self::load(gone_core::discovered)
    }

    /// Begins an application in which nothing is loaded but what the default features bring.
    pub fn builder() -> AppBuilder {
        let builder = AppBuilder::new();
        #[cfg(feature = "config")]
        let builder = builder.fallback(gone_config::module);
        #[cfg(feature = "clog")]
        let builder = builder.fallback(gone_clog::module);
        builder
    }
}
