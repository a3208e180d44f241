use crate::{Result, Sources};

/// Whether something is to be loaded: what [`Spec::when`](crate::Spec::when) takes. A closure `Fn(&Sources) -> Result<bool>` is one.
///
/// It is a pure function of what the sources held before the plan: asked twice, it says the same.
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
