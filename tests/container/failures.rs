//! Hooks that fail, panic or hang.

use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, Hook};
use tokio::time::Instant;

use crate::tower::Bottom;
use crate::{Journal, bare};

/// One goner whose hooks do as they are told.
#[derive(Clone, Copy, PartialEq)]
enum Deed {
    Fail,
    Panic,
    Hang,
}

#[derive(Goner)]
struct Bad {
    #[gone]
    journal: Journal,
    #[gone]
    deed: (Hook, Deed),
    #[gone]
    _bottom: Arc<Bottom>,
}

impl Bad {
    async fn act(&self, hook: Hook) -> gone::Result<()> {
        if self.deed.0 == hook {
            match self.deed.1 {
                Deed::Fail => Err(std::io::Error::other("told to"))?,
                Deed::Panic => panic!("told to"),
                Deed::Hang => std::future::pending().await,
            }
        }
        self.journal.add(format!("Bad {hook}"));
        Ok(())
    }
}

impl BeforeInit for Bad {
    async fn before_init(&mut self) -> gone::Result<()> {
        self.act(Hook::BeforeInit).await
    }
}
impl Init for Bad {
    async fn init(&mut self) -> gone::Result<()> {
        self.act(Hook::Init).await
    }
}
impl Start for Bad {
    async fn start(&self) -> gone::Result<()> {
        self.act(Hook::Start).await
    }
}
impl Stop for Bad {
    async fn stop(&self) -> gone::Result<()> {
        self.act(Hook::Stop).await
    }
}
impl Close for Bad {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        self.act(Hook::Close).await?;
        Ok(CloseReport::clean())
    }
}

#[derive(Goner)]
struct AboveBad {
    #[gone]
    journal: Journal,
    #[gone]
    _bad: Arc<Bad>,
}
impl Start for AboveBad {
    async fn start(&self) -> gone::Result<()> {
        self.journal.add("AboveBad start");
        Ok(())
    }
}
impl Stop for AboveBad {
    async fn stop(&self) -> gone::Result<()> {
        self.journal.add("AboveBad stop");
        Ok(())
    }
}

fn with_bad(journal: &Journal, hook: Hook, deed: Deed) -> AppBuilder {
    bare().load((value(journal.clone()), value((hook, deed)), AboveBad::goner(), Bad::goner(), Bottom::goner()))
}

// container A-118
// container A-124
#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_panics_or_hangs_while_booting_names_itself_and_what_was_built_is_taken_down() {
    for hook in [Hook::BeforeInit, Hook::Init, Hook::Start] {
        for deed in [Deed::Fail, Deed::Panic, Deed::Hang] {
            let journal = Journal::default();
            let error = with_bad(&journal, hook, deed).boot().await.err().unwrap();
            assert_eq!((error.code(), error.goner(), error.hook()), (Code::Hook, Some("Bad"), Some(hook)));
            match deed {
                Deed::Fail => assert!(error.downcast_ref::<std::io::Error>().is_some()),
                Deed::Panic => assert!(error.to_string().ends_with("panicked: told to"), "{error}"),
                Deed::Hang => {
                    assert!(error.to_string().ends_with("did not end within 15s and was abandoned"), "{error}")
                }
            }
            let started = hook == Hook::Start;
            assert_eq!(journal.count("Bottom stop"), usize::from(started), "what had started is stopped");
            assert_eq!(journal.count("Bottom close"), 1, "what was built is closed");
            assert_eq!(journal.count("Bad close"), usize::from(started), "closed only if its init succeeded");
            assert_eq!(journal.count("Bad stop"), 0, "its own start did not go well");
            assert_eq!(journal.count("AboveBad start") + journal.count("AboveBad stop"), 0);
        }
    }
}

// container C-73
#[tokio::test]
async fn a_failed_start_stops_those_before_it_in_reverse_and_attaches_what_fails_then() {
    #[derive(Goner)]
    #[goner(hooks(Start, Stop))]
    struct Step<const N: usize> {
        #[gone]
        journal: Journal,
    }
    impl<const N: usize> Start for Step<N> {
        async fn start(&self) -> gone::Result<()> {
            self.journal.add(format!("start {N}"));
            if N == 3 {
                gone::bail!("the original");
            }
            Ok(())
        }
    }
    impl<const N: usize> Stop for Step<N> {
        async fn stop(&self) -> gone::Result<()> {
            self.journal.add(format!("stop {N}"));
            gone::bail!("rollback {N}")
        }
    }
    let journal = Journal::default();
    let steps = (
        Step::<1>::goner().order(1),
        Step::<2>::goner().order(2),
        Step::<3>::goner().order(3),
        Step::<4>::goner().order(4),
    );
    let error = bare().load((value(journal.clone()), steps)).boot().await.err().unwrap();
    assert_eq!(journal.lines(), ["start 1", "start 2", "start 3", "stop 2", "stop 1"]);
    assert!(error.to_string().ends_with("the original"), "{error}");
    let attached: Vec<_> =
        error.attached().iter().map(|it| it.to_string().rsplit(": ").next().unwrap().to_owned()).collect();
    assert_eq!(attached, ["rollback 2", "rollback 1"]);
    assert_eq!(error.exit_code(), 1);
}

