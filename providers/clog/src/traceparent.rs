//! The header `traceparent` of W3C Trace Context.

use std::fmt;
use std::str::FromStr;

use crate::trace_id::{TraceId, random_bits};

/// Where a request comes from: its trace, the span that it comes from, and whether it is recorded.
///
/// ```
/// use gone_clog::{TraceParent, with_trace_id};
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent: TraceParent = header.parse()?;
/// assert!(parent.is_sampled());
/// let handled = with_trace_id(parent.trace_id(), async {
///     // For the request that this one makes.
///     parent.child().to_string()
/// });
/// # drop(handled);
/// # Ok::<(), gone_clog::TraceParentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: u8,
}

/// The request is recorded by whoever sent it.
const SAMPLED: u8 = 0b01;
/// At least the right half of the trace id is random, as of level 2 of the recommendation.
const RANDOM: u8 = 0b10;

/// The length of the header in version 00, and of what every later version begins with.
const LENGTH: usize = 55;

impl TraceParent {
    /// A new trace that begins here.
    pub fn new(is_sampled: bool) -> Self {
        let flags = RANDOM | if is_sampled { SAMPLED } else { 0 };
        Self { trace_id: TraceId::random(), span_id: SpanId::random(), flags }
    }

    /// A new span of a trace that goes on.
    ///
    /// # Errors
    ///
    /// [`TraceParentError::TraceId`] for an id that is [no W3C one](TraceId::is_w3c): it cannot be sent.
    pub fn of(trace_id: TraceId, is_sampled: bool) -> Result<Self, TraceParentError> {
        if !trace_id.is_w3c() {
            return Err(TraceParentError::TraceId);
        }
        Ok(Self { trace_id, span_id: SpanId::random(), flags: if is_sampled { SAMPLED } else { 0 } })
    }

    /// The same trace under a new span: what is sent with a request that this one makes.
    pub fn child(&self) -> Self {
        Self { span_id: SpanId::random(), ..self.clone() }
    }

    /// The id of the trace.
    pub fn trace_id(&self) -> &TraceId {
        &self.trace_id
    }

    /// The id of the span, called `parent-id` in the recommendation.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the sender may have recorded the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl FromStr for TraceParent {
    type Err = TraceParentError;

    /// Reads the header's value. Of a version later than 00 the part is read that version 00 has;
    /// flags that are not known are dropped.
    ///
    /// # Errors
    ///
    /// [`TraceParentError`] for what the recommendation calls invalid; the header then counts as
    /// not sent.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        if bytes.len() < LENGTH {
            return Err(TraceParentError::Length { found: bytes.len() });
        }
        let version = hex(bytes, 0..2)?;
        if version == 0xff {
            return Err(TraceParentError::Version);
        }
        if version == 0 && bytes.len() > LENGTH {
            return Err(TraceParentError::Length { found: bytes.len() });
        }
        for at in [2, 35, 52, LENGTH] {
            if bytes.get(at).is_some_and(|byte| *byte != b'-') {
                return Err(TraceParentError::Separator { at });
            }
        }
        let (high, low) = (hex(bytes, 3..19)?, hex(bytes, 19..35)?);
        let (span_id, flags) = (hex(bytes, 36..52)?, hex(bytes, 53..55)?);
        let trace_id = TraceId::of_bits(high, low).ok_or(TraceParentError::TraceId)?;
        let span_id = SpanId::of_bits(span_id).ok_or(TraceParentError::SpanId)?;
        Ok(Self { trace_id, span_id, flags: flags as u8 & (SAMPLED | RANDOM) })
    }
}

/// Lower-case hexadecimal digits; no more than 16, and within the text.
fn hex(bytes: &[u8], range: std::ops::Range<usize>) -> Result<u64, TraceParentError> {
    range.into_iter().try_fold(0, |number, at| match bytes[at] {
        digit @ b'0'..=b'9' => Ok(number << 4 | u64::from(digit - b'0')),
        digit @ b'a'..=b'f' => Ok(number << 4 | u64::from(digit - b'a' + 10)),
        _ => Err(TraceParentError::Digit { at }),
    })
}

impl fmt::Display for TraceParent {
    /// The header's value, in version 00.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

impl From<&TraceParent> for TraceId {
    fn from(parent: &TraceParent) -> Self {
        parent.trace_id.clone()
    }
}

/// The id of a span within a trace: eight bytes, not all zero, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl SpanId {
    /// A new id. It is no secret and must not serve as one.
    pub fn random() -> Self {
        let (bits, _) = random_bits();
        Self(bits | 1)
    }

