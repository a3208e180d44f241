//! Whether components work.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

/// A component that can tell whether it works. Implemented under [`#[async_trait]`](macro@async_trait), which this crate re-exports.
///
/// ```
/// use std::sync::Arc;
///
/// use gone_kit::{Health, HealthIndicator, Status, async_trait, check_all};
///
/// struct Queue {
///     waiting: u64,
/// }
///
/// #[async_trait]
/// impl HealthIndicator for Queue {
///     fn name(&self) -> &str {
///         "queue"
///     }
///
///     async fn check(&self) -> Health {
///         match self.waiting {
///             0..1_000 => Health::up().detail(format!("{} wait", self.waiting)),
///             waiting => Health::down(format!("{waiting} wait, and at most 1,000 should")),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let report = check_all(&[Arc::new(Queue { waiting: 7 })]).await;
/// assert_eq!(report.status(), Status::Up);
/// assert_eq!(report.entries()[0].detail, "7 wait");
/// # }
/// ```
#[async_trait]
pub trait HealthIndicator: Send + Sync + 'static {
    /// The name under which the result is reported, for instance `cache` or `db.orders`.
    fn name(&self) -> &str;

    /// How long [`check`](Self::check) may take: 1 second unless said; more than 60 seconds count
    /// as 60.
    fn timeout(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Looks whether the component works.
    ///
    /// The future is dropped when the time is over, so it must leave nothing half done.
    async fn check(&self) -> Health;
}

/// The longest time that one check gets.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether a component works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It works.
    Up,
    /// It does not work, or could not say so in time.
    Down,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the component works.
    pub status: Status,
    /// Why it does not, in words for an operator; empty when there is nothing to say. It is shown
    /// as it is, so it must hold no secret.
    pub detail: String,
}

impl Health {
    /// The component works.
    pub fn up() -> Self {
        Self { status: Status::Up, detail: String::new() }
    }

    /// The component does not work, and why.
    pub fn down(detail: impl Into<String>) -> Self {
        Self { status: Status::Down, detail: detail.into() }
    }

    /// Up for what went well; for an error down, and what it says.
    pub fn of<E: fmt::Display>(answer: Result<(), E>) -> Self {
        answer.map_or_else(|error| Self::down(error.to_string()), |()| Self::up())
    }

    /// The same health with this detail, if it is up: why it is down is not replaced.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        if self.status == Status::Up {
            self.detail = detail.into();
        }
        self
    }
}

/// The results of all checks.
///
/// Serializes as `{"status":"down","entries":[{"name":"db","status":"down","detail":"…"}]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "it says what is down"]
pub struct HealthReport {
    status: Status,
    entries: Vec<HealthEntry>,
}

/// The result of one indicator in a [`HealthReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthEntry {
    /// The indicator's name.
    pub name: String,
    /// Whether the component works.
    pub status: Status,
    /// Why it does not; empty when there is nothing to say.
    pub detail: String,
}

impl HealthReport {
    fn new(mut entries: Vec<HealthEntry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let down = entries.iter().any(|entry| entry.status == Status::Down);
        Self { status: if down { Status::Down } else { Status::Up }, entries }
    }

    /// [`Status::Up`] when no entry is down; so with no entries too.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The results, sorted by name; equal names in the order of the indicators.
    pub fn entries(&self) -> &[HealthEntry] {
        &self.entries
    }
}

/// Runs all checks in parallel, each in its own task and within its own time, and collects the
/// results.
///
/// A check that takes longer than its [`timeout`](HealthIndicator::timeout) is down with
/// `timed out after …`, one that panics is down with the panic's text; neither touches the others.
/// Takes as long as the slowest check, at most 60 seconds.
///
/// The checks run in the span of the caller. Dropping the future stops them at their next `await` and leaves nothing behind.
///
/// # Panics
///
/// Outside a tokio runtime whose timer is on.
pub async fn check_all(indicators: &[Arc<dyn HealthIndicator>]) -> HealthReport {
    let running: Vec<_> = indicators.iter().map(Running::start).collect();
    let mut entries = Vec::with_capacity(running.len());
    for check in running {
        entries.push(check.finish().await);
    }
    HealthReport::new(entries)
}

