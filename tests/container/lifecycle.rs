//! The order of the hooks, from the first construction to the last close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gone::Code;
use gone::prelude::*;
use tokio::time::sleep;

use crate::tower::{Alone, Bottom, Middle, Top, tower};
use crate::{Journal, bare};

// container A-119
// container A-116
// container C-72
#[tokio::test]
async fn hooks_run_from_the_bottom_up_and_stop_and_close_from_the_top_down() {
    let journal = Journal::default();
    let app = tower(&journal).boot().await.unwrap();
    app.stop().await.unwrap();
    let expected = [
        "Bottom before_init",
        "Bottom init",
        "Middle before_init",
        "Middle init",
        "Top before_init",
        "Top init",
        "Bottom start",
        "Middle start",
        "Top start",
        "Top stop",
        "Middle stop",
        "Bottom stop",
        "Top close",
        "Middle close",
        "Bottom close",
    ];
    assert_eq!(journal.lines(), expected);
}

#[tokio::test]
async fn the_function_runs_between_start_and_stop() {
    let journal = Journal::default();
    bare()
        .load((value(journal.clone()), Alone::goner()))
        .run(async |journal: Journal| {
            journal.add("function");
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(journal.lines()[2..5], ["Alone start", "function", "Alone stop"]);
}

// container A-125
// container C-86
#[tokio::test]
async fn a_lower_order_starts_first_and_a_dependency_wins_over_the_order() {
    let journal = Journal::default();
    let loaded = (
        value(journal.clone()),
        Alone::goner().order(15),
        Top::goner().order(10),
        Middle::goner().order(10),
        Bottom::goner().order(20),
    );
    let app = bare().load(loaded).boot().await.unwrap();
    app.stop().await.unwrap();
    let of = |hook: &str| -> Vec<String> { journal.lines().into_iter().filter(|line| line.ends_with(hook)).collect() };
    assert_eq!(of("start"), ["Bottom start", "Middle start", "Top start", "Alone start"]);
    assert_eq!(of("stop"), ["Alone stop", "Top stop", "Middle stop", "Bottom stop"], "the exact reverse");
}

// container C-79
#[tokio::test]
async fn a_hook_with_only_stop_runs() {
    #[derive(Goner)]
    struct OnlyStop {
        #[gone]
        journal: Journal,
    }
    impl Stop for OnlyStop {
        async fn stop(&self) -> gone::Result<()> {
            self.journal.add("stop");
            Ok(())
        }
    }
    let journal = Journal::default();
    let app = bare().load((value(journal.clone()), OnlyStop::goner())).boot().await.unwrap();
    app.stop().await.unwrap();
    assert_eq!(journal.lines(), ["stop"]);
}

// container C-92
#[tokio::test]
async fn an_application_that_was_not_started_is_closed_without_a_stop() {
    let journal = Journal::default();
    let app = tower(&journal).plan().unwrap().build().await.unwrap();
    app.close().await.unwrap();
    let lines = journal.lines();
    assert_eq!(lines[6..], ["Top close", "Middle close", "Bottom close"]);
}

#[tokio::test]
async fn an_early_goner_is_built_before_and_closed_after_all_others() {
    static EARLY: AtomicBool = AtomicBool::new(false);
    #[derive(Goner)]
    struct Log {
        #[gone]
        journal: Journal,
    }
    impl Init for Log {
        async fn init(&mut self) -> gone::Result<()> {
            sleep(Duration::from_millis(5)).await;
            self.journal.add("Log init");
            EARLY.store(true, Ordering::SeqCst);
            Ok(())
        }
    }
    impl Close for Log {
        async fn close(&self, deadline: Deadline) -> gone::Result<CloseReport> {
            assert!(deadline.remaining() > Duration::ZERO);
            self.journal.add("Log close");
            Ok(CloseReport::clean().flushed(3))
        }
    }
    let journal = Journal::default();
    let loaded = (value(journal.clone()), Alone::goner(), Log::goner().early());
    let app = bare().load(loaded).boot().await.unwrap();
    app.stop().await.unwrap();
    assert!(EARLY.load(Ordering::SeqCst));
    assert_eq!(journal.place("Log init"), 0);
    assert_eq!(journal.place("Log close"), journal.lines().len() - 1);
}

// container C-78
#[tokio::test]
async fn after_the_stop_everything_says_that_the_application_has_ended() {
    let journal = Journal::default();
    let app = tower(&journal).boot().await.unwrap();
    let handle = app.get::<Handle>().unwrap();
    app.stop().await.unwrap();
    let closed = |error: Option<gone::Error>| {
        let error = error.unwrap();
        assert_eq!((error.code(), error.downcast_ref()), (Code::State, Some(&gone::StateError::Closed)));
    };
    closed(app.get::<Arc<Top>>().err());
    closed(app.call(async |_: Arc<Top>| ()).await.err());
    closed(app.make::<String>("").await.err());
    closed(handle.get::<Arc<Top>>().err());
    app.stop().await.unwrap();
    assert_eq!(journal.lines().iter().filter(|it| it.contains("stop")).count(), 3, "{:?}", journal.lines());
}
