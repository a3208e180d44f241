use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::plan::Report;
use crate::render::Rendered;
use crate::{Asker, Code, Explanation, Hook, Location, MessageKind};

/// The result of everything that the container or a hook may fail at.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Arc<dyn StdError + Send + Sync + 'static>;

/// The container's error: takes `?` from any [`std::error::Error`] that is `Send + Sync`.
///
/// So that `?` works, it does not implement that trait itself (as with `anyhow`); [`Error::into_std`] gives one that
/// does. An error is shareable: several askers may see the same one, and a clone is a reference count.
///
/// `Display` is what happened in a line or, for a plan with problems, the whole report; `Debug` is all that [`render`](Error::render)
/// writes without colour: the place, the chain of causes and whatever failed while cleaning up, so that a plain
/// `fn main() -> gone::Result<()>` prints it all.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    /// More exactly than the code says.
    kind: Option<MessageKind>,
    message: String,
    scene: Option<Scene>,
    cause: Option<Cause>,
    report: Option<Arc<Report>>,
    attached: Vec<Error>,
    explanation: Option<Box<Explanation>>,
    signal: Option<i32>,
}

/// Where in the lifecycle an error arose.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) goner: String,
    /// Where the goner is declared, if it is.
    pub(crate) at: Option<Location>,
    hook: Hook,
    took: Option<Duration>,
    asker: Option<Asker>,
    needed_by: Option<Asker>,
}

/// A goner by its name and where it is declared.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) at: Option<Location>,
}

impl Error {
    /// An error with a text of its own and no cause.
    pub fn msg(message: impl fmt::Display) -> Self {
        Self::new(Code::Other, message)
    }

