//! Groups: sites that take all of a kind, and names.

use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, Hook};

use crate::{Journal, bare, problems};

trait Part: Send + Sync {
    fn name(&self) -> String;
}

macro_rules! parts {
    ($($part:ident)*) => {$(
        #[derive(Goner)]
        #[goner(offers(dyn Part))]
        struct $part {
            #[gone]
            journal: Option<Journal>,
        }
        impl Part for $part {
            fn name(&self) -> String {
                stringify!($part).to_owned()
            }
        }
        impl Start for $part {
            async fn start(&self) -> gone::Result<()> {
                // The longer a member takes, the sooner a group that does not wait would show.
                tokio::task::yield_now().await;
                self.journal.iter().for_each(|it| it.add(concat!("start ", stringify!($part))));
                Ok(())
            }
        }
        impl Stop for $part {
            async fn stop(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.iter().for_each(|it| it.add(concat!("stop ", stringify!($part))));
                Ok(())
            }
        }
    )*};
}
parts!(Bolt Nut Gear);

#[derive(Goner)]
struct Machine {
    #[gone]
    parts: Vec<Arc<dyn Part>>,
    #[gone]
    journal: Option<Journal>,
}
impl Machine {
    fn names(&self) -> Vec<String> {
        self.parts.iter().map(|part| part.name()).collect()
    }
}
impl Start for Machine {
    async fn start(&self) -> gone::Result<()> {
        self.journal.iter().for_each(|it| it.add("start Machine"));
        Ok(())
    }
}
impl Stop for Machine {
    async fn stop(&self) -> gone::Result<()> {
        tokio::task::yield_now().await;
        self.journal.iter().for_each(|it| it.add("stop Machine"));
        Ok(())
    }
}

fn bolts(loader: &mut Loader) {
    loader.load(Bolt::goner());
}
fn nuts(loader: &mut Loader) {
    loader.load(Nut::goner());
}
fn gears(loader: &mut Loader) {
    loader.load(Gear::goner());
}

// container C-26
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_three_modules_come_in_the_same_order_fifty_times() {
    for _ in 0..50 {
        let app = bare().load((gears, Machine::goner(), bolts, nuts)).boot().await.unwrap();
        assert_eq!(app.get::<Arc<Machine>>().unwrap().names(), ["Gear", "Bolt", "Nut"]);
        app.stop().await.unwrap();
    }
}

// container C-30
#[tokio::test]
async fn whoever_takes_a_group_starts_after_all_its_members_and_stops_before_them() {
    let journal = Journal::default();
    let app = bare().load((value(journal.clone()), Machine::goner(), bolts, nuts, gears)).boot().await.unwrap();
    app.stop().await.unwrap();
    let lines = journal.lines();
    assert_eq!((lines[3].as_str(), lines[4].as_str(), lines.len()), ("start Machine", "stop Machine", 8));
}

// container C-29
#[tokio::test]
async fn a_member_that_fails_is_named_and_so_is_the_group() {
    #[derive(Goner)]
    #[goner(offers(dyn Part))]
    struct Rusty;
    impl Init for Rusty {
        async fn init(&mut self) -> gone::Result<()> {
            gone::bail!("it is rusty")
        }
    }
    impl Part for Rusty {
        fn name(&self) -> String {
            "Rusty".into()
        }
    }
    let error = bare().load((bolts, Rusty::goner(), Machine::goner())).boot().await.unwrap_err();
    assert_eq!((error.goner(), error.hook()), (Some("Rusty"), Some(Hook::Init)));
    assert_eq!(error.needed_by().unwrap().to_string(), "Machine.parts");
    let text = format!("{error:?}");
    assert!(text.contains("`Rusty` failed in init") && text.contains("needed by: `Machine.parts`"), "{text}");

    let members = provide(|| async { gone::bail!("out of stock") as gone::Result<Arc<dyn Part>> });
    let error = bare().load((bolts, members, Machine::goner())).boot().await.unwrap_err();
    assert!(error.goner().unwrap().starts_with("closure for"), "{error}");
    assert_eq!(error.asker().unwrap().to_string(), "Machine.parts");
}

// container A-49
#[tokio::test]
async fn globs_take_goners_and_providers_by_their_names() {
    #[derive(Goner)]
    struct X;
    #[derive(Goner)]
    struct Globs {
        #[gone("*")]
        all: Vec<Arc<X>>,
        #[gone("test-*")]
        test: Vec<Arc<X>>,
        #[gone("test-1*")]
        one: Vec<Arc<X>>,
        #[gone("test-?234")]
        exact: Vec<Arc<X>>,
    }
    async fn make() -> gone::Result<Arc<X>> {
        Ok(Arc::new(X))
    }
    let app = bare()
        .load((X::goner(), X::goner().named("test-1"), X::goner().named("test-1234"), X::goner().named("test-2")))
        .load((provide(make).named("test-2234").default(), provide(make).named("test-12345"), Globs::goner()))
        .boot()
        .await
        .unwrap();
    let globs = app.get::<Arc<Globs>>().unwrap();
    let counts = (globs.all.len(), globs.test.len(), globs.one.len(), globs.exact.len());
    assert_eq!(counts, (6, 5, 3, 2));
    app.stop().await.unwrap();
}

