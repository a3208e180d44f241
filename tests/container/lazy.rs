use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gone::LazyError;
use gone::prelude::*;

use crate::{bare, problems};

trait Speaks: Send + Sync {
    fn word(&self) -> &'static str;
}

#[derive(Goner)]
struct Hen {
    #[gone]
    egg: Arc<Egg>,
    in_init: Mutex<Option<LazyError>>,
}

impl Init for Hen {
    async fn init(&mut self) -> gone::Result<()> {
        // Through the egg, which is ready: but not all is built.
        *self.in_init.lock().unwrap() = self.egg.hen.get().err();
        Ok(())
    }
}

#[derive(Goner)]
#[goner(offers(dyn Speaks))]
struct Egg {
    #[gone]
    hen: Lazy<Hen>,
    in_init: Mutex<Option<LazyError>>,
}

impl Speaks for Egg {
    fn word(&self) -> &'static str {
        "egg"
    }
}

impl Init for Egg {
    async fn init(&mut self) -> gone::Result<()> {
        *self.in_init.lock().unwrap() = self.hen.get().err();
        Ok(())
    }
}

impl Start for Egg {
    async fn start(&self) -> gone::Result<()> {
        self.hen.get()?;
        Ok(())
    }
}

// container A-112
// container A-113
// container C-49
// container C-50
#[tokio::test]
async fn a_lazy_breaks_a_circle_is_not_ready_in_init_and_is_there_from_start_on() {
    let app = bare().load((Hen::goner(), Egg::goner())).boot().await.unwrap();
    let (hen, egg) = (app.get::<Arc<Hen>>().unwrap(), app.get::<Arc<Egg>>().unwrap());
    assert_eq!(*egg.in_init.lock().unwrap(), Some(LazyError::NotReady));
    assert_eq!(*hen.in_init.lock().unwrap(), Some(LazyError::NotReady));
    assert!(Arc::ptr_eq(&egg.hen.get().unwrap(), &hen));
    assert!(Arc::ptr_eq(&hen.egg, &egg));
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_lazy_keeps_nothing_alive_and_is_closed_when_the_application_is_gone() {
    let app = bare().load((Hen::goner(), Egg::goner())).boot().await.unwrap();
    let egg = app.get::<Arc<Egg>>().unwrap();
    let weak = Arc::downgrade(&app.get::<Arc<Hen>>().unwrap());
    app.stop().await.unwrap();
    drop(app);
    assert_eq!(egg.hen.get().err(), Some(LazyError::Closed));
    assert!(weak.upgrade().is_none(), "the circle does not keep itself alive");
}

#[tokio::test]
async fn a_lazy_takes_a_trait_a_name_a_value_and_itself() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        by_trait: Lazy<dyn Speaks>,
        #[gone("special")]
        by_name: Lazy<str>,
        #[gone]
        number: Lazy<u8>,
        #[gone]
        own: Lazy<Wants>,
    }
    let values = (value(Arc::<str>::from("here")).named("special"), value(Arc::new(7_u8)));
    let app = bare().load((Wants::goner(), Hen::goner(), Egg::goner(), values)).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!(it.by_trait.get().unwrap().word(), "egg");
    assert_eq!((&*it.by_name.get().unwrap(), *it.number.get().unwrap()), ("here", 7));
    assert!(Arc::ptr_eq(&it.own.get().unwrap(), &it));
    app.stop().await.unwrap();
}

// container A-115
#[test]
fn a_lazy_is_checked_in_the_plan_and_is_not_for_what_providers_make() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _missing: Lazy<Hen>,
        #[gone]
        _provided: Lazy<u8>,
        #[gone]
        _nested: Option<Lazy<Egg>>,
    }
    let provider = provide(|| async { Ok(Arc::new(1_u8)) });
    let found = problems(bare().load((Wants::goner(), provider)));
    assert_eq!(
        found,
        [
            "gone::missing: nothing offers `Arc<Hen>`",
            "gone::mismatch: `Arc<u8>` is made by a provider, and a `Lazy` is for goners and values",
            "gone::mismatch: nothing offers `Option<Lazy<Egg>>` as it stands, and a site's wrappers do not nest",
        ]
    );
}

#[derive(Goner)]
struct Collects {
    #[gone]
    all: HashMap<String, Arc<Named>>,
    #[gone("a*")]
    some: HashMap<String, Arc<Named>>,
    #[gone("b")]
    one: HashMap<String, Arc<Named>>,
    #[gone]
    of_trait: HashMap<String, Arc<dyn Speaks>>,
}

#[derive(Goner)]
struct Named {
    number: u8,
}

#[tokio::test]
async fn a_map_takes_all_that_have_a_name() {
    let named = |name: &'static str, number| Named::goner().named(name).with(move |it: &mut Named| it.number = number);
    let loaded = (Collects::goner(), named("a1", 1), named("b", 2), Named::goner(), named("a2", 3));
    let hidden = named("hidden", 4).only_for_name();
    let app = bare().load((loaded, hidden)).boot().await.unwrap();
    let it = app.get::<Arc<Collects>>().unwrap();
    let sorted = |map: &HashMap<String, Arc<Named>>| {
        let mut entries: Vec<_> = map.iter().map(|(name, it)| (name.clone(), it.number)).collect();
        entries.sort();
        entries
    };
    assert_eq!(sorted(&it.all), [("a1".into(), 1), ("a2".into(), 3), ("b".into(), 2)]);
    assert_eq!(sorted(&it.some), [("a1".into(), 1), ("a2".into(), 3)]);
    assert_eq!(sorted(&it.one), [("b".into(), 2)]);
    assert!(it.of_trait.is_empty());
    app.stop().await.unwrap();
}

// container C-32
#[test]
fn a_key_that_two_members_have_is_an_error_that_names_both() {
    let twice = (Named::goner().named("x"), Named::goner().named("x"));
    let error = bare().load((Collects::goner(), twice)).plan().err().unwrap();
    let problem = &error.report().unwrap().problems()[0];
    assert_eq!((problem.message.as_str(), problem.involved.len()), ("two are named `x`", 2));
    assert!(problem.involved.iter().all(|it| it.what == "`Named`, named `x`"));
}