// container C-88
// container A-128
#[tokio::test(start_paused = true)]
async fn every_stop_and_close_is_reached_and_all_errors_are_collected() {
    for hook in [Hook::Stop, Hook::Close] {
        for deed in [Deed::Fail, Deed::Panic, Deed::Hang] {
            let journal = Journal::default();
            let app = with_bad(&journal, hook, deed).boot().await.unwrap();
            let begun = Instant::now();
            let error = app.stop().await.unwrap_err();
            assert_eq!((error.code(), error.goner(), error.hook()), (Code::Stop, Some("Bad"), Some(hook)));
            assert_eq!(error.kind(), Some(gone::MessageKind::StopFailed));
            assert_eq!(error.exit_code(), 2);
            assert_eq!(journal.count("AboveBad stop"), 1);
            assert_eq!(
                (journal.count("Bottom stop"), journal.count("Bottom close")),
                (1, 1),
                "what lies below is reached"
            );
            let expected = if deed == Deed::Hang { 10 } else { 0 };
            assert_eq!(begun.elapsed().as_secs(), expected, "a stuck hook is abandoned after its budget");
        }
    }
}

#[tokio::test]
async fn the_functions_error_comes_first_and_those_of_stopping_are_attached() {
    let journal = Journal::default();
    let error =
        with_bad(&journal, Hook::Stop, Deed::Fail).run(async || gone::bail!("the function's own")).await.unwrap_err();
    assert_eq!(error.to_string(), "the function's own");
    assert_eq!(error.attached().len(), 1);
    assert_eq!(error.attached()[0].code(), Code::Stop);
    assert_eq!(error.exit_code(), 1);
    let error =
        with_bad(&journal, Hook::Stop, Deed::Panic).run(async || gone::bail!("the function's own")).await.unwrap_err();
    assert_eq!(error.attached()[0].code(), Code::Stop, "also of a panic");
    let panicked = with_bad(&journal, Hook::Run, Deed::Fail).run(async || panic!("in the function")).await.unwrap_err();
    assert_eq!(panicked.to_string(), "panicked: in the function");
    assert_eq!(journal.count("Bottom stop"), 3, "stopped each time");
}

// container C-91
#[tokio::test]
async fn stopping_twice_or_from_two_tasks_runs_the_hooks_once_and_gives_both_the_same() {
    let journal = Journal::default();
    let app = Arc::new(with_bad(&journal, Hook::Stop, Deed::Fail).boot().await.unwrap());
    let other = Arc::clone(&app);
    let (one, two) = tokio::join!(app.stop(), tokio::spawn(async move { other.stop().await }));
    let (one, two, three) = (one.unwrap_err(), two.unwrap().unwrap_err(), app.stop().await.unwrap_err());
    assert_eq!(one.to_string(), two.to_string());
    assert_eq!(one.to_string(), three.to_string());
    assert_eq!(journal.count("Bottom stop"), 1);
}

// container C-95
#[tokio::test]
async fn a_stop_succeeds_just_if_nothing_failed_in_it() {
    #[derive(Goner)]
    struct Ends {
        stop: bool,
        close: bool,
    }
    impl Stop for Ends {
        async fn stop(&self) -> gone::Result<()> {
            if self.stop { Ok(()) } else { gone::bail!("stop") }
        }
    }
    impl Close for Ends {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            if self.close { Ok(CloseReport::clean().lost(3)) } else { gone::bail!("close") }
        }
    }
    for (stop, close, expected) in
        [(true, true, ""), (false, true, "stop"), (true, false, "close"), (false, false, "stop close")]
    {
        let app = AppBuilder::new().load(Ends::goner().with(move |it| (it.stop, it.close) = (stop, close)));
        let stopped = app.boot().await.unwrap().stop().await;
        let errors: Vec<_> = stopped
            .err()
            .into_iter()
            .flat_map(|error| [vec![error.clone()], error.attached().to_vec()].concat())
            .collect();
        let said: Vec<_> = errors.iter().map(|error| error.hook().unwrap().as_str()).collect();
        assert_eq!(said.join(" "), expected);
    }
}
