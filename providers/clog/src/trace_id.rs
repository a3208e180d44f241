//! The id that ties the lines of one request together.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: TraceId;
}

/// The longest id, in characters; a longer one is cut.
const LONGEST: usize = 128;

/// The id of a trace: cheap to clone, any text of up to 128 characters.
///
/// [`random`](Self::random) makes one of W3C Trace Context. Ids of others are taken as they come,
/// for they are known to somebody under that text; control characters are escaped where the id is
/// written.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TraceId(Arc<str>);

impl TraceId {
    /// A new id as W3C Trace Context has them: 32 hexadecimal digits, not all zero.
    ///
    /// Ids are unique for all practical purposes, also between processes. They are no secret and
    /// must not serve as one.
    pub fn random() -> Self {
        let (high, low) = random_bits();
        // The lowest bit set: never all zero.
        Self::of_halves(high, low | 1)
    }

    /// The id of W3C Trace Context that these bytes are; none where all are zero.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let bits = u128::from_be_bytes(bytes);
        Self::of_bits((bits >> 64) as u64, bits as u64)
    }

    /// The 16 bytes of an id of W3C Trace Context; none of any other id.
    pub fn to_bytes(&self) -> Option<[u8; 16]> {
        // Exactly the digits, so that the number is the id.
        self.is_w3c().then(|| u128::from_str_radix(&self.0, 16).ok().map(u128::to_be_bytes))?
    }

    pub(crate) fn of_bits(high: u64, low: u64) -> Option<Self> {
        (high | low != 0).then(|| Self::of_halves(high, low))
    }

    fn of_halves(high: u64, low: u64) -> Self {
        Self(format!("{high:016x}{low:016x}").into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id is empty, which is no trace at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is an id of W3C Trace Context: 32 lower-case hexadecimal digits, not all zero.
    pub fn is_w3c(&self) -> bool {
        self.0.len() == 32
            && self.0.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && self.0.bytes().any(|b| b != b'0')
    }
}

/// Bits that no other call has, in this process or another.
pub(crate) fn random_bits() -> (u64, u64) {
    // Keyed by the system's randomness once a process; the counter makes each call another.
    static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let call = (COUNT.fetch_add(1, Ordering::Relaxed), std::process::id());
    (KEYS.0.hash_one(call), KEYS.1.hash_one(call))
}

/// The part of a text that is kept as an id.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

impl From<&str> for TraceId {
    fn from(text: &str) -> Self {
        Self(cut(text).into())
    }
}

impl From<String> for TraceId {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&TraceId> for TraceId {
    fn from(id: &TraceId) -> Self {
        id.clone()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({:?})", &*self.0)
    }
}

/// A new trace id; [`TraceId::random`].
pub fn new_trace_id() -> TraceId {
    TraceId::random()
}

/// Runs a future under a trace id: lines logged inside carry it as `trace_id`.
///
/// It holds for the future itself, across its awaits and on whichever thread it runs. A task that
/// is spawned inside does not inherit it: wrap its future too, with [`trace_id()`](trace_id).
/// An empty id stands for no trace, also inside a traced future. A `trace_id` field of the line or
/// of a span around it goes before.
///
/// Dropping the returned future drops `future`, and leaves nothing behind.
pub fn with_trace_id<F: Future>(id: impl Into<TraceId>, future: F) -> TaskLocalFuture<TraceId, F> {
    CURRENT.scope(id.into(), future)
}

/// The trace id of the future that is running, as set by [`with_trace_id`].
pub fn trace_id() -> Option<TraceId> {
    CURRENT.try_with(TraceId::clone).ok().filter(|id| !id.is_empty())
}

/// Hands out the text of the id of the future that is running, if it has one.
pub(crate) fn with_current(take: impl FnOnce(&str)) {
    let _ = CURRENT.try_with(|id| take(id.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_32_hexadecimal_digits_and_never_the_same() {
        let ids: std::collections::BTreeSet<String> = (0..10_000).map(|_| new_trace_id().to_string()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| TraceId::from(id.as_str()).is_w3c()));
    }

    #[test]
    fn ids_of_another_form_are_taken_as_they_come_up_to_128_characters() {
        let id = TraceId::from("req-7");
        assert_eq!(id.as_str(), "req-7");
        assert!(!id.is_w3c());
        assert!(!TraceId::from("0".repeat(32)).is_w3c());
        assert!(!TraceId::from("A".repeat(32)).is_w3c());
        assert_eq!(TraceId::from("é".repeat(200)).as_str(), "é".repeat(128));
    }

    #[test]
    fn the_bytes_of_an_id_give_it_back() {
        let id = TraceId::from("4bf92f3577b34da6a3ce929d0e0e4736");
        let bytes = id.to_bytes().unwrap();
        assert_eq!((bytes[0], bytes[15]), (0x4b, 0x36));
        assert_eq!(TraceId::from_bytes(bytes), Some(id));
        assert_eq!(TraceId::from_bytes([0; 16]), None);
        assert_eq!(TraceId::from("req-7").to_bytes(), None);
        assert_eq!(TraceId::from("0".repeat(32)).to_bytes(), None);
    }

    #[tokio::test]
    async fn an_id_holds_inside_its_future_only() {
        assert_eq!(trace_id(), None);
        let inside = with_trace_id("outer", async {
            let inner = with_trace_id("inner", async {
                tokio::task::yield_now().await;
                trace_id()
            });
            let none = with_trace_id("", async { trace_id() });
            (inner.await, none.await, trace_id())
        });
        let expected = (Some("inner".into()), None, Some("outer".into()));
        assert_eq!(inside.await, expected);
        assert_eq!(trace_id(), None);
    }

    #[tokio::test]
    async fn a_dropped_future_leaves_no_id_behind() {
        let dropped = with_trace_id("gone", std::future::pending::<()>());
        let cut = tokio::time::timeout(std::time::Duration::ZERO, dropped).await;
        assert!(cut.is_err());
        assert_eq!(trace_id(), None);
    }
}
