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

#[derive(Goner)]
#[goner(name = "settings")]
struct Settings;
impl NamedProvider for Settings {
    fn accepts(target: &Target, tag: &Tag, _: &Sources) -> gone::Result<()> {
        match target.is_deserialize() {
            true if tag.extend() == "refused" => gone::bail!("I do not like it"),
            true => Ok(()),
            false => gone::bail!("not deserializable"),
        }
    }
    async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
        match tag.extend() {
            "absent" => request.absent(),
            "number" => request.give(5_u16),
            text => {
                let value: serde_json::Value = serde_json::from_str(text)?;
                request.deserialize(value)
            }
        }
    }
}

// container A-70
#[tokio::test]
async fn a_many_type_provider_fills_any_type_that_it_accepts() {
    #[derive(serde::Deserialize, Debug, PartialEq)]
    struct Limits {
        burst: u32,
    }
    #[derive(Goner)]
    struct Wants {
        #[gone("settings,8080")]
        port: u16,
        #[gone(r#"settings,["a","b"]"#)]
        tags: Vec<String>,
        #[gone(r#"settings,{"burst":100}"#)]
        limits: Limits,
        #[gone("settings,absent")]
        absent: Option<u16>,
        #[gone("settings,7")]
        present: Option<u16>,
        #[gone("settings,number")]
        given: u16,
    }
    let app = bare().load((Wants::goner(), Settings::goner())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.port, it.absent, it.present, it.given), (8080, None, Some(7), 5));
    assert_eq!(it.tags, ["a", "b"]);
    assert_eq!(it.limits, Limits { burst: 100 });
    app.stop().await.unwrap();
}

// container A-72
#[tokio::test]
async fn what_a_many_type_provider_cannot_answer_names_the_asker_and_the_field() {
    #[derive(Goner)]
    struct Absent {
        #[gone("settings,absent")]
        _port: u16,
    }
    let error = bare().load((Absent::goner(), Settings::goner())).boot().await.err().unwrap();
    assert_eq!((error.code(), error.asker().unwrap().to_string().as_str()), (Code::Missing, "Absent._port"));
    #[derive(Goner)]
    struct Wrong {
        #[gone("settings,number")]
        _port: String,
    }
    let error = bare().load((Wrong::goner(), Settings::goner())).boot().await.err().unwrap();
    assert_eq!(error.code(), Code::Mismatch);
    assert!(error.to_string().contains("`String`") && error.to_string().contains("`u16`"), "{error}");
    assert_eq!(error.asker().unwrap().field(), "_port");
}

#[test]
fn what_a_provider_refuses_is_a_problem_of_the_plan() {
    #[derive(Goner)]
    struct Wants {
        #[gone("settings,refused")]
        _a: u16,
        #[gone("settings,1")]
        _b: Arc<std::sync::Mutex<std::fs::File>>,
    }
    let error = bare().load((Wants::goner(), Settings::goner())).plan().err().unwrap();
    let messages: Vec<_> = error.report().unwrap().problems().iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "`Settings` cannot give `u16`: I do not like it",
            "`Settings` cannot give `Arc<Mutex<File>>`: not deserializable"
        ]
    );
}

// container A-68
#[test]
fn a_many_type_provider_offers_nothing_by_type_and_needs_a_name() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _port: u16,
    }
    assert_eq!(problems(bare().load((Wants::goner(), Settings::goner()))), ["gone::missing: nothing offers `u16`"]);
    #[derive(Goner)]
    struct Nameless;
    impl NamedProvider for Nameless {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.absent()
        }
    }
    assert_eq!(problems(bare().load(Nameless::goner())), ["gone::load: `Nameless` provides by name, and has none"]);
}

// container A-69
#[tokio::test]
async fn a_many_type_provider_offers_by_type_what_it_is_the_default_for() {
    #[derive(Goner)]
    #[goner(name = "numbers")]
    struct Numbers;
    impl NamedProvider for Numbers {
        async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
            let length = tag.name().len() as u16;
            request.give(40 + length)
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        port: u16,
    }
    let app = bare().load((Wants::goner(), Numbers::goner().default_for::<u16>())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().port, 40, "the name is empty");
    app.stop().await.unwrap();
}

