//! What is worked out once for each thing of the program that never goes away.

use std::ops::Deref;
use std::sync::OnceLock;

/// A fixed number of things that were worked out, each for something static: what has the same
/// address and length is the same. What finds no place is worked out each time; no program has as
/// much that does not make such things as it runs.
#[derive(Debug)]
pub(crate) struct Kept<T>(Box<[Place<T>]>);

type Place<T> = OnceLock<(Key, Box<T>)>;

/// Address and length.
type Key = (usize, usize);

/// How many places are tried for one thing.
const TRIES: usize = 16;

/// What is kept, or what is not.
pub(crate) enum Found<'a, T> {
    Kept(&'a T),
    Made(Box<T>),
}

impl<T> Deref for Found<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Kept(known) => known,
            Self::Made(made) => made,
        }
    }
}

impl<T> Kept<T> {
    /// Room for `places` things, a power of two and at least 2.
    pub(crate) fn new(places: usize) -> Self {
        Self((0..places).map(|_| OnceLock::new()).collect())
    }

    /// What is known of something; `make` works it out the first time.
    #[inline]
    pub(crate) fn find(&self, key: Key, make: impl Fn() -> T) -> Found<'_, T> {
        // Fibonacci hashing: the addresses of statics lie at even distances.
        let hash = (key.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first = (hash >> (64 - self.0.len().trailing_zeros())) as usize;
        for place in 0..TRIES {
            let (known, made) = self.0[(first + place) % self.0.len()].get_or_init(|| (key, Box::new(make())));
            if *known == key {
                return Found::Kept(made);
            }
        }
        Found::Made(Box::new(make()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_thing_is_worked_out_once_while_there_is_room_and_is_right_when_there_is_none() {
        let kept = Kept::new(32);
        let made = Cell::new(0);
        let find = |at: usize, length| {
            let found = kept.find((at, length), || {
                made.set(made.get() + 1);
                at + length
            });
            assert_eq!(*found, at + length);
            matches!(found, Found::Kept(_))
        };
        assert!((0..8).all(|thing| find(thing * 24, 1)));
        assert!((0..8).all(|thing| find(thing * 24, 1)));
        assert_eq!(made.get(), 8);
        // One address with another length is another thing: the beginning of a text.
        assert!(find(0, 2));
        let without_room = (0..1_000).filter(|thing| !find(1_000_000 + thing * 8, 1)).count();
        assert!(without_room >= 1_000 - 32, "{without_room}");
    }
}
