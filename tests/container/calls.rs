//! Functions called on the running application, and lookups that may find nothing.

use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;
use gone::{Code, Error, StateError};

use crate::{Journal, bare};

trait Shape: Send + Sync {
    fn name(&self) -> &'static str;
}

#[derive(Goner)]
#[goner(name = "circle", offers(dyn Shape))]
struct Circle;
impl Shape for Circle {
    fn name(&self) -> &'static str {
        "circle"
    }
}

#[derive(Goner)]
#[goner(offers(dyn Shape))]
struct Square;
impl Shape for Square {
    fn name(&self) -> &'static str {
        "square"
    }
}

/// One value for each text, and how often it was made.
#[derive(Goner)]
#[goner(share)]
struct Texts {
    #[gone]
    journal: Journal,
}
impl Provider for Texts {
    type Output = Arc<String>;
    async fn provide(&self, tag: &Tag) -> gone::Result<Arc<String>> {
        self.journal.add(format!("made {}", tag.extend()));
        Ok(Arc::new(tag.extend().to_owned()))
    }
}

#[derive(Goner)]
struct Planned {
    #[gone("*,planned")]
    text: Arc<String>,
}

#[derive(Inject)]
struct Wanted {
    #[gone("circle")]
    by_name: Arc<dyn Shape>,
    #[gone]
    absent: Option<Arc<u8>>,
    #[gone]
    all: Vec<Arc<dyn Shape>>,
    #[gone("c*")]
    matching: Vec<Arc<dyn Shape>>,
    #[gone]
    later: Lazy<Square>,
    #[gone("*,planned")]
    planned: Arc<String>,
    #[gone("*,new")]
    new: Arc<String>,
    #[gone("*,new")]
    again: Arc<String>,
}

fn shapes(journal: &Journal) -> AppBuilder {
    bare().load((value(journal.clone()), Circle::goner(), Square::goner(), Texts::goner(), Planned::goner()))
}

// container A-83
#[tokio::test]
async fn a_bundle_is_filled_for_a_call_by_the_rules_of_the_plan() {
    let journal = Journal::default();
    let app = shapes(&journal).boot().await.unwrap();
    let check = async |wanted: Wanted| {
        assert_eq!(wanted.by_name.name(), "circle");
        assert!(wanted.absent.is_none());
        assert_eq!(wanted.all.iter().map(|it| it.name()).collect::<Vec<_>>(), ["circle", "square"]);
        assert_eq!(wanted.matching.len(), 1);
        assert_eq!(wanted.later.get().unwrap().name(), "square");
        assert!(Arc::ptr_eq(&wanted.new, &wanted.again));
        (wanted.planned, wanted.new)
    };
    let (planned, new) = app.call_with(check).await.unwrap();
    let of_plan = Arc::clone(&app.get::<Arc<Planned>>().unwrap().text);
    assert!(Arc::ptr_eq(&planned, &of_plan), "the shared value of the plan");
    let (_, same) = app.call_with(check).await.unwrap();
    assert!(Arc::ptr_eq(&new, &same) && Arc::ptr_eq(&new, &app.make("*,new").await.unwrap()));
    assert_eq!(journal.lines(), ["made planned", "made new"]);
    app.stop().await.unwrap();
}

#[derive(Inject)]
struct Wrong {
    #[gone("cirle")]
    misspelt: Arc<dyn Shape>,
    #[gone]
    one_of_two: Arc<dyn Shape>,
}

#[tokio::test]
async fn all_that_is_wrong_with_a_call_comes_in_one_report_and_the_function_is_not_called() {
    let app = shapes(&Journal::default()).boot().await.unwrap();
    let called = app.call_with(async |wrong: Wrong| drop((wrong.misspelt, wrong.one_of_two))).await.unwrap_err();
    let report = called.report().unwrap();
    let found: Vec<_> = report.problems().iter().map(|it| (it.code, it.asker.as_ref().unwrap().field())).collect();
    assert_eq!(found, [(Code::Missing, "misspelt"), (Code::Ambiguous, "one_of_two")]);
    assert!(report.to_string().contains("is named `circle`"), "{report}");
    app.stop().await.unwrap();
    let late = app.call_with(async |_: Wanted| ()).await.unwrap_err();
    assert_eq!(late.source().unwrap().downcast_ref(), Some(&StateError::Closed));
}

// container C-9
#[tokio::test]
async fn what_nobody_offers_is_a_typed_error_or_none_and_what_several_offer_is_an_error() {
    #[derive(Goner)]
    struct Asker {
        #[gone]
        nothing: Option<Arc<u8>>,
    }
    let app = shapes(&Journal::default()).load(Asker::goner()).boot().await.unwrap();
    assert_eq!(app.get::<Arc<u8>>().unwrap_err().code(), Code::Missing);
    assert_eq!(app.try_get::<Arc<u8>>().unwrap(), None);
    assert_eq!(app.get::<Arc<Asker>>().unwrap().nothing, None);
    assert!(app.try_get::<Arc<Circle>>().unwrap().is_some());
    let several = |error: Option<Error>| assert_eq!(error.unwrap().code(), Code::Ambiguous);
    several(app.get::<Arc<dyn Shape>>().err());
    several(app.try_get::<Arc<dyn Shape>>().err());
    let handle = app.get::<Handle>().unwrap();
    several(handle.try_get::<Arc<dyn Shape>>().err());
    assert_eq!(handle.try_get::<Arc<u8>>().unwrap(), None);
    app.stop().await.unwrap();
}

// container A-127
#[tokio::test]
async fn two_functions_run_in_turn_and_what_serves_calls_its_function_first() {
    let journal = Journal::default();
    let first = async |journal: Journal| {
        tokio::task::yield_now().await;
        journal.add("first");
        Ok(())
    };
    let second = async |journal: Journal, _: Arc<Circle>| {
        journal.add("second");
        Ok(())
    };
    shapes(&journal).run((first, second)).await.unwrap();
    assert_eq!(journal.lines(), ["made planned", "first", "second"]);

    let journal = Journal::default();
    let fails = async || Err(Error::msg("no"));
    let error = shapes(&journal).run((fails, (first, second))).await.unwrap_err();
    assert_eq!(error.to_string(), "no");
    assert_eq!(journal.lines(), ["made planned"], "the second is not called");

    #[derive(Goner)]
    struct Ender {
        #[gone]
        journal: Journal,
        #[gone]
        shutdown: Shutdown,
    }
    impl Run for Ender {
        async fn run(&self, told: ShutdownToken) -> gone::Result<()> {
            while self.journal.count("first") == 0 {
                tokio::task::yield_now().await;
            }
            self.journal.add("asks for the end");
            self.shutdown.request("enough");
            told.cancelled().await;
            self.journal.add("told");
            Ok(())
        }
    }
    let journal = Journal::default();
    let served = shapes(&journal).load(Ender::goner()).serve_after(first);
    tokio::time::timeout(Duration::from_secs(10), served).await.unwrap().unwrap();
    assert_eq!(journal.lines(), ["made planned", "first", "asks for the end", "told"]);
}

// container A-86
#[tokio::test]
async fn what_a_function_returns_is_given_as_it_is() {
    let app = shapes(&Journal::default()).boot().await.unwrap();
    assert_eq!(app.call(async |_: Arc<Circle>| 7).await.unwrap(), 7);
    assert_eq!(app.call(async || None::<u8>).await.unwrap(), None);
    let own = app.call(async || Err::<u8, &str>("its own error")).await.unwrap();
    assert_eq!(own, Err("its own error"));
    app.stop().await.unwrap();
}
