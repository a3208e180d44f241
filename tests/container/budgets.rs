//! Budgets and policies of single goners, and what is said when everything has started.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gone::prelude::*;
use gone::{Code, EarlyEnd, Hook, provide_blocking};
use tokio::time::{Instant, sleep};

use crate::tower::tower;
use crate::{Journal, Said, bare};

const SECOND: Duration = Duration::from_secs(1);

/// Takes as long as it is told to.
#[derive(Goner)]
#[goner(hooks(Start, Stop, Close))]
struct Slow<const N: usize> {
    start: Duration,
    stop: Duration,
}
impl<const N: usize> Start for Slow<N> {
    async fn start(&self) -> gone::Result<()> {
        tokio::time::sleep(self.start).await;
        Ok(())
    }
}
impl<const N: usize> Stop for Slow<N> {
    async fn stop(&self) -> gone::Result<()> {
        tokio::time::sleep(self.stop).await;
        Ok(())
    }
}
impl<const N: usize> Close for Slow<N> {
    async fn close(&self, deadline: Deadline) -> gone::Result<CloseReport> {
        assert!(deadline.remaining() <= Duration::from_secs(20));
        Ok(CloseReport::clean())
    }
}

fn slow<const N: usize>(start: u32, stop: u32) -> gone::Spec<Slow<N>> {
    Slow::<N>::goner().with(move |it| (it.start, it.stop) = (start * SECOND, stop * SECOND))
}

