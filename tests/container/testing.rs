//! What tests of users' code get.

use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, StateError, TestFlag};

use crate::{Journal, bare, problems};

#[derive(Goner)]
struct Mailer {
    #[gone]
    test: Option<TestFlag>,
}

#[derive(Goner)]
struct OnlyInTests {
    #[gone]
    _test: TestFlag,
}

// container A-126
#[tokio::test]
async fn a_test_can_be_told_from_a_run() {
    bare()
        .load((Mailer::goner(), OnlyInTests::goner()))
        .test(async |mailer: Arc<Mailer>, _: TestFlag| {
            assert!(mailer.test.is_some());
            Ok(())
        })
        .await
        .unwrap();
    bare()
        .load(Mailer::goner())
        .run(async |mailer: Arc<Mailer>| {
            assert!(mailer.test.is_none());
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(problems(bare().load(OnlyInTests::goner())), ["gone::missing: nothing offers `TestFlag`"]);
}

#[derive(Goner)]
struct Repo {
    #[gone]
    journal: Journal,
    #[gone]
    _pool: Arc<Pool>,
    #[gone]
    peer: Lazy<Peer>,
    #[gone]
    _numbers: u32,
}
#[derive(Goner)]
struct Pool {
    #[gone]
    journal: Journal,
}
#[derive(Goner)]
struct Peer {
    #[gone]
    journal: Journal,
}
#[derive(Goner)]
#[goner(name = "server")]
struct Server {
    #[gone]
    journal: Journal,
    #[gone]
    _repo: Arc<Repo>,
}
#[derive(Goner)]
struct Numbers {
    #[gone]
    journal: Journal,
}
impl NoneParamProvider for Numbers {
    type Output = u32;
    async fn provide(&self) -> gone::Result<u32> {
        self.journal.add("number");
        Ok(1)
    }
}
#[derive(Goner)]
struct Letters {
    #[gone]
    journal: Journal,
}
impl NoneParamProvider for Letters {
    type Output = char;
    async fn provide(&self) -> gone::Result<char> {
        self.journal.add("letter");
        Ok('a')
    }
}
macro_rules! init {
    ($($goner:ident)*) => {$(
        impl Init for $goner {
            async fn init(&mut self) -> gone::Result<()> {
                self.journal.add(stringify!($goner));
                Ok(())
            }
        }
    )*};
}
init!(Repo Pool Peer Server Numbers Letters);

fn service(journal: &Journal) -> AppBuilder {
    bare().load(value(journal.clone())).load((
        Repo::goner(),
        Pool::goner(),
        Peer::goner(),
        Server::goner(),
        Numbers::goner(),
        Letters::goner(),
    ))
}

// container C-5
#[tokio::test]
async fn what_a_test_does_not_need_is_checked_and_not_built() {
    let journal = Journal::default();
    let test = async |repo: Arc<Repo>, handle: Handle| {
        assert!(repo.peer.get().is_ok(), "what a lazy stands for is needed too");
        let not_built = |error: gone::Error| match error.source().unwrap().downcast_ref() {
            Some(StateError::NotBuilt(name)) => name.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(not_built(handle.get::<Arc<Server>>().err().unwrap()), "Server");
        assert_eq!(not_built(handle.get_named::<Arc<Server>>("server").err().unwrap()), "Server");
        assert_eq!(not_built(handle.make::<char>("").await.err().unwrap()), "Letters");
        Ok(())
    };
    service(&journal).only_needed().test(test).await.unwrap();
    let mut built = journal.lines();
    built.sort();
    assert_eq!(built, ["Numbers", "Peer", "Pool", "Repo", "number"]);

    let journal = Journal::default();
    let app = service(&journal).only::<Arc<Pool>>().boot().await.unwrap();
    assert_eq!(journal.lines(), ["Pool"]);
    assert!(app.get::<Arc<Pool>>().is_ok());
    app.stop().await.unwrap();

    let journal = Journal::default();
    service(&journal).boot().await.unwrap().stop().await.unwrap();
    let mut built = journal.lines();
    built.sort();
    assert_eq!(built, ["Letters", "Numbers", "Peer", "Pool", "Repo", "Server", "number"], "else all are");
}

// container A-114
#[tokio::test]
async fn a_goner_that_nobody_needs_is_initialised_once_unless_only_what_is_needed_is_built() {
    let journal = Journal::default();
    service(&journal).boot().await.unwrap().stop().await.unwrap();
    assert_eq!(journal.count("Server"), 1);
    let journal = Journal::default();
    service(&journal).only_needed().test(async |_: Arc<Pool>| Ok(())).await.unwrap();
    assert_eq!((journal.count("Server"), journal.count("Pool")), (0, 1));
}

#[test]
fn what_is_asked_for_and_missing_is_a_problem_also_where_only_what_is_needed_is_built() {
    #[derive(Goner)]
    struct Broken {
        #[gone]
        _missing: Arc<u8>,
    }
    let found = problems(bare().load(Broken::goner()).only::<Arc<u16>>());
    assert_eq!(found, ["gone::missing: nothing offers `Arc<u8>`", "gone::missing: nothing offers `Arc<u16>`"]);
}

#[tokio::test]
async fn a_bundle_may_be_what_a_test_takes() {
    #[derive(Inject)]
    struct Given {
        #[gone("server")]
        server: Arc<Server>,
    }
    let journal = Journal::default();
    let test = async |given: Given| {
        given.server.journal.add("test");
        Err(gone::Error::msg("the test's own"))
    };
    let error = service(&journal).only_needed().test_with(test).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (Code::Other, "the test's own"));
    assert_eq!((journal.count("test"), journal.count("Letters")), (1, 0));
}

trait Store: Send + Sync {
    fn name(&self) -> &'static str;
}
#[derive(Goner)]
#[goner(offers(dyn Store))]
struct Production {
    #[gone]
    journal: Journal,
}
impl Init for Production {
    async fn init(&mut self) -> gone::Result<()> {
        self.journal.add("production");
        Ok(())
    }
}
impl Run for Production {
    async fn run(&self, told: ShutdownToken) -> gone::Result<()> {
        told.cancelled().await;
        Ok(())
    }
}
impl Store for Production {
    fn name(&self) -> &'static str {
        "production"
    }
}
#[derive(Goner)]
#[goner(offers(dyn Store))]
struct Fake;
impl Store for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
}

