use std::time::Duration;

/// The budgets of an application, and how much it does at once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// For each hook while building and starting, and for each goner's provider calls. 15 s.
    pub start_hook: Duration,
    /// For each `stop` and each `close`. 10 s.
    pub stop_hook: Duration,
    /// For everything from reading the sources to the last `start`. 60 s.
    pub boot: Duration,
    /// For all `stop` and `close` hooks together, also where a failed boot is rolled back. 25 s.
    pub shutdown: Duration,
    /// How long an application that is to stop goes on while it says that it is not ready, so that others route their requests
    /// elsewhere. 0.
    pub drain_delay: Duration,
    /// How many hooks run at once while building and starting; at least 1. Not bounded unless said. With 1 the order is that of
    /// the needs, then of `order`, then of loading, each time.
    pub max_parallel: usize,
    /// What it means that a background task, a [`Run`](crate::Run), returns `Ok` before it was told to end. [`EarlyEnd::Ignore`].
    pub early_end: EarlyEnd,
    /// Whether what [`Plan::warnings`](crate::Plan::warnings) has is a problem of the plan, and not only said: something that nobody needs
    /// and that does nothing by itself, a name that looks misspelt. Not so unless said. What only the function given to `run` takes is needed where that function is known.
    pub deny_warnings: bool,
}

/// What it means that a background task returns `Ok` before it was told to end. (contract container C-83)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EarlyEnd {
    /// Its work is done, and the application goes on.
    #[default]
    Ignore,
    /// The application has nothing more to do: it stops in order, as if the goner had asked for it.
    Stop,
}

impl Default for Options {
    /// The values that stand at each field.
    fn default() -> Self {
        Options {
            start_hook: Duration::from_secs(15),
            stop_hook: Duration::from_secs(10),
            boot: Duration::from_secs(60),
            shutdown: Duration::from_secs(25),
            drain_delay: Duration::ZERO,
            max_parallel: usize::MAX,
            early_end: EarlyEnd::default(),
            deny_warnings: false,
        }
    }
}