// container A-73
#[tokio::test]
async fn a_function_is_a_provider_whose_parameters_are_injected_for_each_call() {
    struct Client(String);
    #[derive(Goner)]
    struct Wants {
        #[gone("*,a")]
        a: Client,
        #[gone("*,b")]
        b: Client,
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let prefix = provide(move || {
        let calls = counted.clone();
        async move { Ok(format!("prefix{}", calls.fetch_add(1, Ordering::SeqCst))) }
    });
    let client = provide(|prefix: String, tag: Tag, number: Arc<u32>| async move {
        Ok(Client(format!("{prefix}-{}-{number}", tag.extend())))
    });
    let app = bare().load((Wants::goner(), prefix, client, value(Arc::new(9_u32)))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    let mut made = [it.a.0.as_str(), it.b.0.as_str()].map(|text| text[6..7].parse::<u8>().unwrap());
    made.sort_unstable();
    assert_eq!(made, [0, 1], "a fresh argument for each call");
    assert!(it.a.0.ends_with("-a-9") && it.b.0.ends_with("-b-9"));
    app.stop().await.unwrap();
}

// container A-74
// container A-75
#[tokio::test]
async fn a_function_that_lacks_a_parameter_is_found_in_the_plan_and_its_error_fails_the_boot() {
    async fn make(_: Arc<u64>) -> gone::Result<Business> {
        gone::bail!("made nothing")
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _it: Business,
    }
    assert_eq!(problems(bare().load((Wants::goner(), provide(make)))), ["gone::missing: nothing offers `Arc<u64>`"]);
    let error = bare().load((Wants::goner(), provide(make), value(Arc::new(1_u64)))).boot().await.err().unwrap();
    assert!(error.to_string().ends_with("made nothing"), "{error}");
    assert_eq!(error.asker().unwrap().to_string(), "Wants._it");
}

// container A-76
// container C-3
#[tokio::test]
async fn a_value_is_handed_out_as_clones_and_a_shared_one_is_that_very_instance() {
    let shared = Arc::new(5_u8);
    let app = bare().load((value(shared.clone()), value("text"))).boot().await.unwrap();
    assert!(Arc::ptr_eq(&app.get::<Arc<u8>>().unwrap(), &shared));
    assert_eq!(app.get::<&'static str>().unwrap(), "text");
    app.stop().await.unwrap();
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

#[tokio::test]
async fn a_fallback_gives_way_to_what_the_program_loads_in_its_place() {
    fn defaults(loader: &mut Loader) {
        loader.load((value(1_u8), provide(|| async { Ok(String::from("fallback")) }), Settings::goner()));
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        number: u8,
        #[gone]
        text: String,
        #[gone("settings,3")]
        setting: u8,
    }
    let app = bare().fallback(defaults).load(Wants::goner()).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.number, it.text.as_str(), it.setting), (1, "fallback", 3));
    app.stop().await.unwrap();

    #[derive(Goner)]
    #[goner(name = "settings")]
    struct Own;
    impl NamedProvider for Own {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.give(9_u8)
        }
    }
    let own = (value(2_u8), provide(|| async { Ok(String::from("own")) }), Own::goner(), Wants::goner());
    let app = bare().fallback(defaults).load(own).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.number, it.text.as_str(), it.setting), (2, "own", 9));
    app.stop().await.unwrap();
}

struct Numbers(Journal, gone::Result<u32>);
impl gone::Source for Numbers {
    type Snapshot = u32;
    fn read(&self) -> gone::Result<u32> {
        self.0.add("read");
        self.1.clone()
    }
    async fn open(&self, local: u32, _: &Sources) -> gone::Result<u32> {
        self.0.add("open");
        Ok(local + 1)
    }
}

#[derive(Goner)]
struct Checked {
    #[gone]
    snapshot: Arc<u32>,
}
impl Provider for Checked {
    type Output = u8;
    fn accepts(_: &Tag, sources: &Sources) -> gone::Result<()> {
        match sources.get::<u32>() {
            Some(5 | 6) => Ok(()),
            other => gone::bail!("the source holds {other:?}"),
        }
    }
    async fn provide(&self, _: &Tag) -> gone::Result<u8> {
        Ok(*self.snapshot as u8)
    }
}

