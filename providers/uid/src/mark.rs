//! What outlives the holder of an instance id.

use std::fmt;

use crate::layout::{END_OF_TIME, INSTANCE_BITS, SEQUENCE_BITS};

const UNUSED_BITS: u32 = INSTANCE_BITS + SEQUENCE_BITS;
const MOST_UNUSED: u64 = (1 << UNUSED_BITS) - 1;

/// How far the ids of an instance may have gone, as one number that only grows: coordination keeps the greatest.
///
/// Before its ids reach a millisecond, a holder has written a `limit` beyond it; one that crashes leaves that behind. One
/// that gives its id back adds how much of that it has left `unused`, so that the next holder can begin there. Both are in
/// milliseconds since the epoch, as in the ids: so not even a change of the epoch makes them repeat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark(u64);

impl Mark {
    /// No id of this millisecond or a later one is given out before a further mark is written.
    pub(crate) fn limit(ms: u64) -> Self {
        Self(ms.min(END_OF_TIME) << UNUSED_BITS)
    }

    /// No id of that millisecond or a later one was given out, and none will be.
    pub(crate) fn given_back(limit: u64, unused_from: u64) -> Self {
        let unused = limit.min(END_OF_TIME).saturating_sub(unused_from);
        Self(Self::limit(limit).0 | unused.min(MOST_UNUSED))
    }

    pub(crate) fn from_number(number: u64) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The first millisecond that the next holder may use.
    pub(crate) fn free_from(self) -> u64 {
        (self.0 >> UNUSED_BITS).saturating_sub(self.0 & MOST_UNUSED)
    }

    /// The least limit whose mark is greater than this one.
    pub(crate) fn next_limit(self) -> u64 {
        (self.0 >> UNUSED_BITS) + 1
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mark").field("limit", &(self.0 >> UNUSED_BITS)).field("free_from", &self.free_from()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_only_grows_and_says_where_the_next_holder_begins() {
        let open = Mark::limit(40_000);
        assert_eq!(open.free_from(), 40_000);
        let closed = Mark::given_back(40_000, 10_001);
        assert!(closed > open);
        assert_eq!(closed.free_from(), 10_001);
        let next = Mark::limit(closed.next_limit());
        assert!(next > closed, "the next holder's mark counts, even with the same limit");
        assert_eq!(Mark::from_number(next.number()), next);
    }

    #[test]
    fn what_does_not_fit_is_left_to_be_waited_for() {
        let closed = Mark::given_back(10_000_000, 0);
        assert_eq!(closed.free_from(), 10_000_000 - 4_194_303);
        assert_eq!(Mark::given_back(5, 9).free_from(), 5);
        let last = Mark::limit(u64::MAX);
        assert_eq!((last.free_from(), last.next_limit()), (END_OF_TIME, END_OF_TIME + 1));
    }
}
