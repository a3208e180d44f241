//! The calls of a handle: a limit for each, an end for all.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gone_core::{CloseReport, Deadline};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::Outcome;

/// Set once the handle is closed; the other bits count the calls under way.
const CLOSED: u64 = 1 << 63;

/// The calls of a handle: each has a limit of time, none begins once the handle is closed, and closing waits for those that are
/// under way.
///
/// A handle has one, and passes each call through [`run`](Self::run). What it costs is two atomic steps and a timer.
///
/// ```
/// use std::time::Duration;
///
/// use gone_core::Deadline;
/// use gone_kit::{CallError, Calls};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let calls = Calls::new(Duration::from_millis(20));
/// assert_eq!(calls.run(async { Ok::<_, CallError>(7) }).await?, 7);
///
/// let stuck: Result<(), CallError> = calls.run(std::future::pending()).await;
/// assert!(matches!(stuck, Err(CallError::TimedOut { .. })));
///
/// assert!(calls.close(Deadline::after(Duration::from_secs(1))).await.is_clean());
/// assert!(matches!(calls.run(async { Ok::<_, CallError>(7) }).await, Err(CallError::Closed)));
/// # Ok::<_, CallError>(())
/// # }).unwrap();
/// ```
pub struct Calls {
    limit: Duration,
    state: AtomicU64,
    /// The last call under way has ended, and the handle is closed.
    ended: Notify,
}

/// Why a call was not made, was refused, or was not seen to its end.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The handle was closed. Nothing was sent.
    #[error("the handle is closed")]
    Closed,
    /// There was no answer in time.
    #[error("no answer within {after:?}")]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The server refused, or the connection to it broke.
    #[error("the server failed")]
    Failed {
        /// What became of a write.
        outcome: Outcome,
        /// The error of the server's client.
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl CallError {
    /// The server refused, or the connection to it broke; `outcome` is what became of a write that ended so.
    ///
    /// An answer of the server's, or a connection that never was, is [`Outcome::NotApplied`]. What broke on the way is
    /// [`Outcome::Unknown`].
    pub fn failed(outcome: Outcome, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Failed { outcome, source: Arc::new(source) }
    }

    /// What became of a write that ended so. What was given up may still be carried out.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Closed => Outcome::NotApplied,
            Self::TimedOut { .. } => Outcome::Unknown,
            Self::Failed { outcome, .. } => *outcome,
        }
    }
}

impl Calls {
    /// No calls yet; each may take so long.
    pub fn new(limit: Duration) -> Self {
        Self { limit, state: AtomicU64::new(0), ended: Notify::new() }
    }