fn shop(journal: &Journal) -> AppBuilder {
    bare().load((value(journal.clone()), Production::goner()))
}

// container C-100
#[tokio::test]
async fn two_applications_in_one_process_know_nothing_of_each_other() {
    let (real, faked) = (Journal::default(), Journal::default());
    let fake = Fake::goner().replace();
    let (real_app, faked_app) = tokio::join!(shop(&real).boot(), shop(&faked).load(fake).boot());
    let (real_app, faked_app) = (real_app.unwrap(), faked_app.unwrap());
    let name = |app: &gone::Running| app.get::<Arc<dyn Store>>().unwrap().name();
    assert_eq!((name(&real_app), name(&faked_app)), ("production", "fake"));
    assert_eq!(
        (real.lines(), faked.lines()),
        (vec!["production".to_owned()], Vec::new()),
        "the replaced one never ran"
    );
    faked_app.stop().await.unwrap();
    assert_eq!(name(&real_app), "production", "the other goes on");

    // Dropped without a stop, it says so, and is stopped in the background to the last task.
    let said = crate::Said::default();
    let _guard = said.listen();
    let goner = Arc::downgrade(&real_app.get::<Arc<Production>>().unwrap());
    drop(real_app);
    assert_eq!(said.count("an application was dropped without a stop"), 1);
    let ended = async {
        while goner.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), ended).await.expect("the goner and its task are gone");
}

/// What `#[gone::test]` makes of functions: they are tests themselves.
mod attribute {
    use std::time::Duration;

    use gone::prelude::*;

    #[gone::test]
    async fn a_test_may_return_a_result() -> gone::Result<()> {
        crate::bare()
            .load(value(7_u8))
            .test(async |seven: u8| {
                assert_eq!(seven, 7);
                Ok(())
            })
            .await
    }

    #[gone::test(start_paused = true)]
    async fn time_can_be_paused() {
        let begun = std::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[gone::test(flavor = "multi_thread", worker_threads = 2)]
    async fn it_may_have_several_threads() {
        assert_eq!(tokio::runtime::Handle::current().metrics().num_workers(), 2);
    }

    #[gone::test]
    #[should_panic(expected = "error[gone::missing]: nothing offers `u8`")]
    async fn an_error_fails_the_test_with_the_whole_report() -> gone::Result<()> {
        crate::bare().test(async |_: u8| Ok(())).await
    }
}