// container C-81
#[tokio::test(start_paused = true)]
async fn a_goners_own_budget_is_the_one_that_counts_and_is_reported() {
    let begun = Instant::now();
    let error = bare().load((slow::<0>(9, 0).start_budget(2 * SECOND), slow::<1>(5, 0))).boot().await.unwrap_err();
    assert_eq!((error.code(), error.hook(), error.goner()), (Code::Hook, Some(Hook::Start), Some("Slow<0>")));
    assert!(error.to_string().contains("2s"), "{error}");
    assert_eq!(begun.elapsed(), 2 * SECOND);

    // Longer than that of the application, too.
    let begun = Instant::now();
    let app = bare().load((slow::<0>(20, 14).start_budget(30 * SECOND).stop_budget(20 * SECOND), slow::<1>(1, 12)));
    let app = app.boot().await.unwrap();
    assert_eq!(begun.elapsed(), 20 * SECOND);
    let begun = Instant::now();
    let error = app.stop().await.unwrap_err();
    assert_eq!((error.hook(), error.goner()), (Some(Hook::Stop), Some("Slow<1>")));
    assert!(error.to_string().contains("10s"), "{error}");
    assert_eq!(error.attached().len(), 0, "the other had its own: {error:?}");
    assert_eq!(begun.elapsed(), 14 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_shutdown_stands_above_the_budget_of_a_goner() {
    let app = bare().load(slow::<0>(0, 90).stop_budget(100 * SECOND)).boot().await.unwrap();
    let begun = Instant::now();
    assert_eq!(app.stop().await.unwrap_err().goner(), Some("Slow<0>"));
    assert_eq!(begun.elapsed(), 25 * SECOND);
}

/// What its `init` does: holds its thread, then waits.
#[derive(Goner)]
#[goner(hooks(Init, Close))]
struct First<const N: usize> {
    #[gone]
    journal: Journal,
    holds: Duration,
    waits: Duration,
}
impl<const N: usize> Init for First<N> {
    async fn init(&mut self) -> gone::Result<()> {
        self.journal.add(format!("{N} begins"));
        std::thread::sleep(self.holds);
        if !self.waits.is_zero() {
            tokio::time::sleep(self.waits).await;
        }
        self.journal.add(format!("{N} is ready"));
        Ok(())
    }
}
impl<const N: usize> Close for First<N> {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        self.journal.add(format!("{N} is closed"));
        Ok(CloseReport::clean())
    }
}

/// An early goner is polled where the application boots until it first waits: its budget, its error, the order and the close
/// are those of any other.
#[tokio::test(start_paused = true)]
async fn an_early_goner_keeps_its_budget_whether_it_waits_or_holds_its_thread() {
    let first = |holds: u32, waits: u32| {
        let (holds, waits) = (holds * Duration::from_millis(1), waits * SECOND);
        First::<0>::goner().early().start_budget(2 * SECOND).with(move |it| (it.holds, it.waits) = (holds, waits))
    };
    let ready: &[&str] = &["0 begins", "0 is ready", "1 begins", "1 is ready", "1 is closed", "0 is closed"];
    for (holds, waits, expected) in [(0, 0, ready), (1, 1, ready), (0, 3, &["0 begins"])] {
        let journal = Journal::default();
        let booted = bare().load((value(journal.clone()), First::<1>::goner(), first(holds, waits))).boot().await;
        match booted {
            Ok(app) => app.stop().await.unwrap(),
            Err(error) => {
                assert_eq!((error.hook(), error.goner()), (Some(Hook::Init), Some("First<0>")));
                assert!(error.to_string().contains("2s"), "{error}");
            }
        }
        assert_eq!(journal.lines(), expected, "{holds} {waits}");
    }
}

/// It cannot be cancelled while it holds the thread, and late is late: it fails as one that waits does, and is closed.
#[tokio::test]
async fn an_early_goner_that_holds_its_thread_past_its_budget_fails_and_is_closed() {
    let journal = Journal::default();
    let budget = Duration::from_millis(5);
    let first = First::<0>::goner().early().start_budget(budget).with(|it| it.holds = Duration::from_millis(20));
    let error = bare().load((value(journal.clone()), first, First::<1>::goner())).boot().await.unwrap_err();
    assert_eq!((error.hook(), error.goner()), (Some(Hook::Init), Some("First<0>")));
    assert!(error.to_string().contains("5ms"), "{error}");
    assert_eq!(journal.lines(), ["0 begins", "0 is ready", "0 is closed"]);
}

/// Its work is done after a second.
#[derive(Goner)]
struct Job {
    #[gone]
    journal: Journal,
}
impl Run for Job {
    async fn run(&self, _: ShutdownToken) -> gone::Result<()> {
        tokio::time::sleep(SECOND).await;
        self.journal.add("done");
        Ok(())
    }
}
impl Stop for Job {
    async fn stop(&self) -> gone::Result<()> {
        self.journal.add("stop");
        Ok(())
    }
}

// container C-83
#[tokio::test(start_paused = true)]
async fn an_early_end_of_a_task_is_ignored_unless_it_is_to_stop_the_application() {
    assert_eq!(gone::Options::default().early_end, EarlyEnd::Ignore);
    let job = |journal: &Journal| bare().load(value(journal.clone()));
    let serves = async |app: AppBuilder| tokio::time::timeout(60 * SECOND, app.serve()).await;

    let journal = Journal::default();
    assert!(serves(job(&journal).load(Job::goner())).await.is_err(), "it goes on");
    assert_eq!(journal.lines()[0], "done");

    let stopping: [fn(AppBuilder) -> AppBuilder; 2] = [
        |app| app.load(Job::goner()).options(|it| it.early_end = EarlyEnd::Stop),
        |app| app.load(Job::goner().early_end(EarlyEnd::Stop)),
    ];
    for load in stopping {
        let journal = Journal::default();
        let begun = Instant::now();
        let end = async |shutdown: Shutdown| {
            shutdown.requested().await;
            assert_eq!(shutdown.reason().unwrap(), "the background task of `Job` has come to its end");
            Ok(())
        };
        load(job(&journal)).run(end).await.unwrap();
        assert_eq!((journal.lines(), begun.elapsed()), (vec!["done".to_owned(), "stop".to_owned()], SECOND));
    }
    let journal = Journal::default();
    let own = Job::goner().early_end(EarlyEnd::Ignore);
    let app = job(&journal).load(own).options(|it| it.early_end = EarlyEnd::Stop);
    assert!(serves(app).await.is_err(), "the goner's own word stands above the application's");
}

// container C-69
#[tokio::test(flavor = "current_thread")]
async fn a_provider_that_blocks_its_thread_lets_others_go_on() {
    #[derive(Goner)]
    struct Blocked {
        #[gone]
        number: u64,
    }
    #[derive(Goner)]
    struct Other {
        #[gone]
        freed: Arc<Mutex<Option<std::sync::mpsc::Sender<u64>>>>,
    }
    impl Init for Other {
        async fn init(&mut self) -> gone::Result<()> {
            tokio::task::yield_now().await;
            self.freed.lock().unwrap().take().unwrap().send(7)?;
            Ok(())
        }
    }
    // On the one thread of the runtime this would wait for ever for what `Other` sends.
    let (sender, receiver) = std::sync::mpsc::channel();
    let (sender, receiver) = (Arc::new(Mutex::new(Some(sender))), Mutex::new(receiver));
    let waits = provide_blocking(move |base: u32| {
        let sent: u64 = receiver.lock().unwrap().recv_timeout(Duration::from_secs(10))?;
        Ok(u64::from(base) + sent)
    });
    let app = bare().load((value(sender), value(1_u32), Other::goner(), Blocked::goner(), waits));
    let app = app.boot().await.unwrap();
    assert_eq!(app.get::<Arc<Blocked>>().unwrap().number, 8);
    app.stop().await.unwrap();

    let panics = bare().load((Blocked::goner(), provide_blocking(|| -> gone::Result<u64> { panic!("in its thread") })));
    let error = panics.boot().await.unwrap_err();
    assert_eq!((error.code(), error.hook()), (Code::Hook, Some(Hook::Provide)));
    assert!(error.to_string().contains("in its thread"), "{error}");
}

#[derive(Goner)]
struct Probed {
    #[gone]
    handle: Handle,
    #[gone]
    journal: Journal,
}
macro_rules! probe {
    ($($hook:ident $method:ident;)*) => {$(
        impl $hook for Probed {
            async fn $method(&self) -> gone::Result<()> {
                self.journal.add(format!("{} {}", stringify!($method), self.handle.is_ready()));
                Ok(())
            }
        }
    )*};
}
probe! { Start start; AfterStart after_start; BeforeStop before_stop; }

// container C-84
#[tokio::test]
async fn it_is_said_once_that_all_has_started_and_it_is_ready_then_and_not_before() {
    let said = Said::default();
    let _guard = said.listen();
    let ready = || said.count("ready in");
    let journal = Journal::default();
    let app = bare().load((Probed::goner(), value(journal.clone()))).boot().await.unwrap();
    assert_eq!((ready(), app.is_ready()), (1, true));
    assert!(app.get::<Handle>().unwrap().is_ready());
    app.stop().await.unwrap();
    assert_eq!((ready(), app.is_ready()), (1, false));
    assert_eq!(journal.lines(), ["start false", "after_start false", "before_stop false"]);

    let failing = bare().load((slow::<0>(9, 0).start_budget(Duration::ZERO), Probed::goner(), value(journal)));
    failing.boot().await.unwrap_err();
    assert_eq!(ready(), 1, "a boot that fails is never ready");
}

#[tokio::test(start_paused = true)]
async fn each_hook_of_construction_has_a_budget_of_its_own_and_a_hanging_provider_is_named_with_the_field() {
    #[derive(Goner)]
    struct Slowly {
        #[gone]
        _made: u8,
    }
    impl BeforeInit for Slowly {
        async fn before_init(&mut self) -> gone::Result<()> {
            sleep(Duration::from_secs(10)).await;
            Ok(())
        }
    }
    impl Init for Slowly {
        async fn init(&mut self) -> gone::Result<()> {
            sleep(Duration::from_secs(10)).await;
            Ok(())
        }
    }
    #[derive(Goner)]
    struct Never;
    impl NoneParamProvider for Never {
        type Output = u8;
        async fn provide(&self) -> gone::Result<u8> {
            std::future::pending().await
        }
    }
    let slow = provide(|| async {
        sleep(Duration::from_secs(10)).await;
        Ok(1_u8)
    });
    let app = bare().load((Slowly::goner(), slow)).boot().await.unwrap();
    app.stop().await.unwrap();
    let begun = Instant::now();
    let error = bare().load((Slowly::goner(), Never::goner())).boot().await.err().unwrap();
    assert_eq!(begun.elapsed().as_secs(), 15);
    assert_eq!((error.goner(), error.hook()), (Some("Never"), Some(Hook::Provide)));
    assert_eq!(error.asker().unwrap().to_string(), "Slowly._made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_init_that_succeeds_after_its_budget_is_closed_all_the_same() {
    #[derive(Goner)]
    struct Blocks {
        #[gone]
        journal: Journal,
    }
    impl Init for Blocks {
        async fn init(&mut self) -> gone::Result<()> {
            std::thread::sleep(Duration::from_millis(400));
            self.journal.add("init");
            Ok(())
        }
    }
    impl Close for Blocks {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.journal.add("close");
            Ok(CloseReport::clean())
        }
    }
    let journal = Journal::default();
    let builder = bare().load((value(journal.clone()), Blocks::goner()));
    let error = builder.options(|it| it.start_hook = Duration::from_millis(50)).boot().await.err().unwrap();
    assert!(error.to_string().ends_with("did not end within 50ms and was abandoned"), "{error}");
    assert_eq!(journal.lines(), ["init", "close"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_succeeds_after_its_budget_is_stopped_all_the_same() {
    #[derive(Goner)]
    struct Blocks {
        #[gone]
        journal: Journal,
    }
    impl Start for Blocks {
        async fn start(&self) -> gone::Result<()> {
            // It cannot be cancelled, and comes to a good end when nobody waits for it any more.
            std::thread::sleep(Duration::from_millis(60));
            self.journal.add("started");
            Ok(())
        }
    }
    impl Stop for Blocks {
        async fn stop(&self) -> gone::Result<()> {
            self.journal.add("stopped");
            Ok(())
        }
    }
    let journal = Journal::default();
    let blocks = Blocks::goner().start_budget(Duration::from_millis(5));
    let error = AppBuilder::new().load((value(journal.clone()), blocks)).boot().await.unwrap_err();
    assert_eq!((error.goner(), error.hook()), (Some("Blocks"), Some(Hook::Start)));
    assert_eq!(journal.lines(), ["started", "stopped"]);
}

#[tokio::test]
async fn endless_budgets_are_fine_and_a_drop_that_panics_ends_nothing_else() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    let endless = |it: &mut gone::Options| {
        (it.start_hook, it.stop_hook) = (Duration::MAX, Duration::MAX);
        (it.boot, it.shutdown) = (Duration::MAX, Duration::MAX);
    };
    let journal = Journal::default();
    let app = tower(&journal).load(value(Arc::new(Bomb))).options(endless).boot().await.unwrap();
    app.stop().await.unwrap();
    assert_eq!(journal.count("Bottom close"), 1);
}