#[derive(Goner)]
struct WantsChecked {
    #[gone]
    it: u8,
}

#[tokio::test]
async fn a_source_is_read_once_before_the_plan_and_opened_only_by_a_boot() {
    let journal = Journal::default();
    let loaded = || (source(Numbers(journal.clone(), Ok(5))), Checked::goner(), WantsChecked::goner());
    bare().load(loaded()).check().unwrap();
    assert_eq!(journal.lines(), ["read"]);
    let app = bare().load(loaded()).boot().await.unwrap();
    assert_eq!(journal.lines(), ["read", "read", "open"]);
    assert_eq!(app.get::<Arc<WantsChecked>>().unwrap().it, 6);
    app.stop().await.unwrap();
}

#[test]
fn what_a_source_cannot_read_and_what_a_provider_refuses_of_it_stand_in_the_report() {
    let loaded = |it| (source(Numbers(Journal::default(), it)), Checked::goner(), WantsChecked::goner());
    let broken = gone::Error::msg("line 3").attach([gone::Error::msg("line 9")]);
    let found = problems(bare().load(loaded(Err(broken))));
    assert!(
        found.contains(&"gone::config: line 3".into()) && found.contains(&"gone::config: line 9".into()),
        "{found:?}"
    );
    let found = problems(bare().load(loaded(Ok(4))));
    assert_eq!(found, ["gone::mismatch: `Checked` cannot give `u8`: the source holds Some(4)"]);
}

#[test]
fn two_defaults_by_type_are_a_duplicate_also_of_many_type_providers_in_whatever_order() {
    #[derive(Goner)]
    struct Numbers;
    impl NamedProvider for Numbers {
        async fn provide(&self, _: &Tag, request: Request<'_>) -> gone::Result<Given> {
            request.give(1_u16)
        }
    }
    let many = |name: &'static str| Numbers::goner().named(name).default_for::<u16>();
    let expected = ["gone::duplicate: `u16` has 2 defaults"];
    assert_eq!(problems(bare().load((many("a"), many("b")))), expected);
    assert_eq!(problems(bare().load((many("a"), value(1_u16).default()))), expected);
    assert_eq!(problems(bare().load((value(1_u16).default(), many("a")))), expected);
}

#[tokio::test]
async fn what_borrows_from_the_program_is_a_value_like_any_other_by_name_too() {
    #[derive(Goner)]
    struct Wants {
        #[gone("motto")]
        motto: &'static str,
        #[gone("list")]
        list: Vec<&'static str>,
    }
    let app =
        bare().load((Wants::goner(), value("x").named("motto"), value(vec!["y"]).named("list"))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.motto, it.list.as_slice()), ("x", ["y"].as_slice()));
    app.stop().await.unwrap();
}

#[test]
fn wrappers_in_wrappers_are_refused_by_glob_and_by_a_missing_name_too() {
    #[derive(Goner)]
    struct Wants {
        #[gone("nope")]
        _a: Option<Vec<Arc<u8>>>,
        #[gone("x*")]
        _b: Vec<Option<Arc<u8>>>,
    }
    let found = problems(bare().load((Wants::goner(), value(Arc::new(1_u8)).named("x1"))));
    assert!(found.len() == 2 && found.iter().all(|it| it.contains("wrappers do not nest")), "{found:?}");
}

