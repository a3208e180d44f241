//! The graph to look at.

use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;
use gone::{Kind, Outline};

use crate::{Said, bare};

macro_rules! slow {
    ($($goner:ident $init:literal $start:literal { $($field:ident: $ty:ty),* })*) => {$(
        #[derive(Goner)]
        struct $goner {
            $(#[gone] #[allow(dead_code, reason = "only needed")] $field: $ty,)*
        }
        impl Init for $goner {
            async fn init(&mut self) -> gone::Result<()> {
                tokio::time::sleep(Duration::from_millis($init)).await;
                Ok(())
            }
        }
        impl Start for $goner {
            async fn start(&self) -> gone::Result<()> {
                tokio::time::sleep(Duration::from_millis($start)).await;
                Ok(())
            }
        }
    )*};
}
slow! {
    Settings 20 0 { text: Arc<String> }
    Pool 100 30 { settings: Arc<Settings> }
    Repo 10 5 { pool: Arc<Pool>, peer: Lazy<Http> }
    Cache 60 0 { settings: Arc<Settings> }
    Http 40 40 { repo: Arc<Repo>, cache: Option<Arc<Cache>> }
}

#[derive(Goner)]
#[goner(share)]
struct Texts;
impl NoneParamProvider for Texts {
    type Output = Arc<String>;
    async fn provide(&self) -> gone::Result<Arc<String>> {
        Ok(Arc::new("text".into()))
    }
}

fn service() -> AppBuilder {
    bare().load((
        Http::goner(),
        Repo::goner().named("orders"),
        Pool::goner(),
        Cache::goner(),
        Settings::goner(),
        Texts::goner(),
        value("x"),
        Cache::goner().named("off").when(|_: &Sources| Ok(false)),
    ))
}

fn part(outline: &Outline, what: &str) -> usize {
    outline.find(what)[0]
}

#[test]
fn a_plan_can_be_drawn_and_written() {
    let plan = service().plan().unwrap();
    assert_eq!(
        plan.to_mermaid(),
        "flowchart TD
    n0[\"Http\"]
    n1[\"Repo `orders`\"]
    n2[\"Pool\"]
    n3[\"Cache\"]
    n4[\"Settings\"]
    n5[[\"Texts\"]]
    n6(\"&str\")
    n7[/\"Cache `off`<br/>left out\"/]
    n8(\"Arc#lt;String>\")
    n0 -->|repo| n1
    n0 -->|cache| n3
    n1 -->|pool| n2
    n1 -.->|peer| n0
    n2 -->|settings| n4
    n3 -->|settings| n4
    n4 -->|text| n8
    n8 -->|made by| n5
"
    );
    let dot = plan.to_dot();
    assert!(dot.contains("n1 [label=\"Repo `orders`\"];") && dot.contains("n1 -> n0 [label=\"peer\", style=dashed];"));
    let json: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
    let repo = &json["parts"][1];
    assert_eq!(
        (repo["what"].as_str(), repo["name"].as_str(), repo["kind"].as_str()),
        (Some("Repo"), Some("orders"), Some("goner"))
    );
    assert_eq!(repo["needs"][1], serde_json::json!({"field": "peer", "to": 0, "lazy": true}));
    assert!(repo["at"].as_str().unwrap().starts_with("tests/container/outline.rs:"));
}

#[test]
fn a_plan_says_why_something_is_there_and_who_needs_it() {
    let outline = service().plan().unwrap().outline();
    let titles = |parts: Vec<usize>| parts.into_iter().map(|at| outline.parts[at].title()).collect::<Vec<_>>();
    assert_eq!(titles(outline.why(part(&outline, "Pool"))), ["Http", "Repo `orders`", "Pool"]);
    let needed_by = outline.needed_by(part(&outline, "Settings"));
    let askers: Vec<_> = needed_by.iter().map(|(at, edge)| (outline.parts[*at].title(), edge.field.as_str())).collect();
    assert_eq!(askers, [("Pool".to_owned(), "settings"), ("Cache".to_owned(), "settings")]);
    assert_eq!(titles(outline.find("orders")), ["Repo `orders`"]);
    assert_eq!(outline.parts[part(&outline, "off")].kind, Kind::LeftOut);
}

// container C-85
#[tokio::test(start_paused = true)]
async fn what_each_took_and_the_critical_path_are_measured_and_said() {
    let said = Said::default();
    let _guard = said.listen();
    let app = service().boot().await.unwrap();
    let outline = app.outline();
    let millis = |what: &str| {
        let part = &outline.parts[part(&outline, what)];
        (part.built_in.map(|it| it.as_millis()), part.started_in.map(|it| it.as_millis()))
    };
    assert_eq!((millis("Pool"), millis("Cache")), ((Some(100), Some(30)), (Some(60), Some(0))));
    let path = outline.critical_path();
    let names: Vec<_> = path.iter().map(|at| outline.parts[*at].what.as_str()).collect();
    assert_eq!(names, ["Settings", "Pool", "Repo", "Http"]);
    assert!(path.iter().all(|at| outline.parts[*at].critical));
    let took: Duration = path.iter().map(|at| outline.parts[*at].took()).sum();
    assert_eq!(took.as_millis(), 20 + 130 + 15 + 80);
    let line =
        "ready in 245 ms: 6 goners, critical path Settings → Pool → Repo `orders` → Http 245 ms, slowest Pool 130 ms";
    assert_eq!(said.count(line), 1);
    assert!(outline.to_mermaid().ends_with("class n0,n1,n2,n4 critical\n"), "{}", outline.to_mermaid());
    app.stop().await.unwrap();
}

// container C-70
#[tokio::test(start_paused = true)]
async fn one_after_the_other_or_side_by_side_the_graph_and_the_order_of_the_stop_are_the_same() {
    let parallel = service();
    let one_by_one = service().options(|options| options.max_parallel = 1);
    let (parallel, one_by_one) = (parallel.plan().unwrap(), one_by_one.plan().unwrap());
    assert_eq!(parallel.to_json(), one_by_one.to_json());
    let journal = crate::Journal::default();
    for max in [usize::MAX, 1] {
        let journal = journal.clone();
        #[derive(Goner)]
        struct Low {
            #[gone]
            journal: crate::Journal,
        }
        #[derive(Goner)]
        struct High {
            #[gone]
            journal: crate::Journal,
            #[gone]
            _low: Arc<Low>,
        }
        impl Stop for Low {
            async fn stop(&self) -> gone::Result<()> {
                self.journal.add("low");
                Ok(())
            }
        }
        impl Stop for High {
            async fn stop(&self) -> gone::Result<()> {
                tokio::time::sleep(Duration::from_millis(10)).await;
                self.journal.add("high");
                Ok(())
            }
        }
        let app = bare().load((Low::goner(), High::goner(), value(journal))).options(move |it| it.max_parallel = max);
        app.boot().await.unwrap().stop().await.unwrap();
    }
    assert_eq!(journal.lines(), ["high", "low", "high", "low"]);
}

// container C-41
#[tokio::test]
async fn what_nobody_needs_is_said_and_is_a_problem_on_request() {
    #[derive(Goner)]
    struct Idle;
    #[derive(Goner)]
    struct Needed;
    #[derive(Goner)]
    struct Acts;
    impl Init for Acts {
        async fn init(&mut self) -> gone::Result<()> {
            Ok(())
        }
    }
    #[derive(Goner)]
    struct Top {
        #[gone]
        _needed: Lazy<Needed>,
    }
    let app = || {
        bare()
            .load((Idle::goner(), Needed::goner(), Acts::goner(), Top::goner(), provide(async || Ok(1_u8)), value('x')))
            .fallback(value("gives way"))
    };
    let expected = [
        "nobody needs `Idle`, and it does nothing by itself",
        "nobody needs `closure for u8`, and it does nothing by itself",
        "nobody needs `char`, and it does nothing by itself",
    ];
    let said = Said::default();
    let _guard = said.listen();
    app().run(async |_: Arc<Top>| Ok(())).await.unwrap();
    for line in expected {
        assert_eq!(said.count(&format!("{line}, loaded at tests/container/outline.rs:")), 1, "{line}");
    }
    assert_eq!(said.count("nobody needs"), 3);
    let denied = app().options(|options| options.deny_warnings = true).test(async |_: Arc<Top>| Ok(())).await;
    let error = denied.unwrap_err();
    let mut found: Vec<_> = error.report().unwrap().problems().iter().map(|it| (it.code, it.message.clone())).collect();
    found.sort_by_key(|(_, message)| expected.iter().position(|line| line == message));
    assert_eq!(found, expected.map(|line| (gone::Code::Unused, line.to_owned())));
    let plan = app().plan().unwrap();
    assert_eq!(plan.warnings().len(), 4, "without the function nobody needs `Top` either");
}
