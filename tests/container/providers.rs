//! Providers of one type.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gone::prelude::*;
use gone::{Code, Hook};

use crate::{Journal, bare, problems};

#[derive(Debug, PartialEq)]
struct Business {
    name: String,
}

#[derive(Goner)]
struct Tagged;
impl Provider for Tagged {
    type Output = Business;
    async fn provide(&self, tag: &Tag) -> gone::Result<Business> {
        Ok(Business { name: format!("{}|{}", tag.extend(), tag.asker()) })
    }
}

#[derive(Goner)]
struct Untagged;
impl NoneParamProvider for Untagged {
    type Output = Business;
    async fn provide(&self) -> gone::Result<Business> {
        Ok(Business { name: "untagged".into() })
    }
}

#[derive(Goner)]
struct User {
    #[gone("*,a,b = c")]
    first: Business,
    #[gone]
    second: Business,
}

// container A-62
// container A-65
#[tokio::test]
async fn a_provider_receives_the_extension_verbatim_and_knows_who_asks() {
    let app = bare().load((User::goner(), Tagged::goner())).boot().await.unwrap();
    let it = app.get::<Arc<User>>().unwrap();
    assert_eq!(it.first.name, "a,b = c|User.first");
    assert_eq!(it.second.name, "|User.second");
    app.stop().await.unwrap();
    let app = bare().load((User::goner(), Untagged::goner())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<User>>().unwrap().first.name, "untagged");
    app.stop().await.unwrap();
}

// container A-77
// container C-2
#[tokio::test]
async fn a_provider_is_called_once_per_site_and_a_sharing_one_once_per_extension_text() {
    #[derive(Goner)]
    struct Counting {
        #[gone]
        calls: Arc<AtomicUsize>,
    }
    impl NoneParamProvider for Counting {
        type Output = usize;
        async fn provide(&self) -> gone::Result<usize> {
            Ok(self.calls.fetch_add(1, Ordering::SeqCst))
        }
    }
    #[derive(Goner)]
    #[goner(share)]
    struct Sharing {
        #[gone]
        calls: Arc<AtomicUsize>,
    }
    impl Provider for Sharing {
        type Output = Arc<String>;
        async fn provide(&self, tag: &Tag) -> gone::Result<Arc<String>> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(Arc::new(tag.extend().to_owned()))
        }
    }
    #[derive(Goner)]
    struct A {
        #[gone]
        one: usize,
        #[gone]
        two: usize,
        #[gone("*,x")]
        x: Arc<String>,
        #[gone("*,y")]
        y: Arc<String>,
    }
    #[derive(Goner)]
    struct B {
        #[gone("*,x")]
        x: Arc<String>,
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let loaded = (value(calls.clone()), A::goner(), Counting::goner());
    let app = bare().load(loaded).load((Sharing::goner().only_for_name().named("unused"),));
    assert_eq!(problems(app).len(), 2, "hidden providers are not found");

    let loaded = (value(calls.clone()), A::goner(), B::goner(), Counting::goner(), Sharing::goner());
    let app = bare().load(loaded).boot().await.unwrap();
    let (a, b) = (app.get::<Arc<A>>().unwrap(), app.get::<Arc<B>>().unwrap());
    assert_ne!(a.one, a.two);
    assert!(Arc::ptr_eq(&a.x, &b.x));
    assert_eq!((a.x.as_str(), a.y.as_str()), ("x", "y"));
    assert_eq!(calls.load(Ordering::SeqCst), 4, "two sites, two extension texts");
    app.stop().await.unwrap();
}

#[derive(Goner)]
struct ByName {
    #[gone("x-business-provider,extend")]
    x: Business,
    #[gone("y-business-provider")]
    y: Business,
}

#[tokio::test]
async fn providers_of_one_type_are_told_apart_by_name() {
    let x = Tagged::goner().named("x-business-provider").only_for_name();
    let y = Untagged::goner().named("y-business-provider").only_for_name();
    let app = bare().load((ByName::goner(), x, y)).boot().await.unwrap();
    let it = app.get::<Arc<ByName>>().unwrap();
    assert_eq!((it.x.name.as_str(), it.y.name.as_str()), ("extend|ByName.x", "untagged"));
    app.stop().await.unwrap();
}