    /// An error of a given kind, with a text and no cause.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Error(Arc::new(Inner {
            code,
            kind: None,
            message: message.to_string(),
            scene: None,
            cause: None,
            report: None,
            attached: Vec::new(),
            explanation: None,
            signal: None,
        }))
    }

    /// An error that was boxed as one of the standard trait, with its chain of causes. One that [`into_std`](Error::into_std) made is
    /// itself again.
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync + 'static>) -> Self {
        match error.downcast::<AsStd>() {
            Ok(error) => error.0,
            Err(error) => Error::msg(&error).change(|inner| inner.cause = Some(Arc::from(error))),
        }
    }

    /// The same error as one of another kind. Providers use it to mark what is wrong with configuration.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        self.change(|inner| inner.code = code)
    }

    /// The same error with others beside it, such as what failed while the first one was cleaned up after.
    #[must_use]
    pub fn attach(self, others: impl IntoIterator<Item = Error>) -> Self {
        let mut others = others.into_iter().peekable();
        if others.peek().is_none() {
            return self;
        }
        self.change(|inner| inner.attached.extend(others))
    }

    /// The first of them with the others attached; `Ok` where there is none.
    pub(crate) fn first_of(errors: impl IntoIterator<Item = Error>) -> Result<()> {
        let mut errors = errors.into_iter();
        match errors.next() {
            Some(first) => Err(first.attach(errors)),
            None => Ok(()),
        }
    }

    /// The same error with what is known of it in parts: a problem of a report that it becomes shows those in the place of its text.
    ///
    /// ```
    /// use gone::{Code, Error, Excerpt, Explanation};
    ///
    /// /// For `accepts` of a provider: a value of the config, on line 3 of its file, that is out of bounds.
    /// fn too_large(line: &str) -> Error {
    ///     let excerpt = Excerpt::new("shop.conf", 3, 1).text(line, 0..line.len()).label("it must be 1 to 64");
    ///     Error::new(Code::Config, "config key `workers` is too large").explained(
    ///         Explanation::new().title("`workers` is too large").excerpt(excerpt).help("set it to 64 or less"),
    ///     )
    /// }
    ///
    /// let error = too_large("workers = 65");
    /// assert_eq!((error.code(), error.to_string()), (Code::Config, "config key `workers` is too large".to_owned()));
    /// ```
    #[must_use]
    pub fn explained(self, explanation: Explanation) -> Self {
        self.change(|inner| inner.explanation = Some(Box::new(explanation)))
    }

    /// What is known of it in parts, if somebody has said.
    pub fn explanation(&self) -> Option<&Explanation> {
        self.0.explanation.as_deref()
    }

    /// The same error as one of another kind of message.
    pub(crate) fn of_kind(self, kind: MessageKind) -> Self {
        self.change(|inner| inner.kind = Some(kind))
    }

    pub(crate) fn plan(report: Report) -> Self {
        Self::new(Code::Plan, "").change(|inner| inner.report = Some(Arc::new(report)))
    }

    pub(crate) fn interrupted(signal: i32, name: &str) -> Self {
        Self::new(Code::Interrupted, format_args!("{name} before the application was ready"))
            .change(|inner| inner.signal = Some(signal))
    }

    /// Adds where it happened. An error that already knows keeps what it knows: the innermost place is the right one.
    pub(crate) fn in_hook(self, goner: &Who, hook: Hook, took: Option<Duration>) -> Self {
        self.change(|inner| {
            let stops = matches!(hook, Hook::BeforeStop | Hook::Stop | Hook::AfterStop | Hook::Close);
            if inner.code == Code::Other || (stops && inner.kind == Some(MessageKind::HookPanicked)) {
                inner.code = if stops { Code::Stop } else { Code::Hook };
            }
            if inner.scene.is_none() {
                let Who { name, at } = goner.clone();
                inner.scene = Some(Scene { goner: name, at, hook, took, asker: None, needed_by: None });
            }
        })
    }

    /// Adds for whom a provider was at work.
    pub(crate) fn asked_by(self, asker: Asker) -> Self {
        self.change(|inner| {
            if let Some(scene) = &mut inner.scene
                && scene.hook == Hook::Provide
            {
                scene.asker.get_or_insert(asker);
            }
        })
    }

    /// Adds who needs the goner that failed.
    pub(crate) fn needed(self, by: impl FnOnce() -> Option<Asker>) -> Self {
        self.change(|inner| {
            if let Some(scene) = &mut inner.scene
                && scene.needed_by.is_none()
            {
                scene.needed_by = by();
            }
        })
    }

    fn change(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Error(Arc::new(inner))
    }

    /// What kind of error this is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The kind of message that it is, with its number and page; none for an error of the user's own, and for a plan with problems, of which
    /// each has its own.
    pub fn kind(&self) -> Option<MessageKind> {
        match self.0.code {
            // Whatever a hook of the stop failed with.
            Code::Stop => Some(MessageKind::StopFailed),
            code => self.0.kind.or(Self::kind_of(code)),
        }
    }

    fn kind_of(code: Code) -> Option<MessageKind> {
        match code {
            Code::Missing => Some(MessageKind::MissingType),
            Code::Ambiguous => Some(MessageKind::Ambiguous),
            Code::Mismatch => Some(MessageKind::NameMismatch),
            Code::Config => Some(MessageKind::Config),
            Code::Hook => Some(MessageKind::HookFailed),
            Code::Stop => Some(MessageKind::StopFailed),
            Code::State => Some(MessageKind::State),
            Code::Interrupted => Some(MessageKind::Interrupted),
            Code::Duplicate | Code::Cycle | Code::Load | Code::Unused | Code::Plan | Code::Other => None,
        }
    }

    /// The kind that it was given, also where it is one of the stop.
    pub(crate) fn exact_kind(&self) -> Option<MessageKind> {
        self.0.kind
    }

    pub(crate) fn scene(&self) -> Option<&Scene> {
        self.0.scene.as_ref()
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// All of it as text, plain unless said: the report, or the error with its place, its causes, and what failed beside it.
    pub fn render(&self) -> Rendered<'_> {
        Rendered::error(self)
    }

    /// The goner in whose hook it arose, by the short name of its type; none where no goner was at work.
    pub fn goner(&self) -> Option<&str> {
        self.0.scene.as_ref().map(|scene| scene.goner.as_str())
    }

    /// The hook in which it arose; none where no goner was at work.
    pub fn hook(&self) -> Option<Hook> {
        self.0.scene.as_ref().map(|scene| scene.hook)
    }

    /// The field for which a provider was at work, where it was one that failed.
    pub fn asker(&self) -> Option<&Asker> {
        self.0.scene.as_ref().and_then(|scene| scene.asker.as_ref())
    }

    /// The first field, in load order, that needs the goner that could not be built; none where nobody does.
    pub fn needed_by(&self) -> Option<&Asker> {
        self.0.scene.as_ref().and_then(|scene| scene.needed_by.as_ref())
    }

    /// How long the hook had run when it failed; none where that was not measured.
    pub fn took(&self) -> Option<Duration> {
        self.0.scene.as_ref().and_then(|scene| scene.took)
    }

    /// The user's error that `?` took in; none for one that is a text alone.
    pub fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }

    /// The first error in the chain of sources that is an `E`; none of those [attached](Error::attached).
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let mut next = self.source();
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<E>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The problems of the plan, where the plan is what failed.
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_deref()
    }

    /// The errors beside this one: what failed while stopping and closing after it.
    pub fn attached(&self) -> &[Error] {
        &self.0.attached
    }

    /// The exit code of a process that ends with this error: 2 when only stopping failed, 128 + n for signal n before the
    /// application was ready, else 1.
    pub fn exit_code(&self) -> u8 {
        match (self.0.code, self.0.signal) {
            (Code::Stop, _) => 2,
            (Code::Interrupted, Some(signal)) => u8::try_from(128 + signal).unwrap_or(1),
            _ => 1,
        }
    }

    /// This error as one that implements [`std::error::Error`], for interfaces that want that trait.
    pub fn into_std(self) -> Box<dyn StdError + Send + Sync + 'static> {
        Box::new(AsStd(self))
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        match (&error as &dyn std::any::Any).downcast_ref::<AsStd>() {
            Some(AsStd(inner)) => inner.clone(),
            None => Error::msg(&error).change(|inner| inner.cause = Some(Arc::new(error))),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(report) = &self.0.report {
            return write!(f, "{report}");
        }
        if let Some(Scene { goner, hook, took, asker, .. }) = &self.0.scene {
            write!(f, "`{goner}` failed in {hook}")?;
            if let Some(asker) = asker {
                write!(f, " for `{asker}`")?;
            }
            if let Some(took) = took {
                write!(f, " after {took:.1?}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.render(), f)
    }
}

#[derive(Clone)]
struct AsStd(Error);

impl fmt::Debug for AsStd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for AsStd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for AsStd {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Returns early with an [`Error`](crate::Error) made of a format string.
///
/// ```
/// fn positive(n: i32) -> gone_core::Result<i32> {
///     if n <= 0 {
///         gone_core::bail!("{n} is not positive");
///     }
///     Ok(n)
/// }
/// assert_eq!(positive(-1).unwrap_err().to_string(), "-1 is not positive");
/// ```
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::msg(::core::format_args!($($message)+)))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }
    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    fn who(name: &str) -> Who {
        Who { name: name.to_owned(), at: None }
    }

    fn fails() -> Result<()> {
        Err(Outer(std::io::Error::other("inner")))?
    }

    // container A-129
    #[test]
    fn wrapping_keeps_code_goner_hook_and_the_chain_with_downcast() {
        let error = fails().unwrap_err().with_code(Code::Config);
        let error = error.in_hook(&who("Store"), Hook::Init, None).in_hook(&who("Asker"), Hook::Provide, None);
        assert_eq!(error.code(), Code::Config);
        assert_eq!(error.goner(), Some("Store"));
        assert_eq!(error.hook(), Some(Hook::Init));
        assert!(error.downcast_ref::<Outer>().is_some());
        assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().to_string(), "inner");
        let whole = "\
error[gone::config]: `Store` failed in init: outer
 |
 = caused by: inner
 = see: docs/errors/G0022.md";
        assert_eq!(format!("{error:?}"), whole);
    }

    #[test]
    fn a_std_error_made_of_an_error_becomes_that_error_again() {
        fn back(error: AsStd) -> Result<()> {
            Err(error)?
        }
        let there = *Error::new(Code::Missing, "x").into_std().downcast::<AsStd>().unwrap();
        assert_eq!(back(there).unwrap_err().code(), Code::Missing);
    }

    #[test]
    fn only_a_failed_stop_exits_with_two() {
        assert_eq!(Error::msg("x").exit_code(), 1);
        assert_eq!(Error::msg("x").in_hook(&who("A"), Hook::Stop, None).exit_code(), 2);
        assert_eq!(Error::interrupted(15, "SIGTERM").exit_code(), 143);
    }
}