    /// The id of these bytes; none where all are zero.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        Self::of_bits(u64::from_be_bytes(bytes))
    }

    /// The bytes of the id.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    fn of_bits(bits: u64) -> Option<Self> {
        (bits != 0).then_some(Self(bits))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

/// A `traceparent` that cannot be used. No message holds any of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceParentError {
    /// It is too short, or of version 00 and too long.
    #[error("a traceparent has {LENGTH} characters in version 00 and no fewer in later ones, this one has {found}")]
    Length {
        /// How many bytes it has.
        found: usize,
    },
    /// Its version is `ff`.
    #[error("the version ff of a traceparent is invalid")]
    Version,
    /// A character is no lower-case hexadecimal digit.
    #[error("the character at {at} of a traceparent is no lower-case hexadecimal digit")]
    Digit {
        /// Its place, from 0.
        at: usize,
    },
    /// A `-` is missing.
    #[error("a traceparent has a `-` at {at}")]
    Separator {
        /// Its place, from 0.
        at: usize,
    },
    /// The trace id is all zero, or none of W3C.
    #[error("the trace id of a traceparent is 32 lower-case hexadecimal digits, not all of them 0")]
    TraceId,
    /// The span id is all zero.
    #[error("the span id of a traceparent is not all 0")]
    SpanId,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Result<TraceParent, TraceParentError> {
        text.parse()
    }

    #[test]
    fn a_header_reads_back_as_it_was() {
        let parent = read(HEADER).unwrap();
        assert_eq!(parent.trace_id().as_str(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span_id().to_string(), "00f067aa0ba902b7");
        assert_eq!(SpanId::from_bytes(parent.span_id().to_bytes()), Some(parent.span_id()));
        assert!(parent.is_sampled());
        assert_eq!(parent.to_string(), HEADER);
        let quiet = HEADER.replace("-01", "-00");
        assert!(!read(&quiet).unwrap().is_sampled());
        assert_eq!(read(&quiet).unwrap().to_string(), quiet);
    }

    #[test]
    fn a_child_has_the_trace_and_a_span_of_its_own() {
        let parent = TraceParent::new(true);
        let child = parent.child();
        assert!(parent.trace_id().is_w3c() && child.is_sampled());
        assert_eq!(parent.trace_id(), child.trace_id());
        assert_ne!(parent.span_id(), child.span_id());
        assert_eq!(read(&child.to_string()), Ok(child));
        assert_eq!(TraceParent::of("req-7".into(), true), Err(TraceParentError::TraceId));
        assert_eq!(TraceParent::of(TraceId::from(&parent), false).unwrap().trace_id(), parent.trace_id());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for text in [
            HEADER.replacen("00", "01", 1),
            HEADER.replacen("00", "cc", 1) + "-what-the-future-holds",
            HEADER.replacen("00", "fe", 1) + "-",
        ] {
            assert_eq!(read(&text).unwrap().to_string(), HEADER, "{text}");
        }
        // Flags that are not known are not passed on.
        assert_eq!(read(&HEADER.replace("-01", "-ff")).unwrap().to_string(), HEADER.replace("-01", "-03"));
    }

    #[test]
    fn what_is_invalid_is_an_error_that_says_why() {
        use TraceParentError::*;
        let with = |at: usize, text: &str| {
            let mut header = HEADER.to_owned();
            header.replace_range(at..at + text.len(), text);
            header
        };
        for (text, expected) in [
            (String::new(), Length { found: 0 }),
            (HEADER[..54].to_owned(), Length { found: 54 }),
            (HEADER.to_owned() + "-", Length { found: 56 }),
            (HEADER.to_owned() + "0", Length { found: 56 }),
            (with(0, "ff"), Version),
            (with(0, "0g"), Digit { at: 1 }),
            (with(0, "cc") + "x", Separator { at: 55 }),
            (with(2, "_"), Separator { at: 2 }),
            (with(35, "0"), Separator { at: 35 }),
            (with(52, "0"), Separator { at: 52 }),
            (with(4, "B"), Digit { at: 4 }),
            (with(20, " "), Digit { at: 20 }),
            (with(40, "é"), Digit { at: 40 }),
            (with(54, "x"), Digit { at: 54 }),
            (with(3, &"0".repeat(32)), TraceId),
            (with(36, &"0".repeat(16)), SpanId),
            ("é".repeat(60), Digit { at: 0 }),
        ] {
            assert_eq!(read(&text), Err(expected), "{text}");
        }
    }
}
