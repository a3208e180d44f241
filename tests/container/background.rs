use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;
use gone::{Code, Hook};
use tokio::time::Instant;

use crate::{Journal, bare};

/// Hooks on all stages of start and stop.
#[derive(Goner)]
#[goner(hooks(BeforeStart, Start, AfterStart, BeforeStop, Stop, AfterStop))]
struct Staged<const N: usize> {
    #[gone]
    journal: Journal,
}

macro_rules! stages {
    ($($hook:ident $method:ident $first:literal $second:literal;)*) => {$(
        impl<const N: usize> $hook for Staged<N> {
            async fn $method(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add([$first, $second][N]);
                Ok(())
            }
        }
    )*};
}
stages! {
    BeforeStart before_start "1" "2";
    Start start "start 1" "start 2";
    AfterStart after_start "3" "4";
    BeforeStop before_stop "5" "6";
    Stop stop "stop 1" "stop 2";
    AfterStop after_stop "7" "8";
}

// container A-120
// container A-121
// container A-122
#[tokio::test]
async fn the_stages_run_one_after_the_other_in_start_order_and_in_its_reverse_around_the_function() {
    let journal = Journal::default();
    bare()
        .load((value(journal.clone()), Staged::<0>::goner().order(1), Staged::<1>::goner().order(2)))
        .run(async |journal: Journal| {
            journal.add("function");
            Ok(())
        })
        .await
        .unwrap();
    let expected = "1, 2, start 1, start 2, 3, 4, function, 6, 5, stop 2, stop 1, 8, 7";
    assert_eq!(journal.lines().join(", "), expected);
}

/// A worker whose task writes what it sees, and the store that it needs.
#[derive(Goner)]
struct Worker {
    #[gone]
    journal: Journal,
    #[gone]
    _store: Arc<Store>,
    #[gone]
    end: End,
}

/// How a task ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    WhenTold,
    Early,
    FailsWhenTold,
    Fails,
    Panics,
    Never,
}

impl Run for Worker {
    async fn run(&self, shutdown: ShutdownToken) -> gone::Result<()> {
        self.journal.add("run");
        match self.end {
            End::Early => return Ok(()),
            End::Fails => gone::bail!("lost"),
            End::Panics => panic!("lost"),
            End::Never => std::future::pending().await,
            End::WhenTold | End::FailsWhenTold => shutdown.cancelled().await,
        }
        assert!(shutdown.is_cancelled());
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.journal.add("told");
        if self.end == End::FailsWhenTold { Err(gone::Error::msg("on the way out")) } else { Ok(()) }
    }
}

impl Stop for Worker {
    async fn stop(&self) -> gone::Result<()> {
        self.journal.add("worker stop");
        Ok(())
    }
}

#[derive(Goner)]
struct Store {
    #[gone]
    journal: Journal,
}

impl Start for Store {
    async fn start(&self) -> gone::Result<()> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.journal.add("store start");
        Ok(())
    }
}

impl Stop for Store {
    async fn stop(&self) -> gone::Result<()> {
        self.journal.add("store stop");
        Ok(())
    }
}

fn working(journal: &Journal, end: End) -> AppBuilder {
    bare().load((value(journal.clone()), value(end), Worker::goner(), Store::goner()))
}

#[tokio::test(start_paused = true)]
async fn a_background_task_begins_after_the_start_and_ends_before_its_goner_and_what_that_needs_stop() {
    let journal = Journal::default();
    let app = working(&journal, End::WhenTold).boot().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    app.stop().await.unwrap();
    assert_eq!(journal.lines(), ["store start", "run", "told", "worker stop", "store stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_early_and_well_ends_nothing_else() {
    let journal = Journal::default();
    let app = working(&journal, End::Early).boot().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(app.is_ready() && !app.shutdown().is_requested());
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_or_panics_asks_for_a_stop_with_its_error() {
    for (end, text) in [(End::Fails, "lost"), (End::Panics, "panicked: lost")] {
        let journal = Journal::default();
        let error = working(&journal, end).serve().await.unwrap_err();
        assert_eq!((error.code(), error.goner(), error.hook()), (Code::Hook, Some("Worker"), Some(Hook::Run)));
        assert!(error.to_string().ends_with(text), "{error}");
        assert_eq!(journal.lines(), ["store start", "run", "worker stop", "store stop"], "an orderly stop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_after_it_was_told_is_an_error_of_the_stop() {
    let app = working(&Journal::default(), End::FailsWhenTold).boot().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = app.stop().await.unwrap_err();
    assert_eq!((error.exit_code(), error.hook()), (2, Some(Hook::Run)));
    assert!(error.to_string().ends_with("on the way out"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_end_is_named_and_what_lies_below_is_stopped() {
    let journal = Journal::default();
    let app = working(&journal, End::Never).boot().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = Instant::now();
    let error = app.stop().await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!((error.goner(), error.hook()), (Some("Worker"), Some(Hook::Run)));
    assert!(error.to_string().ends_with("did not end within 10s and was abandoned"), "{error}");
    assert_eq!(journal.lines(), ["store start", "run", "worker stop", "store stop"]);
}

#[derive(Goner)]
struct Asks {
    #[gone]
    shutdown: Shutdown,
}

impl Run for Asks {
    async fn run(&self, _: ShutdownToken) -> gone::Result<()> {
        self.shutdown.request("the work is done");
        self.shutdown.request("a later reason");
        Ok(())
    }
}

// container A-123
#[tokio::test]
async fn a_goner_ends_serve_with_a_reason() {
    let journal = Journal::default();
    bare().load((value(journal.clone()), Staged::<0>::goner(), Asks::goner())).serve().await.unwrap();
    assert_eq!(journal.lines(), ["1", "start 1", "3", "5", "stop 1", "7"]);
    let app = bare().load(Asks::goner()).boot().await.unwrap();
    app.shutdown().requested().await;
    assert_eq!(app.shutdown().reason().as_deref(), Some("the work is done"));
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn readiness_ends_before_the_stop_begins_by_the_drain_delay() {
    let journal = Journal::default();
    let loaded = (value(journal.clone()), Staged::<0>::goner());
    let app = Arc::new(bare().load(loaded).options(|it| it.drain_delay = Duration::from_secs(5)).boot().await.unwrap());
    let begun = Instant::now();
    let stopping = tokio::spawn({
        let app = Arc::clone(&app);
        async move { app.stop().await }
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!app.is_ready());
    assert_eq!(journal.count("5"), 0);
    stopping.await.unwrap().unwrap();
    assert_eq!((begun.elapsed().as_secs(), journal.count("5")), (5, 1));
}