// container C-25
#[tokio::test]
async fn a_named_one_that_needs_another_of_its_type_is_no_circle() {
    #[derive(Goner)]
    struct Base {
        name: &'static str,
    }
    trait Layer: Send + Sync {
        fn text(&self) -> String;
    }
    impl Layer for Base {
        fn text(&self) -> String {
            self.name.to_owned()
        }
    }
    struct Upon(Arc<dyn Layer>);
    impl Layer for Upon {
        fn text(&self) -> String {
            format!("b on {}", self.0.text())
        }
    }
    let upon = gone::SpecBuilder::<Upon>::new(|sites| Upon(sites.take()))
        .one::<Arc<dyn Layer>>("below", "a")
        .offers::<dyn Layer>(|it| it)
        .build();
    let base = Base::goner().with(|it| it.name = "a").named("a").offers::<dyn Layer>(|it| it);
    let app = bare().load((upon.named("b"), base)).boot().await.unwrap();
    assert_eq!(app.get_named::<Arc<dyn Layer>>("b").unwrap().text(), "b on a");
    app.stop().await.unwrap();
}

// container C-48
#[test]
fn circles_through_names_groups_and_optionals_are_found() {
    #[derive(Goner)]
    #[goner(name = "left")]
    struct Left {
        #[gone("right")]
        _right: Arc<Right>,
    }
    #[derive(Goner)]
    #[goner(name = "right")]
    struct Right {
        #[gone("left")]
        _left: Arc<Left>,
    }
    #[derive(Goner)]
    #[goner(offers(dyn Part))]
    struct Wheel {
        #[gone]
        _car: Arc<Car>,
    }
    impl Part for Wheel {
        fn name(&self) -> String {
            "Wheel".into()
        }
    }
    #[derive(Goner)]
    struct Car {
        #[gone]
        _parts: Vec<Arc<dyn Part>>,
    }
    #[derive(Goner)]
    struct Hen {
        #[gone]
        _egg: Option<Arc<Egg>>,
    }
    #[derive(Goner)]
    struct Egg {
        #[gone]
        _hen: Arc<Hen>,
    }
    #[derive(Goner)]
    struct Even {
        #[gone]
        _odd: std::collections::HashMap<String, Arc<Odd>>,
    }
    #[derive(Goner)]
    #[goner(name = "odd")]
    struct Odd {
        #[gone]
        _even: Arc<Even>,
    }
    let mut found = problems(bare().load((Left::goner(), Right::goner(), Wheel::goner(), Car::goner())).load((
        Hen::goner(),
        Egg::goner(),
        Even::goner(),
        Odd::goner(),
    )));
    let circle = |path: &str| format!("gone::cycle: a circle of needs: {path}");
    let mut expected =
        ["Left → Right → Left", "Car → Wheel → Car", "Egg → Hen → Egg", "Even → Odd → Even"].map(circle).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

// container C-22
#[test]
fn a_misspelt_name_lists_the_names_of_that_type_the_nearest_first() {
    #[derive(Goner)]
    struct Pool;
    #[derive(Goner)]
    struct Wants {
        #[gone("ordrs")]
        _pool: Arc<Pool>,
    }
    let app = bare().load((
        Pool::goner().named("archive"),
        Pool::goner().named("ordes"),
        Pool::goner().named("orders"),
        Pool::goner().named("order"),
        value(1_u8).named("far"),
        Wants::goner(),
    ));
    let error = app.plan().unwrap_err();
    let problem = &error.report().unwrap().problems()[0];
    assert_eq!(problem.code, Code::Missing);
    let names: Vec<_> = problem.involved.iter().map(|it| it.what.as_str()).collect();
    let listed = |name: &str| names.iter().position(|it| it.contains(&format!("`{name}`")));
    assert_eq!(listed("far"), None, "{names:?}");
    assert!(listed("orders") < listed("archive") && listed("archive") == Some(3), "{names:?}");
    assert!(listed("orders") < listed("order") && listed("ordes") < listed("order"), "{names:?}");
}

// container C-21
#[tokio::test]
async fn a_named_and_an_unnamed_one_of_a_type_stand_side_by_side() {
    #[derive(Goner)]
    struct Pool {
        size: u8,
    }
    #[derive(Goner)]
    struct Wants {
        #[gone("big")]
        named: Arc<Pool>,
        #[gone]
        unnamed: Arc<Pool>,
    }
    let big = Pool::goner().with(|it| it.size = 9).named("big").only_for_name();
    let app = bare().load((Pool::goner(), big, Wants::goner())).boot().await.unwrap();
    let wants = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((wants.named.size, wants.unnamed.size), (9, 0));
    app.stop().await.unwrap();
}
