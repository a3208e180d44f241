use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gone::prelude::*;
use gone::{Code, Hook, StateError};

use crate::shapes::{Circle, Dep, Shape, Square};
use crate::{Journal, bare};

#[derive(Goner)]
struct Keyed {
    number: u8,
}

fn named(name: &'static str, number: u8) -> gone::Spec<Keyed> {
    Keyed::goner().named(name).with(move |it: &mut Keyed| it.number = number)
}

#[derive(Inject)]
struct All {
    #[gone("*")]
    all: Vec<Arc<Keyed>>,
}

// container A-93
#[tokio::test]
async fn a_pattern_finds_what_is_named_so_in_load_order_and_a_provider_among_it_is_a_typed_error() {
    let loaded = (named("x1", 1), named("x2", 2), named("x311", 3), named("y3", 4));
    let app = bare().load(loaded).load(provide(|| async { Ok(1_u8) }).named("xp")).boot().await.unwrap();
    let numbers = |found: Vec<Arc<Keyed>>| found.iter().map(|it| it.number).collect::<Vec<_>>();
    assert_eq!(numbers(app.get_matching("x*").unwrap()), [1, 2, 3]);
    assert_eq!(numbers(app.get_matching("?3").unwrap()), [4]);
    let handle = app.get::<Handle>().unwrap();
    assert_eq!(numbers(handle.get_matching("x*").unwrap()), [1, 2, 3]);
    let called = handle.call_with(async |it: All| numbers(it.all)).await.unwrap();
    assert_eq!(called, [1, 2, 3, 4]);
    assert_eq!(handle.call(async |number: u8| number + 1).await.unwrap(), 2);
    assert!(app.get_matching::<Arc<Keyed>>("z*").unwrap().is_empty());
    let error = app.get_matching::<u8>("x*").err().unwrap();
    assert!(matches!(error.downcast_ref(), Some(StateError::Provider(_))), "{error}");
    app.stop().await.unwrap();
}

#[derive(Goner)]
#[goner(share)]
struct Sharing {
    #[gone]
    made: Arc<AtomicUsize>,
}

impl Provider for Sharing {
    type Output = Arc<String>;
    fn accepts(tag: &Tag, _: &Sources) -> gone::Result<()> {
        if tag.extend() == "refused" {
            gone::bail!("not that one");
        }
        Ok(())
    }
    async fn provide(&self, tag: &Tag) -> gone::Result<Arc<String>> {
        self.made.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(Arc::new(tag.extend().to_owned()))
    }
}

#[derive(Goner)]
struct Wants {
    #[gone("*,planned")]
    planned: Arc<String>,
}

// container C-1
// container C-24
#[tokio::test]
async fn a_sharing_provider_is_asked_once_for_each_key_also_after_the_boot() {
    let made = Arc::new(AtomicUsize::new(0));
    let app = bare().load((value(made.clone()), Sharing::goner(), Wants::goner())).boot().await.unwrap();
    let planned = app.make::<Arc<String>>("*,planned").await.unwrap();
    assert!(Arc::ptr_eq(&planned, &app.get::<Arc<Wants>>().unwrap().planned));
    let (one, again) = (app.make::<Arc<String>>("*,k1").await.unwrap(), app.make::<Arc<String>>(",k1").await.unwrap());
    let other = app.make::<Arc<String>>("*,k2").await.unwrap();
    assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &other));
    assert_eq!((one.as_str(), other.as_str(), made.load(Ordering::SeqCst)), ("k1", "k2", 3));
    assert!(app.make::<Arc<String>>("*,refused").await.unwrap_err().to_string().ends_with("not that one"));
    app.stop().await.unwrap();
}

// container C-62
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_get_the_one_value_that_is_made() {
    for round in 0..1_000 {
        let made = Arc::new(AtomicUsize::new(0));
        let app = Arc::new(bare().load((value(made.clone()), Sharing::goner())).boot().await.unwrap());
        let barrier = Arc::new(tokio::sync::Barrier::new(64));
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    app.make::<Arc<String>>("").await.unwrap()
                })
            })
            .collect();
        let mut values = Vec::new();
        for task in tasks {
            values.push(task.await.unwrap());
        }
        assert_eq!(made.load(Ordering::SeqCst), 1, "round {round}");
        assert!(values.iter().all(|it| Arc::ptr_eq(it, &values[0])), "round {round}");
        app.stop().await.unwrap();
    }
}