// container C-14
#[test]
fn two_undecided_providers_of_one_type_are_a_duplicate_asked_or_not_and_two_goners_once_a_single_site_asks() {
    #[derive(Goner)]
    struct Twin;
    #[derive(Goner)]
    struct WantsOne {
        #[gone]
        _one: Arc<Twin>,
    }
    #[derive(Goner)]
    struct WantsAll {
        #[gone]
        _all: Vec<Arc<Twin>>,
    }
    assert_eq!(problems(bare().load((Twin::goner(), Twin::goner(), WantsAll::goner()))), [""; 0]);
    let error = bare().load((Twin::goner(), Twin::goner(), WantsOne::goner())).plan().err().unwrap();
    assert_eq!(error.report().unwrap().problems()[0].involved.len(), 2);
    let found = problems(bare().load((Tagged::goner(), Untagged::goner())));
    assert_eq!(found, ["gone::duplicate: `Business` has 2 providers"]);
    let error = bare().load((Tagged::goner(), Untagged::goner())).plan().err().unwrap();
    let named: Vec<_> = error.report().unwrap().problems()[0].involved.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(named, ["`Tagged`", "`Untagged`"]);
    assert_eq!(problems(bare().load((Tagged::goner().default(), Untagged::goner()))), [""; 0]);
    assert_eq!(problems(bare().load((Tagged::goner(), Untagged::goner().named("u").only_for_name()))), [""; 0]);
}

// container A-67
// container A-78
#[test]
fn a_goner_and_a_provider_of_the_same_are_ambiguous() {
    #[derive(Goner)]
    struct Thing;
    #[derive(Goner)]
    struct ThingProvider;
    impl NoneParamProvider for ThingProvider {
        type Output = Arc<Thing>;
        async fn provide(&self) -> gone::Result<Arc<Thing>> {
            Ok(Arc::new(Thing))
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _thing: Arc<Thing>,
    }
    let found = problems(bare().load((Wants::goner(), Thing::goner(), ThingProvider::goner())));
    assert_eq!(found, ["gone::ambiguous: 2 offers fit `Arc<Thing>`, and the site takes one"]);
}

// container A-64
#[tokio::test]
async fn a_provider_offers_exactly_what_it_makes() {
    trait Speaks: Send + Sync {
        fn word(&self) -> &'static str;
    }
    struct Dog;
    impl Speaks for Dog {
        fn word(&self) -> &'static str {
            "woof"
        }
    }
    #[derive(Goner)]
    struct SpeaksProvider;
    impl NoneParamProvider for SpeaksProvider {
        type Output = Arc<dyn Speaks>;
        async fn provide(&self) -> gone::Result<Arc<dyn Speaks>> {
            Ok(Arc::new(Dog))
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        speaks: Arc<dyn Speaks>,
    }
    #[derive(Goner)]
    struct WantsDog {
        #[gone]
        _dog: Arc<Dog>,
    }
    let app = bare().load((Wants::goner(), SpeaksProvider::goner())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().speaks.word(), "woof");
    app.stop().await.unwrap();
    assert_eq!(
        problems(bare().load((WantsDog::goner(), SpeaksProvider::goner()))),
        ["gone::missing: nothing offers `Arc<Dog>`"]
    );
}

// container A-58
#[tokio::test]
async fn a_provider_of_an_option_offers_exactly_that() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        absent: Option<Arc<String>>,
    }
    let nothing = provide(|| async { Ok(None::<Arc<String>>) });
    let app = bare().load((nothing, Wants::goner())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().absent, None);
    app.stop().await.unwrap();

    #[derive(Goner)]
    struct Inside {
        #[gone]
        _it: Arc<String>,
    }
    let some = provide(|| async { Ok(Some(Arc::new(String::new()))) });
    assert_eq!(problems(bare().load((some, Inside::goner()))), ["gone::missing: nothing offers `Arc<String>`"]);
}

// container A-66
// container C-37
// container A-59
#[tokio::test]
async fn a_failing_provider_fails_the_boot_and_is_named_with_the_field_also_for_an_option() {
    #[derive(Goner)]
    struct Failing;
    impl NoneParamProvider for Failing {
        type Output = Business;
        async fn provide(&self) -> gone::Result<Business> {
            Err(std::io::Error::other("no business"))?
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _it: Option<Business>,
    }
    let error = bare().load((Wants::goner(), Failing::goner())).boot().await.err().unwrap();
    assert_eq!((error.code(), error.goner(), error.hook()), (Code::Hook, Some("Failing"), Some(Hook::Provide)));
    assert_eq!(error.asker().unwrap().to_string(), "Wants._it");
    assert!(error.downcast_ref::<std::io::Error>().is_some());
    assert!(error.to_string().starts_with("`Failing` failed in provide for `Wants._it` after "), "{error}");
}

// container C-12
#[tokio::test]
async fn a_panicking_provider_is_an_error_with_its_payload() {
    #[derive(Goner)]
    struct Panicking;
    impl NoneParamProvider for Panicking {
        type Output = Business;
        async fn provide(&self) -> gone::Result<Business> {
            panic!("payload {}", 7)
        }
    }
    #[derive(Goner)]
    struct Beside {
        #[gone]
        journal: Journal,
    }
    impl Close for Beside {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.journal.add("close");
            Ok(CloseReport::clean())
        }
    }
    let journal = Journal::default();
    let loaded = (value(journal.clone()), Beside::goner(), User::goner(), Panicking::goner());
    let error = bare().load(loaded).boot().await.err().unwrap();
    assert_eq!(error.goner(), Some("Panicking"));
    assert!(error.to_string().ends_with("panicked: payload 7"), "{error}");
    assert_eq!(journal.lines(), ["close"], "the other branch is cleaned up");
}

