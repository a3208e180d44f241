use std::fmt;

/// What kind of error this is. Its text, such as `gone::missing`, is stable and stands in every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// Two offers claim one name, or two defaults one type.
    Duplicate,
    /// A site asks for something that nothing offers.
    Missing,
    /// Several offers fit a site that takes one.
    Ambiguous,
    /// A name is there, but what it offers is not of the type that the site has.
    Mismatch,
    /// Goners need each other in a circle.
    Cycle,
    /// A configuration value is absent, bad, or its source can't be read.
    Config,
    /// Something was loaded in a way that makes no sense: options that contradict each other, a module that failed.
    Load,
    /// Something was loaded that nobody needs and that does nothing by itself.
    Unused,
    /// The plan has problems; [`Error::report`](crate::Error::report) has them all.
    Plan,
    /// Construction, a provider, or a hook failed, panicked or ran out of time.
    Hook,
    /// Only stopping failed: a `stop` or `close` hook failed or was abandoned.
    Stop,
    /// The application is not in a state for this: not ready, stopping, or closed.
    State,
    /// A signal ended the application before it was ready.
    Interrupted,
    /// An error of the user's own.
    Other,
}

impl Code {
    /// The stable text of this code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Duplicate => "gone::duplicate",
            Code::Missing => "gone::missing",
            Code::Ambiguous => "gone::ambiguous",
            Code::Mismatch => "gone::mismatch",
            Code::Cycle => "gone::cycle",
            Code::Config => "gone::config",
            Code::Load => "gone::load",
            Code::Unused => "gone::unused",
            Code::Plan => "gone::plan",
            Code::Hook => "gone::hook",
            Code::Stop => "gone::stop",
            Code::State => "gone::state",
            Code::Interrupted => "gone::interrupted",
            Code::Other => "gone::other",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
