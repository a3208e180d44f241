//! What goes wrong while a value is read into a type, and where.

use std::cell::RefCell;
use std::fmt;

use figment::value::Value;
use gone_kit::SECRET_NAME;
use serde::de::{self, Expected, Unexpected};

use crate::live::{LIVE_NAME, offering};
use crate::place::{Base, Place};
use crate::settings::Settings;

/// Why a value does not become what was wanted. This is the reader's serde error.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The type's own code refused.
    Message(String),
    /// There is no value, and the type needs one.
    Absent,
    /// The value is of another kind, or not in range.
    Unfit { expected: String, reason: Option<String> },
    /// A table lacks a field that is required.
    MissingField(&'static str),
    /// A table has a field that the type does not know.
    UnknownField { field: String, fields: &'static [&'static str] },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => f.write_str(message),
            Self::Absent => f.write_str("there is no value"),
            Self::Unfit { expected, .. } => write!(f, "expected {expected}"),
            Self::MissingField(field) => write!(f, "missing field `{field}`"),
            Self::UnknownField { field, .. } => write!(f, "unknown field `{field}`"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    pub(crate) fn unfit(expected: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unfit { expected: expected.into(), reason: Some(reason.into()) }
    }
}

// What serde found is left out of every message here: it would quote the value, and the value is
// shown once, hidden if need be, by the error that comes of this.
impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Message(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Unfit { expected: expected.to_string(), reason: None }
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Unfit { expected: expected.to_string(), reason: None }
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::unfit(expected.to_string(), format!("its length is {length}"))
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        Self::Unfit { expected: one_of(variants.iter().copied()), reason: None }
    }

    fn unknown_field(field: &str, fields: &'static [&'static str]) -> Self {
        Self::UnknownField { field: field.to_owned(), fields }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Message(format!("`{field}` is set twice, under two names"))
    }
}

/// A choice in words: "one of `a`, `b`".
pub(crate) fn one_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    if names.len() == 0 {
        return "nothing, for no name is allowed here".to_owned();
    }
    let lead = if names.len() == 1 { "" } else { "one of " };
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    format!("{lead}{}", names.join(", "))
}

/// A failure with its place: the innermost value whose reading failed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) path: Vec<String>,
    pub(crate) value: Value,
    pub(crate) failure: Failure,
}

/// What one reading shares among its nested readers: where it is, and what failed first.
///
/// A type behind a trait object, and serde's own adapters, keep no more of an error than its
/// message. So the place is written down here as soon as a reader fails, and taken out at the end.
pub(crate) struct Trace<'a> {
    path: RefCell<Vec<String>>,
    /// How much of the path was asked for; the rest is the way from there.
    root: usize,
    fault: RefCell<Option<Fault>>,
    context: Context<'a>,
}

/// What is read from.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) base: Base<'a>,
}

impl<'a> Trace<'a> {
    /// A reading of what was asked for.
    pub(crate) fn at(path: Vec<String>, context: Context<'a>) -> Self {
        Self { root: path.len(), path: RefCell::new(path), fault: RefCell::new(None), context }
    }

    /// A reading of what was read at a place before.
    pub(crate) fn again(place: &'a Place, settings: &'a Settings) -> Self {
        let context = Context { settings, base: place.base() };
        Self { root: place.root().len(), ..Self::at(place.path(), context) }
    }

    /// Reads what lies in a newtype; some newtypes of ours are known by their names.
    pub(crate) fn newtype<R>(&self, name: &str, read: impl FnOnce() -> R) -> R {
        if name == LIVE_NAME {
            let (root, inner) = (self.root, self.path.borrow().clone());
            let place = Place::new(&inner[..root], self.context.base, &inner[root..]);
            return offering(self.context.settings, place, read);
        }
        if name == SECRET_NAME {
            self.hide();
        }
        read()
    }

    /// What stands here is secret from now on, whatever it is called.
    pub(crate) fn hide(&self) {
        self.context.settings.hub().secrets.add(&self.path.borrow());
    }

    /// Reads what is not there, only to see what the type asks for.
    pub(crate) fn trial(&self, read: impl FnOnce() -> bool) {
        let before = self.fault.borrow().clone();
        read();
        *self.fault.borrow_mut() = before;
    }

    /// Whether an entry of the whole config is being read, whose other sections are not the reader's.
    pub(crate) fn is_root(&self) -> bool {
        self.path.borrow().len() <= 1
    }

    /// The name of what is being read.
    pub(crate) fn last(&self) -> Option<String> {
        self.path.borrow().last().cloned()
    }

    /// Runs `read` one step further in.
    pub(crate) fn within<R>(&self, segment: &str, read: impl FnOnce() -> R) -> R {
        self.path.borrow_mut().push(segment.to_owned());
        let result = read();
        self.path.borrow_mut().pop();
        result
    }

    /// Notes a failure of the value that is being read, unless one further in is noted already.
    pub(crate) fn note(&self, value: &Value, failure: &Failure) {
        let path = self.path.borrow();
        let mut fault = self.fault.borrow_mut();
        // A fault elsewhere was forgiven by the type, else nothing would have been read after it.
        let further_in = fault.as_ref().is_some_and(|fault| fault.path.starts_with(&path));
        if !further_in {
            *fault = Some(Fault { path: path.clone(), value: value.clone(), failure: failure.clone() });
        }
    }

    /// The fault to report, for a reading that ended with `failure`.
    pub(crate) fn into_fault(self, value: &Value, failure: Failure) -> Fault {
        let path = self.path.into_inner();
        self.fault.into_inner().unwrap_or_else(|| Fault { path, value: value.clone(), failure })
    }
}
