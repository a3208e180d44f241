//! Ids taken at once.

use std::iter::FusedIterator;

use crate::generator::Run;

/// The most ids that [`Uid::reserve`](crate::Uid::reserve) gives at once: those of 16 ms.
pub const MAX_RESERVED: u32 = 65_536;

/// Ids that were taken at once: rising, and the caller's alone. They are iterated over; those left over are lost, which
/// harms nothing.
///
/// Kept as runs of ids that follow one another, one for each millisecond that they were taken in.
#[derive(Debug)]
pub struct Reserved {
    runs: std::vec::IntoIter<Run>,
    run: Run,
    left: usize,
}

impl Reserved {
    pub(crate) fn new(runs: Vec<Run>) -> Self {
        let left = runs.iter().map(|run| run.count as usize).sum();
        Self { runs: runs.into_iter(), run: Run { first: 0, count: 0 }, left }
    }
}

impl Iterator for Reserved {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        if self.run.count == 0 {
            self.run = self.runs.next()?;
        }
        let id = self.run.first;
        self.run = Run { first: id + 1, count: self.run.count - 1 };
        self.left -= 1;
        Some(id as i64)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Reserved {}
impl FusedIterator for Reserved {}
