//! Specs that are made at run time go the same way as derived ones.

use std::collections::HashMap;
use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, SpecBuilder};

use crate::{Journal, bare, problems};

struct Unit {
    name: String,
    journal: Journal,
    peers: Vec<Arc<Unit>>,
}

trait Named: Send + Sync {
    fn name(&self) -> &str;
}

impl Named for Unit {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Init for Unit {
    async fn init(&mut self) -> gone::Result<()> {
        self.journal.add(format!("init {}", self.name));
        Ok(())
    }
}
impl Start for Unit {
    async fn start(&self) -> gone::Result<()> {
        self.journal.add(format!("start {}", self.name));
        Ok(())
    }
}
impl Stop for Unit {
    async fn stop(&self) -> gone::Result<()> {
        self.journal.add(format!("stop {}", self.name));
        Ok(())
    }
}
impl Close for Unit {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        self.journal.add(format!("close {}", self.name));
        Ok(CloseReport::clean())
    }
}

/// A unit that needs others by name.
fn unit(name: &str, needs: &[&str], journal: &Journal) -> gone::Spec<Unit> {
    let (own, journal, count) = (name.to_owned(), journal.clone(), needs.len());
    let mut builder = SpecBuilder::<Unit>::new(move |sites| Unit {
        name: own.clone(),
        journal: journal.clone(),
        peers: (0..count).map(|_| sites.take()).collect(),
    });
    for need in needs {
        builder = builder.one::<Arc<Unit>>(format!("needs_{need}"), need.to_string());
    }
    builder.offers::<dyn Named>(|it| it).init().start().stop().close().build().named(name.to_owned())
}

#[tokio::test]
async fn a_graph_of_specs_made_at_run_time_lives_as_a_derived_one() {
    let journal = Journal::default();
    let app =
        bare().load(unit("a", &["b", "c"], &journal)).load(unit("b", &["c"], &journal)).load(unit("c", &[], &journal));
    let running = app.boot().await.unwrap();
    let a: Arc<Unit> = running.get_named("a").unwrap();
    let c: Arc<Unit> = running.get_named("c").unwrap();
    assert!(Arc::ptr_eq(&a.peers[1], &c) && Arc::ptr_eq(&a.peers[0].peers[0], &c));
    let named: Arc<dyn Named> = running.get_named("b").unwrap();
    assert_eq!(named.name(), "b");
    running.stop().await.unwrap();
    assert_eq!(
        journal.lines(),
        [
            "init c", "init b", "init a", "start c", "start b", "start a", "stop a", "stop b", "stop c", "close a",
            "close b", "close c"
        ]
    );
}

#[test]
fn what_is_wrong_with_it_stands_in_the_same_report() {
    let journal = Journal::default();
    let app = bare().load(unit("a", &["b", "nobody"], &journal)).load(unit("b", &["a"], &journal));
    let error = app.plan().unwrap_err();
    let problems = error.report().unwrap().problems();
    let asker = problems[0].asker.as_ref().unwrap();
    assert_eq!((problems[0].code, asker.goner(), asker.field()), (Code::Missing, "Unit", "needs_nobody"));
    assert!(asker.at().unwrap().file().ends_with("made.rs"));
    assert_eq!(problems[1].code, Code::Cycle);
    assert_eq!(problems.len(), 2);
}

struct Numbers;
impl Provider for Numbers {
    type Output = u32;
    async fn provide(&self, tag: &Tag) -> gone::Result<u32> {
        Ok(tag.extend().parse()?)
    }
}

struct Settings;
impl NamedProvider for Settings {
    async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
        let text = tag.extend().to_owned();
        request.deserialize(serde_json::Value::String(text))
    }
}

#[derive(Inject)]
struct Part {
    #[gone("*,5")]
    five: u32,
}

