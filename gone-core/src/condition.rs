use crate::{Result, Sources};

/// Whether something is to be loaded: what [`Spec::when`](crate::Spec::when) takes. A closure `Fn(&Sources) -> Result<bool>` is one.
///
/// It is a pure function of what the sources held before the plan: asked twice, it says the same.
///
/// ```
/// use gone::prelude::*;
/// use gone::Condition;
///
/// /// Holds where the sources say that this is a test system.
/// struct OnTestSystem;
///
/// # struct System { is_test: bool }
/// impl Condition for OnTestSystem {
///     fn holds(&self, sources: &Sources) -> gone::Result<bool> {
///         Ok(sources.get::<System>().is_some_and(|system| system.is_test))
///     }
///
///     fn why_not(&self, _: &Sources) -> Option<String> {
///         Some("this is no test system".to_owned())
///     }
/// }
///
/// fn module(loader: &mut Loader) {
///     loader.load(value("a fake clock").when(OnTestSystem));
///     loader.load(value(8080_u16).when(|sources: &Sources| Ok(sources.get::<System>().is_none())));
/// }
/// # #[gone::main]
/// # async fn main() -> gone::Result<()> {
/// #     let running = Gone::load(module).boot().await?;
/// #     assert_eq!((running.try_get::<&str>()?, running.get::<u16>()?), (None, 8080));
/// #     running.stop().await
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    note = "write a closure `|sources: &Sources| Ok(…)` that gives a `gone::Result<bool>`"
)]
pub trait Condition: Send + Sync + 'static {
    /// Whether it holds.
    ///
    /// # Errors
    /// What is wrong in the sources becomes a problem of the plan, `gone::config`.
    fn holds(&self, sources: &Sources) -> Result<bool>;

    /// What does not hold, for the reports that miss what was left out: "`cache.enabled` is false". Unless said, these tell where
    /// the condition stands.
    fn why_not(&self, sources: &Sources) -> Option<String> {
        let _ = sources;
        None
    }
}

impl<F> Condition for F
where
    F: Fn(&Sources) -> Result<bool> + Send + Sync + 'static,
{
    fn holds(&self, sources: &Sources) -> Result<bool> {
        self(sources)
    }
}