/// A check on its way. Dropping it stops the check.
struct Running {
    name: String,
    limit: Duration,
    deadline: Instant,
    task: JoinHandle<Health>,
}

impl Running {
    fn start(indicator: &Arc<dyn HealthIndicator>) -> Self {
        let started = Instant::now();
        // User code: a panic here is this indicator's own, as one in the check is.
        let described =
            catch_unwind(AssertUnwindSafe(|| (indicator.name().to_owned(), indicator.timeout().min(LONGEST))));
        let (name, limit, task) = match described {
            Ok((name, limit)) => {
                let indicator = Arc::clone(indicator);
                // In the caller's span: what a check logs belongs to who asked.
                (name, limit, tokio::spawn(async move { limited(&*indicator, limit).await }.in_current_span()))
            }
            Err(panic) => {
                let health = panicked(&*panic);
                ("(unnamed)".to_owned(), LONGEST, tokio::spawn(async move { health }))
            }
        };
        Self { name, limit, deadline: started + limit, task }
    }

    async fn finish(mut self) -> HealthEntry {
        // The task watches its own time. This second watch is for a check that blocks its thread.
        let health = match timeout_at(self.deadline, &mut self.task).await {
            Ok(Ok(health)) => health,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => panicked(&*panic),
                Err(_) => Health::down("the check was stopped with its runtime"),
            },
            Err(_) => timed_out(self.limit),
        };
        HealthEntry { name: std::mem::take(&mut self.name), status: health.status, detail: health.detail }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn limited(indicator: &dyn HealthIndicator, limit: Duration) -> Health {
    let started = Instant::now();
    match timeout(limit, indicator.check()).await {
        // A check that never yields is ready at its first poll, however long that took.
        Ok(health) if started.elapsed() <= limit => health,
        _ => timed_out(limit),
    }
}

fn timed_out(limit: Duration) -> Health {
    Health::down(format!("timed out after {limit:?}"))
}

fn panicked(panic: &(dyn Any + Send)) -> Health {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is not text");
    Health::down(format!("panicked: {text}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Sleeper {
        name: &'static str,
        takes: Duration,
        limit: Duration,
    }

    #[async_trait]
    impl HealthIndicator for Sleeper {
        fn name(&self) -> &str {
            self.name
        }

        fn timeout(&self) -> Duration {
            self.limit
        }

        async fn check(&self) -> Health {
            tokio::time::sleep(self.takes).await;
            Health::up()
        }
    }

    fn sleeper(name: &'static str, takes_ms: u64, limit_ms: u64) -> Arc<dyn HealthIndicator> {
        Arc::new(Sleeper { name, takes: Duration::from_millis(takes_ms), limit: Duration::from_millis(limit_ms) })
    }

    struct Answer(&'static str, fn() -> Health);

    #[async_trait]
    impl HealthIndicator for Answer {
        fn name(&self) -> &str {
            self.0
        }

        async fn check(&self) -> Health {
            (self.1)()
        }
    }

    // container C-97
    #[tokio::test(start_paused = true)]
    async fn a_slow_check_is_down_with_its_timeout_and_the_others_are_unaffected() {
        let report =
            check_all(&[sleeper("slow", 60_000, 1_500), sleeper("late", 300, 200), sleeper("good", 900, 1_000)]).await;
        let seen: Vec<_> =
            report.entries().iter().map(|entry| (entry.name.as_str(), entry.status, entry.detail.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("good", Status::Up, ""),
                ("late", Status::Down, "timed out after 200ms"),
                ("slow", Status::Down, "timed out after 1.5s"),
            ]
        );
        assert_eq!(report.status(), Status::Down);
    }

    // container C-97
    #[tokio::test(start_paused = true)]
    async fn checks_run_in_parallel() {
        let started = Instant::now();
        let names = ["a", "b", "c", "d", "e"];
        let report = check_all(&names.map(|name| sleeper(name, 800, 1_000))).await;
        assert_eq!(report.status(), Status::Up);
        assert_eq!(started.elapsed(), Duration::from_millis(800));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_ends_late_is_down_even_when_a_slower_one_is_waited_for_first() {
        let report = check_all(&[sleeper("a", 5_000, 10_000), sleeper("b", 3_000, 1_000)]).await;
        assert_eq!(report.entries()[0].status, Status::Up);
        assert_eq!(report.entries()[1].detail, "timed out after 1s");
    }

    #[tokio::test]
    async fn a_panic_is_down_with_its_text_and_the_others_are_unaffected() {
        let report = check_all(&[
            Arc::new(Answer("one", || panic!("the pool has {} holes", 3))),
            Arc::new(Answer("two", Health::up)),
        ])
        .await;
        assert_eq!(report.entries()[0].status, Status::Down);
        assert_eq!(report.entries()[0].detail, "panicked: the pool has 3 holes");
        assert_eq!(report.entries()[1].status, Status::Up);
    }

    struct Nameless;

    #[async_trait]
    impl HealthIndicator for Nameless {
        fn name(&self) -> &str {
            panic!("no name yet")
        }

        async fn check(&self) -> Health {
            Health::up()
        }
    }

    #[tokio::test]
    async fn a_panic_in_the_name_is_down_too() {
        let report = check_all(&[Arc::new(Nameless)]).await;
        assert_eq!(report.entries()[0].name, "(unnamed)");
        assert_eq!(report.entries()[0].detail, "panicked: no name yet");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_check_that_blocks_its_thread_is_down() {
        let report = check_all(&[Arc::new(Blocks)]).await;
        assert_eq!(report.entries()[0].detail, "timed out after 5ms");
    }

    struct Blocks;

    #[async_trait]
    impl HealthIndicator for Blocks {
        fn name(&self) -> &str {
            "blocks"
        }

        fn timeout(&self) -> Duration {
            Duration::from_millis(5)
        }

        async fn check(&self) -> Health {
            std::thread::sleep(Duration::from_millis(50));
            Health::up()
        }
    }

    struct Counts(Arc<AtomicUsize>);

    struct OnDrop(Arc<AtomicUsize>);

    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl HealthIndicator for Counts {
        fn name(&self) -> &str {
            "counts"
        }

        async fn check(&self) -> Health {
            let _dropped = OnDrop(Arc::clone(&self.0));
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_future_stops_the_checks() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let indicators: [Arc<dyn HealthIndicator>; 1] = [Arc::new(Counts(Arc::clone(&dropped)))];
        let cut = timeout(Duration::from_millis(10), check_all(&indicators)).await;
        assert!(cut.is_err());
        tokio::task::yield_now().await;
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_gets_one_second_unless_it_says_otherwise() {
        let report = check_all(&[Arc::new(Counts(Arc::default()))]).await;
        assert_eq!(report.entries()[0].detail, "timed out after 1s");
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_timeout_is_cut_to_a_minute() {
        let endless = Sleeper { name: "x", takes: Duration::MAX, limit: Duration::MAX };
        let report = check_all(&[Arc::new(endless)]).await;
        assert_eq!(report.entries()[0].detail, "timed out after 60s");
    }

    #[test]
    fn an_error_is_down_with_its_text_and_its_detail_stays() {
        assert_eq!(
            Health::of(Ok::<(), &str>(())).detail("3 sessions"),
            Health { status: Status::Up, detail: "3 sessions".into() }
        );
        assert_eq!(Health::of(Err("refused")).detail("3 sessions"), Health::down("refused"));
    }

    #[tokio::test]
    async fn no_indicators_are_up() {
        let report = check_all(&[]).await;
        assert_eq!(report.status(), Status::Up);
        assert!(report.entries().is_empty());
    }

    #[tokio::test]
    async fn a_report_serializes_with_its_status_and_its_entries_by_name() {
        let report =
            check_all(&[Arc::new(Answer("mq", Health::up)), Arc::new(Answer("db", || Health::down("refused")))]).await;
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"status":"down","entries":[{"name":"db","status":"down","detail":"refused"},{"name":"mq","status":"up","detail":""}]}"#
        );
    }
}
