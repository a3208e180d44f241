use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gone::prelude::*;
use gone::{Code, Hook};
use tokio::time::{Instant, sleep};

use crate::{Journal, bare};

/// A goner that writes every hook into the journal, and needs what its tag says.
macro_rules! goners {
    ($($name:ident { $($field:ident: $ty:ty),* })*) => {$(
        #[derive(Goner)]
        struct $name {
            #[gone]
            journal: Journal,
            $(#[gone] #[allow(dead_code, reason = "only needed")] $field: $ty,)*
        }
        impl BeforeInit for $name {
            async fn before_init(&mut self) -> gone::Result<()> {
                self.journal.add(concat!(stringify!($name), " before_init"));
                Ok(())
            }
        }
        impl Init for $name {
            async fn init(&mut self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " init"));
                Ok(())
            }
        }
        impl Start for $name {
            async fn start(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " start"));
                Ok(())
            }
        }
        impl Stop for $name {
            async fn stop(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " stop"));
                Ok(())
            }
        }
        impl Close for $name {
            async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
                tokio::task::yield_now().await;
                self.journal.add(concat!(stringify!($name), " close"));
                Ok(CloseReport::clean())
            }
        }
    )*};
}
goners! {
    Top { middle: Arc<Middle> }
    Middle { bottom: Arc<Bottom> }
    Bottom {}
    Alone {}
}

fn tower(journal: &Journal) -> AppBuilder {
    bare().load((value(journal.clone()), Top::goner(), Middle::goner(), Bottom::goner()))
}

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

// container C-92
#[tokio::test]
async fn an_application_that_was_not_started_is_closed_without_a_stop() {
    let journal = Journal::default();
    let app = tower(&journal).plan().unwrap().build().await.unwrap();
    app.close().await.unwrap();
    let lines = journal.lines();
    assert_eq!(lines[6..], ["Top close", "Middle close", "Bottom close"]);
}

#[derive(Goner)]
#[goner(hooks(Init, Stop))]
struct Slow<const N: usize>;
impl<const N: usize> Init for Slow<N> {
    async fn init(&mut self) -> gone::Result<()> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}
impl<const N: usize> Stop for Slow<N> {
    async fn stop(&self) -> gone::Result<()> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}

// container C-90
#[tokio::test(start_paused = true)]
async fn independent_goners_boot_and_stop_concurrently() {
    let loaded = (
        Slow::<0>::goner(),
        Slow::<1>::goner(),
        Slow::<2>::goner(),
        Slow::<3>::goner(),
        Slow::<4>::goner(),
        Slow::<5>::goner(),
        Slow::<6>::goner(),
        Slow::<7>::goner(),
    );
    let begun = Instant::now();
    let app = bare().load(loaded).boot().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 100);
    app.stop().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 200);
}

// container C-66
#[tokio::test(start_paused = true)]
async fn no_more_than_the_maximum_are_built_at_once() {
    let loaded = (Slow::<0>::goner(), Slow::<1>::goner(), Slow::<2>::goner(), Slow::<3>::goner());
    let begun = Instant::now();
    let app = bare().load(loaded).options(|it| it.max_parallel = 3).boot().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 200);
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_is_dropped_at_any_point_closes_what_it_built_exactly_once() {
    let mut reached_the_end = false;
    for polls in 1..200 {
        let journal = Journal::default();
        let mut boot = Box::pin(tower(&journal).boot());
        let mut done = None;
        for _ in 0..polls {
            tokio::task::yield_now().await;
            if let std::task::Poll::Ready(app) =
                std::future::poll_fn(|context| std::task::Poll::Ready(boot.as_mut().poll(context))).await
            {
                done = Some(app.unwrap());
                break;
            }
        }
        drop(boot);
        reached_the_end |= done.is_some();
        drop(done);
        sleep(Duration::from_secs(60)).await;
        for goner in ["Top", "Middle", "Bottom"] {
            let built = journal.count(&format!("{goner} init"));
            let closed = journal.count(&format!("{goner} close"));
            let started = journal.count(&format!("{goner} start"));
            let stopped = journal.count(&format!("{goner} stop"));
            assert_eq!(built, closed, "{goner} after {polls} polls: {:?}", journal.lines());
            assert!(stopped <= started, "{goner} after {polls} polls: {:?}", journal.lines());
        }
        if reached_the_end {
            break;
        }
    }
    assert!(reached_the_end, "the boot never came to its end");
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_takes_longer_than_its_budget_is_rolled_back() {
    let journal = Journal::default();
    let loaded = (value(journal.clone()), Bottom::goner(), Slow::<0>::goner());
    let error = bare().load(loaded).options(|it| it.boot = Duration::from_millis(50)).boot().await.err().unwrap();
    assert!(error.to_string().contains("not ready within 50ms; it waited for `Slow<0>` in init"), "{error}");
    assert_eq!((journal.count("Bottom init"), journal.count("Bottom close")), (1, 1));
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

#[tokio::test(start_paused = true)]
async fn a_dropped_close_or_rollback_goes_on_to_its_end() {
    #[derive(Goner)]
    struct Low {
        #[gone]
        journal: Journal,
    }
    #[derive(Goner)]
    struct High {
        #[gone]
        journal: Journal,
        #[gone]
        _low: Arc<Low>,
    }
    #[derive(Goner)]
    struct Fails {
        #[gone]
        _high: Arc<High>,
    }
    macro_rules! slow_end {
        ($name:ident) => {
            impl Stop for $name {
                async fn stop(&self) -> gone::Result<()> {
                    sleep(Duration::from_millis(100)).await;
                    self.journal.add(concat!(stringify!($name), " stop"));
                    Ok(())
                }
            }
            impl Close for $name {
                async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
                    sleep(Duration::from_millis(100)).await;
                    self.journal.add(concat!(stringify!($name), " close"));
                    Ok(CloseReport::clean())
                }
            }
        };
    }
    slow_end!(Low);
    slow_end!(High);
    impl Start for Fails {
        async fn start(&self) -> gone::Result<()> {
            gone::bail!("no")
        }
    }
    let loaded = |journal: &Journal| bare().load((value(journal.clone()), Low::goner(), High::goner()));
    let journal = Journal::default();
    let app = loaded(&journal).plan().unwrap().build().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), app.close()).await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(journal.lines(), ["High close", "Low close"]);
    for cut in [50, 150, 250, 350] {
        let journal = Journal::default();
        let boot = loaded(&journal).load(Fails::goner()).boot();
        assert!(tokio::time::timeout(Duration::from_millis(cut), boot).await.is_err());
        sleep(Duration::from_secs(1)).await;
        assert_eq!(journal.lines(), ["High stop", "Low stop", "High close", "Low close"], "cut after {cut} ms");
    }
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
