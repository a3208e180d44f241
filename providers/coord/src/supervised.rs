//! Work in the background that goes on after a panic.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// How long after a panic the work begins anew.
const AGAIN: Duration = Duration::from_secs(1);

/// Does the work to its end; if it panics it begins anew a second later.
pub(crate) async fn supervised<F: Future<Output = ()>>(what: &'static str, mut work: impl FnMut() -> F) {
    loop {
        let mut work = pin!(work());
        let done = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(true),
            // It is not polled again.
            Err(_) => Poll::Ready(false),
        });
        if done.await {
            return;
        }
        tracing::error!(target: "gone_coord", what, "work in the background panicked, and begins anew in a second");
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_panics_begins_anew_until_it_is_done() {
        let (mut times, began) = (0, tokio::time::Instant::now());
        supervised("a test", || {
            times += 1;
            let now = times;
            async move {
                tokio::task::yield_now().await;
                assert!(now == 3, "not yet");
            }
        })
        .await;
        assert_eq!((times, began.elapsed()), (3, AGAIN * 2));
    }
}
