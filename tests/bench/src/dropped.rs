//! Dropping a future at every point where it waits.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// More polls than this are a future that never ends.
const MOST_POLLS: usize = 10_000;

/// What [`drop_at_each_poll()`] did. How many polls a future takes depends on how the machine is loaded: a test asserts that
/// they were not fewer than the future has points to wait at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many futures were dropped before their end, the one that was never polled included.
    pub dropped: usize,
    /// How many polls the last one took, which was let run to its end.
    pub polls: usize,
}

/// Makes a future, polls it `k` times, each time when it was woken, and drops it: for `k` = 0, 1, 2, … until one ends within its
/// polls. After each, the last included, `check` sees what was left behind; both are told `k`.
///
/// A dropped future leaves the check of the last drop undone.
///
/// # Panics
///
/// If a future is polled ten thousand times and has not ended.
///
/// ```
/// # use gone_test_bench::drop_at_each_poll;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let two_points = async |_| {
///     tokio::task::yield_now().await;
///     tokio::task::yield_now().await;
/// };
/// let done = drop_at_each_poll(two_points, async |_| ()).await;
/// assert_eq!((done.dropped, done.polls), (3, 3));
/// # }
/// ```
pub async fn drop_at_each_poll<T>(mut make: impl AsyncFnMut(usize) -> T, mut check: impl AsyncFnMut(usize)) -> Dropped {
    for allowed in 0..=MOST_POLLS {
        let mut polls = 0;
        let ended = {
            let mut future = pin!(make(allowed));
            poll_fn(|context| {
                if polls == allowed {
                    return Poll::Ready(false);
                }
                polls += 1;
                match future.as_mut().poll(context) {
                    Poll::Ready(_) => Poll::Ready(true),
                    // The last poll that it has: it is dropped where it now waits.
                    Poll::Pending if polls == allowed => Poll::Ready(false),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        };
        check(allowed).await;
        if ended {
            return Dropped { dropped: allowed, polls };
        }
    }
    panic!("polled {MOST_POLLS} times and not ended");
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_point_is_dropped_at_once() {
        let steps = AtomicUsize::new(0);
        let mut seen = Vec::new();
        let done = drop_at_each_poll(
            async |_| {
                for _ in 0..3 {
                    steps.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            },
            async |polls| seen.push((polls, steps.swap(0, Ordering::Relaxed))),
        )
        .await;
        assert_eq!(done, Dropped { dropped: 4, polls: 4 });
        assert_eq!(seen, [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)]);
    }
}