struct All {
    three: u32,
    text: String,
    absent: Option<Arc<Unit>>,
    named: Vec<Arc<dyn Named>>,
    by_name: HashMap<String, Arc<Unit>>,
    later: Lazy<Unit>,
    part: Part,
}

#[tokio::test]
async fn every_kind_of_site_and_provider_can_be_made_at_run_time() {
    let journal = Journal::default();
    let all = SpecBuilder::<All>::new(|sites| All {
        three: sites.take(),
        text: sites.take(),
        absent: sites.take(),
        named: sites.take(),
        by_name: sites.take(),
        later: sites.take(),
        part: sites.take(),
    })
    .one::<u32>("three", "*,3")
    .deserialized::<String>("text", "settings,hello")
    .optional::<Arc<Unit>>("absent", "nobody")
    .many::<Arc<dyn Named>>("named", "")
    .map::<Arc<Unit>>("by_name", "")
    .lazy::<Unit>("later", "b")
    .bundle::<Part>("part");
    let running = bare()
        .load((all.build(), unit("a", &[], &journal), unit("b", &[], &journal)))
        .load(SpecBuilder::new(|_| Numbers).provider().build())
        .load(SpecBuilder::new(|_| Settings).named_provider().build().named("settings"))
        .boot()
        .await
        .unwrap();
    let all: Arc<All> = running.get().unwrap();
    assert_eq!((all.three, all.text.as_str(), all.part.five), (3, "hello", 5));
    assert!(all.absent.is_none());
    assert_eq!(all.named.iter().map(|it| it.name()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(all.by_name.len() == 2 && all.by_name["a"].name == "a");
    assert_eq!(all.later.get().unwrap().name, "b");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_site_taken_as_another_type_fails_the_boot_and_nothing_else() {
    let wrong = SpecBuilder::<Unit>::new(|sites| Unit {
        name: sites.take::<String>(),
        journal: Journal::default(),
        peers: Vec::new(),
    })
    .one::<u32>("size", "");
    let error = bare().load((wrong.build(), value(1_u32))).boot().await.unwrap_err();
    assert_eq!((error.code(), error.goner()), (Code::Hook, Some("Unit")));
    assert!(error.to_string().contains("alloc::string::String"), "{error}");
}

#[tokio::test]
async fn a_shared_provider_made_at_run_time_makes_one_value_for_each_text() {
    struct Counted(Journal);
    impl Provider for Counted {
        type Output = Arc<String>;
        async fn provide(&self, tag: &Tag) -> gone::Result<Arc<String>> {
            self.0.add(tag.extend());
            Ok(Arc::new(tag.extend().to_owned()))
        }
    }
    let journal = Journal::default();
    let counted = {
        let journal = journal.clone();
        SpecBuilder::new(move |_| Counted(journal.clone())).shared_provider().build()
    };
    let asker = |name: &'static str, tag: &'static str| {
        SpecBuilder::new(|sites| Asker(sites.take())).one::<Arc<String>>("text", tag).build().named(name)
    };
    struct Asker(Arc<String>);
    let running = bare().load((counted, asker("x", "*,1"), asker("y", "*,1"), asker("z", "*,2"))).boot().await.unwrap();
    let text = |name: &str| Arc::clone(&running.get_named::<Arc<Asker>>(name).unwrap().0);
    assert!(Arc::ptr_eq(&text("x"), &text("y")) && !Arc::ptr_eq(&text("x"), &text("z")));
    let mut made = journal.lines();
    made.sort();
    assert_eq!(made, ["1", "2"]);
    running.stop().await.unwrap();
}

#[test]
fn a_lazy_of_what_is_not_there_is_a_problem() {
    let lazy = SpecBuilder::<Lazy<Unit>>::new(|sites| sites.take()).lazy::<Unit>("later", "nobody");
    assert_eq!(
        problems(bare().load(lazy.build())),
        ["gone::missing: nothing is named `nobody`, for a site of type `Lazy<Unit>`"]
    );
}