#[tokio::test]
async fn what_make_and_get_are_not_for_is_a_typed_error_that_names_the_other() {
    let app = bare().load((named("x", 1), provide(|| async { Ok(7_u8) }))).boot().await.unwrap();
    assert_eq!(app.make::<u8>("").await.unwrap(), 7);
    let error = app.make::<Arc<Keyed>>("x").await.err().unwrap();
    assert!(error.to_string().ends_with("look it up with `get`"), "{error}");
    assert!(matches!(error.downcast_ref(), Some(StateError::NotAProvider(_))));
    let error = app.get::<u8>().unwrap_err();
    assert!(error.to_string().ends_with("ask it with `make`"), "{error}");
    assert_eq!(app.make::<u16>("").await.unwrap_err().code(), Code::Missing);
    app.stop().await.unwrap();
    let closed = app.make::<u8>("").await.unwrap_err();
    assert_eq!(closed.downcast_ref(), Some(&StateError::Closed));
}

// container A-82
#[tokio::test]
async fn a_function_is_called_on_the_running_application_and_not_if_a_parameter_lacks() {
    let journal = Journal::default();
    let app =
        bare().load((value(journal.clone()), named("x", 5), provide(|| async { Ok(7_u8) }))).boot().await.unwrap();
    let sum = app.call(async |it: Arc<Keyed>, made: u8| it.number + made).await.unwrap();
    assert_eq!(sum, 12);
    let error = app.call(async |journal: Journal, _: Arc<AtomicUsize>| journal.add("called")).await.unwrap_err();
    assert_eq!(error.code(), Code::Missing);
    assert!(journal.lines().is_empty());
    let error = app.call(async || -> u8 { panic!("in the function") }).await.unwrap_err();
    assert_eq!(error.to_string(), "panicked: in the function");
    app.stop().await.unwrap();
}

// container A-91
// container A-92
#[tokio::test]
async fn looking_up_what_is_not_there_is_a_typed_error() {
    let app = bare().load((Circle::goner(), Square::goner().named("s"))).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Dep>>().err().unwrap().code(), Code::Missing);
    assert_eq!(app.get::<Arc<dyn Shape>>().err().unwrap().code(), Code::Ambiguous);
    assert_eq!(app.get_named::<Arc<Square>>("t").err().unwrap().code(), Code::Missing);
    assert_eq!(app.get_named::<Arc<Circle>>("s").err().unwrap().code(), Code::Mismatch);
    app.stop().await.unwrap();
}

/// Looks itself up at every stage.
#[derive(Goner)]
struct Looks {
    #[gone]
    handle: Handle,
    seen: Mutex<Vec<(Hook, Option<StateError>, bool)>>,
}

impl Looks {
    fn look(&self, hook: Hook) {
        let error = self.handle.get::<Arc<Looks>>().err();
        let error = error.map(|error| error.downcast_ref::<StateError>().expect("a state").clone());
        self.seen.lock().unwrap().push((hook, error, self.handle.is_ready()));
    }
}

impl Init for Looks {
    async fn init(&mut self) -> gone::Result<()> {
        self.look(Hook::Init);
        Ok(())
    }
}
impl Start for Looks {
    async fn start(&self) -> gone::Result<()> {
        self.look(Hook::Start);
        Ok(())
    }
}
impl Stop for Looks {
    async fn stop(&self) -> gone::Result<()> {
        self.look(Hook::Stop);
        Ok(())
    }
}

// container A-45
// container C-19
// container C-94
#[tokio::test]
async fn a_handle_finds_what_is_built_and_says_what_state_stands_in_the_way() {
    let app = bare().load(Looks::goner()).boot().await.unwrap();
    let it = app.get::<Arc<Looks>>().unwrap();
    assert!(Arc::ptr_eq(&it.handle.get::<Arc<Looks>>().unwrap(), &it));
    assert!(app.is_ready() && it.handle.is_ready());
    app.stop().await.unwrap();
    let closed = app.get::<Arc<Looks>>().err().unwrap();
    assert_eq!((closed.code(), closed.downcast_ref()), (Code::State, Some(&StateError::Closed)));
    drop(app);
    it.look(Hook::Close);
    assert_eq!(
        *it.seen.lock().unwrap(),
        [
            (Hook::Init, Some(StateError::NotReady), false),
            (Hook::Start, None, false),
            (Hook::Stop, Some(StateError::ShuttingDown), false),
            (Hook::Close, Some(StateError::Closed), false),
        ]
    );
}
