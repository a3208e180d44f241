//! What a call that failed tells: whether a write was done, whether to ask again, whether the connection is any good.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gone_kit::Outcome;
use tonic::{Code, ConnectError, Status};

use crate::CoordError;

/// A call that ended without the answer that was wanted.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    reason: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server does not let us in, or we do not trust it.
    Refused,
    /// The server knows who we are, and does not let us do that.
    Forbidden,
    /// A connection over TLS was closed before the first answer. That is how a client's certificate is refused, but also how a
    /// server goes down.
    Unwelcome,
    /// The token has expired, or is older than the last change of the users. Nothing was done.
    StaleToken,
    /// The request cannot be meant.
    Invalid(&'static str),
    /// The server does not know the lease.
    NoLease,
    /// The revision that was asked for is compacted.
    Compacted,
    /// The answer is larger than what is read of one.
    TooLarge,
    /// The server will not do it. Nothing was done.
    Denied,
    /// The server cannot do it at this moment. Nothing was done.
    Busy,
    /// The member has lost its cluster. Nothing was done.
    CutOff,
    /// There was no connection, so nothing was sent.
    NotSent,
    /// The connection ended before the answer came.
    Broken,
    /// The server could not tell whether it was done.
    Unsure,
    /// The time for it is over.
    Late { after: Duration, outcome: Outcome },
    /// The backend was closed.
    Closed,
}

impl Failure {
    pub(super) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), source: None }
    }

    /// The heartbeat has found that nobody answers.
    pub(super) fn unanswered() -> Self {
        Self::new(Kind::Broken, "the server does not answer any more")
    }

    /// The backend was closed.
    pub(super) fn closed() -> Self {
        Self::new(Kind::Closed, "closed")
    }

    /// The time is over.
    pub(super) fn late(after: Duration, outcome: Outcome) -> Self {
        Self::new(Kind::Late { after, outcome }, "no answer in time")
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.kind {
            Kind::Late { outcome, .. } => outcome,
            // What is too large to be read was an answer all the same.
            Kind::Broken | Kind::Unsure | Kind::TooLarge => Outcome::Unknown,
            _ => Outcome::NotApplied,
        }
    }

    /// Whether the same may go better in a moment.
    pub(super) fn may_pass(&self) -> bool {
        use Kind::{Broken, Busy, CutOff, NotSent, StaleToken, Unsure, Unwelcome};
        matches!(self.kind, Unwelcome | StaleToken | Busy | CutOff | NotSent | Broken | Unsure)
    }

    /// Whether another connection is needed.
    pub(super) fn breaks_connection(&self) -> bool {
        matches!(self.kind, Kind::CutOff | Kind::NotSent | Kind::Broken)
    }

    /// The same, of a call that may have changed something though it may be repeated.
    pub(super) fn of_a_write(mut self) -> Self {
        if let Kind::Late { outcome, .. } = &mut self.kind {
            *outcome = Outcome::Unknown;
        }
        self
    }

    /// The same, where it ended a connection over TLS on which nothing had been answered yet.
    pub(super) fn unwelcome(mut self) -> Self {
        if matches!(self.kind, Kind::Broken | Kind::NotSent) {
            self.kind = Kind::Unwelcome;
            self.reason += " (closed before the first answer: it may want another certificate of this client)";
        }
        self
    }

    /// The same, of a server.
    pub(super) fn of(mut self, endpoint: &str) -> Self {
        self.reason = format!("{endpoint}: {}", self.reason);
        self
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn into_error(self, operation: &'static str) -> CoordError {
        let outcome = self.outcome();
        let Self { kind, reason, source } = self;
        match kind {
            Kind::Refused | Kind::Forbidden | Kind::Unwelcome | Kind::StaleToken => {
                CoordError::Refused { operation, reason, source }
            }
            Kind::Invalid(argument) => CoordError::Invalid { argument, reason },
            Kind::Late { after, outcome } => CoordError::Timeout { operation, after, outcome },
            Kind::Closed => CoordError::Closed,
            _ => CoordError::Unavailable { operation, reason, outcome, source },
        }
    }
}

impl From<etcd_client::Error> for Failure {
    fn from(error: etcd_client::Error) -> Self {
        match error {
            etcd_client::Error::GRpcStatus(status) => Self::from(status),
            etcd_client::Error::TransportError(error) => {
                let kind = if is_tls(&error) { Kind::Refused } else { Kind::NotSent };
                Self { kind, reason: chain(&error), source: Some(Arc::new(error)) }
            }
            // What its keep-alive says of a lease with no time left.
            etcd_client::Error::LeaseKeepAliveError(reason) if reason.contains("not found") => {
                Self::new(Kind::NoLease, reason)
            }
            other => Self { kind: Kind::Broken, reason: other.to_string(), source: Some(Arc::new(other)) },
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { kind: kind(&status), reason: reason(&status), source: Some(Arc::new(status)) }
    }
}

/// What a status means. One from the server has no source; the client's own has one, or says that it was not ready.
fn kind(status: &Status) -> Kind {
    let message = status.message();
    if let Some(source) = status.source() {
        return match find::<ConnectError>(source) {
            _ if is_tls(source) => Kind::Refused,
            Some(_) => Kind::NotSent,
            None => Kind::Broken,
        };
    }
    if message.starts_with("Service was not ready") {
        return Kind::NotSent;
    }
    match status.code() {
        Code::Unauthenticated => Kind::StaleToken,
        Code::InvalidArgument if message.contains("revision of auth store is old") => Kind::StaleToken,
        Code::PermissionDenied => Kind::Forbidden,
        Code::InvalidArgument
            if message.contains("authentication failed") || message.contains("user name is empty") =>
        {
            Kind::Refused
        }
        Code::FailedPrecondition if message.contains("authentication is not enabled") => Kind::Refused,
        Code::InvalidArgument if message.contains("request is too large") => Kind::Invalid("value"),
        // The same from a layer further out.
        Code::ResourceExhausted if message.contains("message larger than max") => Kind::Invalid("value"),
        Code::InvalidArgument if message.contains("key is not provided") => Kind::Invalid("key"),
        Code::InvalidArgument => Kind::Invalid("transaction"),
        Code::NotFound if message.contains("lease not found") => Kind::NoLease,
        Code::OutOfRange if message.contains("compacted") => Kind::Compacted,
        Code::OutOfRange if message.contains("message length too large") => Kind::TooLarge,
        Code::ResourceExhausted if message.contains("too many requests") => Kind::Busy,
        Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::ResourceExhausted
        | Code::Unimplemented => Kind::Denied,
        Code::Unavailable if message.contains("no leader") => Kind::CutOff,
        _ => Kind::Unsure,
    }
}

fn reason(status: &Status) -> String {
    match status.source() {
        Some(source) => chain(source),
        None => status.message().to_owned(),
    }
}

/// All that an error and its sources say, each thing once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for source in sources(error).skip(1) {
        let said = source.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    text
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    sources(error).find_map(|error| error.downcast_ref())
}

/// Whether the handshake of TLS failed on what one side thinks of the other, rather than on the way.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(|error| {
        // An I/O error is not the source of what it carries.
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        error.is::<rustls::Error>() || carried.is_some_and(|carried| carried.is::<rustls::Error>())
    })
}