    /// Makes a call, unless the handle is closed, and gives it up at its limit. Of a call that was given up nobody knows whether
    /// it was carried out.
    ///
    /// A dropped future drops the call.
    ///
    /// # Errors
    ///
    /// Those of the call, and [`CallError::Closed`] or [`CallError::TimedOut`] as its error type has it.
    pub async fn run<T, E: From<CallError>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let _under_way = UnderWay::begin(self)?;
        timeout(self.limit, call).await.unwrap_or_else(|_| Err(CallError::TimedOut { after: self.limit }.into()))
    }

    /// How many calls are under way.
    pub fn under_way(&self) -> u64 {
        self.state.load(Ordering::Acquire) & !CLOSED
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Lets no further call begin, and waits for those under way, at most until the deadline; the report counts those that were
    /// still running. Harmless twice. A dropped future leaves it closed.
    pub async fn close(&self, deadline: Deadline) -> CloseReport {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
        let mut ended = pin!(self.ended.notified());
        // From here on no notice is missed.
        ended.as_mut().enable();
        if self.under_way() > 0 {
            let _ = timeout(deadline.remaining(), ended).await;
        }
        CloseReport::clean().still_running(self.under_way())
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("limit", &self.limit)
            .field("under_way", &self.under_way())
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// A call under way, until it is dropped.
struct UnderWay<'a>(&'a Calls);

impl<'a> UnderWay<'a> {
    fn begin(calls: &'a Calls) -> Result<Self, CallError> {
        // Not counted and then taken back: who closes would see it for a moment.
        let begin = |state| (state & CLOSED == 0).then_some(state + 1);
        match calls.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin) {
            Ok(_) => Ok(Self(calls)),
            Err(_) => Err(CallError::Closed),
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.0.state.fetch_sub(1, Ordering::AcqRel) == CLOSED | 1 {
            self.0.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn takes(time: Duration) -> Result<&'static str, CallError> {
        sleep(time).await;
        Ok("done")
    }

    /// What is said of an error.
    fn told<T>(ended: Result<T, CallError>) -> Result<T, String> {
        ended.map_err(|error| format!("{error}, {}", error.outcome()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_given_up_at_its_limit() {
        let calls = Calls::new(SECOND);
        let begun = Instant::now();
        assert_eq!(told(calls.run(takes(SECOND / 2)).await), Ok("done"));
        assert_eq!(
            told(calls.run(takes(2 * SECOND)).await),
            Err("no answer within 1s, unknown whether applied".to_owned())
        );
        assert_eq!((begun.elapsed(), calls.under_way()), (SECOND * 3 / 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn closing_waits_for_what_is_under_way_and_refuses_what_comes_later() {
        let calls = Arc::new(Calls::new(10 * SECOND));
        let running = tokio::spawn({
            let calls = Arc::clone(&calls);
            async move { calls.run(takes(3 * SECOND)).await }
        });
        tokio::task::yield_now().await;
        let begun = Instant::now();
        let (report, refused) =
            tokio::join!(calls.close(Deadline::after(5 * SECOND)), async { calls.run(takes(SECOND)).await });
        assert_eq!(
            (report, told(refused)),
            (CloseReport::clean(), Err("the handle is closed, not applied".to_owned()))
        );
        assert_eq!((begun.elapsed(), told(running.await.unwrap())), (3 * SECOND, Ok("done")));
        assert!(calls.close(Deadline::after(SECOND)).await.is_clean(), "again");
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_at_its_deadline_and_counts_what_still_runs() {
        let calls = Arc::new(Calls::new(10 * SECOND));
        for _ in 0..2 {
            let calls = Arc::clone(&calls);
            tokio::spawn(async move { calls.run(takes(8 * SECOND)).await });
        }
        tokio::task::yield_now().await;
        let begun = Instant::now();
        assert_eq!(calls.close(Deadline::after(SECOND)).await, CloseReport::clean().still_running(2));
        assert_eq!(begun.elapsed(), SECOND);
        assert!(calls.close(Deadline::after(10 * SECOND)).await.is_clean());
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_says_is_kept_with_what_became_of_the_write() {
        let calls = Calls::new(SECOND);
        for outcome in [Outcome::NotApplied, Outcome::Unknown] {
            let broken = std::io::Error::other("broken pipe");
            let error = calls.run(async { Err::<(), _>(CallError::failed(outcome, broken)) }).await.unwrap_err();
            assert_eq!((error.to_string().as_str(), error.outcome()), ("the server failed", outcome));
            assert_eq!(error.source().unwrap().to_string(), "broken pipe");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_call_is_not_under_way_any_more() {
        let calls = Calls::new(10 * SECOND);
        assert!(timeout(SECOND, calls.run(takes(5 * SECOND))).await.is_err());
        assert_eq!(calls.under_way(), 0);
        assert!(calls.close(Deadline::after(Duration::ZERO)).await.is_clean());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_call_is_lost_or_counted_twice_where_many_begin_while_it_closes() {
        for round in 0..200 {
            let calls = Arc::new(Calls::new(SECOND));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let calls = Arc::clone(&calls);
                    tokio::spawn(async move {
                        while calls
                            .run(async {
                                tokio::task::yield_now().await;
                                Ok::<_, CallError>(())
                            })
                            .await
                            .is_ok()
                        {}
                    })
                })
                .collect();
            tokio::task::yield_now().await;
            let report = calls.close(Deadline::after(5 * SECOND)).await;
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!((report.is_clean(), calls.under_way()), (true, 0), "round {round}");
        }
    }
}