// container C-11
#[tokio::test]
async fn what_failed_once_is_not_made_again_for_a_second_asker() {
    #[derive(Goner)]
    #[goner(share)]
    struct Failing {
        #[gone]
        calls: Arc<AtomicUsize>,
    }
    impl NoneParamProvider for Failing {
        type Output = Arc<String>;
        async fn provide(&self) -> gone::Result<Arc<String>> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            gone::bail!("no")
        }
    }
    #[derive(Goner)]
    struct First {
        #[gone]
        _text: Arc<String>,
    }
    #[derive(Goner)]
    struct Second {
        #[gone]
        _text: Arc<String>,
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let app = || bare().load((Failing::goner(), First::goner(), Second::goner(), value(Arc::clone(&calls))));
    let error = app().boot().await.unwrap_err();
    assert_eq!((error.goner(), error.hook()), (Some("Failing"), Some(gone::Hook::Provide)));
    assert_eq!((calls.load(Ordering::SeqCst), error.attached().len()), (1, 0), "{error:?}");

    #[derive(Goner)]
    struct Broken {
        #[gone]
        calls: Arc<AtomicUsize>,
    }
    impl Init for Broken {
        async fn init(&mut self) -> gone::Result<()> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            gone::bail!("no")
        }
    }
    #[derive(Goner)]
    struct Third {
        #[gone]
        _broken: Arc<Broken>,
    }
    #[derive(Goner)]
    struct Fourth {
        #[gone]
        _broken: Arc<Broken>,
    }
    calls.store(0, Ordering::SeqCst);
    let app = bare().load((Third::goner(), Broken::goner(), Fourth::goner(), value(Arc::clone(&calls))));
    let error = app.boot().await.unwrap_err();
    assert_eq!((error.goner(), calls.load(Ordering::SeqCst), error.attached().len()), (Some("Broken"), 1, 0));
}

// container A-52
// container A-53
#[tokio::test]
async fn a_vec_asks_every_provider_with_its_extension_and_fails_whole_if_one_does() {
    #[derive(Goner)]
    struct Wants {
        #[gone("*,e")]
        all: Vec<Business>,
    }
    let loaded = (Wants::goner(), Tagged::goner().default(), Untagged::goner().named("u"));
    let app = bare().load(loaded).boot().await.unwrap();
    let names: Vec<_> = app.get::<Arc<Wants>>().unwrap().all.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["e|Wants.all", "untagged"]);
    app.stop().await.unwrap();
    let failing = provide(|| async { Err::<Business, _>(gone::Error::msg("not this one")) });
    let error = bare().load((Wants::goner(), Tagged::goner().default(), failing)).boot().await.err().unwrap();
    assert!(error.to_string().ends_with("not this one"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_the_sites_of_a_goner_need_is_asked_for_together() {
    struct Slow;
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _a: Slow,
        #[gone]
        _b: Slow,
    }
    let slow = provide(|| async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        Ok(Slow)
    });
    let begun = tokio::time::Instant::now();
    let app = bare().load((Wants::goner(), slow)).boot().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 100);
    app.stop().await.unwrap();
}

// container A-88
#[tokio::test]
async fn a_zero_value_is_a_value() {
    #[derive(Goner)]
    struct Zero;
    impl NoneParamProvider for Zero {
        type Output = u64;
        async fn provide(&self) -> gone::Result<u64> {
            Ok(0)
        }
    }
    let nothing = provide(|| async { Ok(String::new()) });
    let app = bare().load((Zero::goner(), nothing));
    let given = app.run(async |zero: u64, empty: String| {
        assert_eq!((zero, empty.as_str()), (0, ""));
        Ok(())
    });
    given.await.unwrap();
}