#[tokio::test]
async fn one_trait_offered_twice_by_one_goner_is_one_offer() {
    trait Tr: Send + Sync {}
    #[derive(Goner)]
    #[goner(offers(dyn Tr))]
    struct Offers;
    impl Tr for Offers {}
    #[derive(Goner)]
    struct Wants {
        #[gone]
        one: Arc<dyn Tr>,
        #[gone]
        all: Vec<Arc<dyn Tr>>,
    }
    let app = bare().load((Wants::goner(), Offers::goner().offers::<dyn Tr>(|it| it).default())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert!(it.all.len() == 1 && Arc::ptr_eq(&it.one, &it.all[0]));
    app.stop().await.unwrap();
}

#[test]
fn two_sources_of_one_snapshot_are_a_duplicate_and_a_replaced_one_is_not_read() {
    let two = || (source(Numbers(Journal::default(), Ok(5))), source(Numbers(Journal::default(), Ok(6))));
    let found = problems(bare().load(two()));
    assert_eq!(found, ["gone::duplicate: two sources give `Arc<u32>`"]);
    let journal = Journal::default();
    let replaced = (source(Numbers(journal.clone(), Ok(5))), source(Numbers(Journal::default(), Ok(6))).replace());
    assert_eq!(problems(bare().load(replaced)), [""; 0]);
    assert!(journal.lines().is_empty());
}

#[tokio::test]
async fn one_fallback_does_not_stand_in_for_another_and_loading_a_fallback_module_makes_it_ones_own() {
    fn defaults(loader: &mut Loader) {
        loader.load((value(1_u8).named("a"), value(2_u8).named("b")));
    }
    let app = bare().fallback(defaults).boot().await.unwrap();
    assert_eq!((app.get_named::<u8>("a").unwrap(), app.get_named::<u8>("b").unwrap()), (1, 2));
    app.stop().await.unwrap();
    fn one(loader: &mut Loader) {
        loader.load(provide(|| async { Ok(1_u8) }));
    }
    let own = provide(|| async { Ok(2_u8) });
    assert_eq!(problems(bare().fallback(one).load(own)), [""; 0]);
    let own = provide(|| async { Ok(2_u8) });
    assert_eq!(problems(bare().fallback(one).load((one, own))), ["gone::duplicate: `u8` has 2 providers"]);
}

#[tokio::test]
async fn what_a_function_has_made_is_released_after_whoever_uses_it() {
    #[derive(Goner)]
    struct User {
        #[gone]
        journal: Journal,
        #[gone("*,a")]
        _a: Arc<String>,
        #[gone("*,b")]
        _b: Arc<String>,
    }
    impl Close for User {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.journal.add("user");
            Ok(CloseReport::clean())
        }
    }
    let journal = Journal::default();
    let released = journal.clone();
    let made =
        provide(|tag: Tag| async move { Ok(Arc::new(tag.extend().to_owned())) }).on_close(move |it: Arc<String>| {
            let released = released.clone();
            async move {
                released.add(it.as_str());
                gone::bail!("{it} does not close")
            }
        });
    let app = bare().load((value(journal.clone()), User::goner(), made)).boot().await.unwrap();
    let error = app.stop().await.unwrap_err();
    assert_eq!(journal.lines()[0], "user");
    assert_eq!((journal.count("a"), journal.count("b"), journal.lines().len()), (1, 1, 3));
    assert_eq!((error.goner(), error.hook()), (Some("closure for Arc<String>"), Some(Hook::Close)));
    assert_eq!(error.attached().len(), 1, "both are said: {error:?}");
}

// container A-71
#[tokio::test]
async fn a_many_type_provider_is_told_the_tag_the_field_and_its_type() {
    #[derive(Goner)]
    #[goner(name = "injector")]
    struct Injector;
    impl NamedProvider for Injector {
        async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
            let told = format!("{} | {} | {}", tag.text(), tag.asker(), request.target().name());
            request.give(told)
        }
    }
    #[derive(Goner)]
    struct Filled {
        #[gone("injector,some text")]
        field: String,
    }
    let app = bare().load((Injector::goner(), Filled::goner())).boot().await.unwrap();
    let filled = app.get::<Arc<Filled>>().unwrap();
    assert_eq!(filled.field, "injector,some text | Filled.field | String");
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

// container C-4
#[tokio::test]
async fn the_close_of_a_value_is_not_the_containers_to_run() {
    struct Client(crate::Journal);
    impl Close for Client {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.0.add("closed");
            Ok(CloseReport::clean())
        }
    }
    #[derive(Goner)]
    struct Owner {
        #[gone]
        client: Arc<Client>,
    }
    impl Close for Owner {
        async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
            self.client.0.add("owner closed");
            Ok(CloseReport::clean())
        }
    }
    let journal = crate::Journal::default();
    let app = bare().load((value(Arc::new(Client(journal.clone()))), Owner::goner())).boot().await.unwrap();
    app.stop().await.unwrap();
    assert_eq!(journal.lines(), ["owner closed"]);
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
