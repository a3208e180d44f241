//! What `Gone::discover()` and `gone::discovered` load, and what stands above it.

use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::{ADA_LINE, Ada, Guest, Host, guest, names};

const ALL: [&str; 5] = ["Inside", "Zoe", "Ada", "Bertha", "stranger"];

async fn host_of(app: AppBuilder) -> Arc<Host> {
    let running = app.boot().await.unwrap();
    let host = running.get::<Arc<Host>>().unwrap();
    running.stop().await.unwrap();
    host
}

#[tokio::test]
async fn all_that_is_marked_is_loaded_by_crate_file_and_line() {
    assert_eq!(names(&host_of(Gone::discover()).await.guests), ALL);
    assert_eq!(names(&host_of(AppBuilder::new().load(gone::discovered)).await.guests), ALL);
}

#[tokio::test]
async fn discovered_twice_is_loaded_once() {
    fn calls_it(loader: &mut Loader) {
        gone::discovered(loader);
    }
    let app = Gone::discover().load((gone::discovered, calls_it)).load(|loader: &mut Loader| gone::discovered(loader));
    assert_eq!(names(&host_of(app).await.guests), ALL);
}

#[test]
fn nothing_is_discovered_unless_asked() {
    assert!(AppBuilder::new().plan().unwrap().is_empty());
    assert!(Gone::builder().plan().unwrap().outline().find("Ada").is_empty());
}

#[tokio::test]
async fn what_the_program_loads_itself_stands_and_the_discovered_one_gives_way() {
    let own = || Ada::goner().with(|ada| ada.visits = 7);
    for app in [Gone::load(own()).load(gone::discovered), Gone::discover().load(own())] {
        assert_eq!(host_of(app).await.ada.visits, 7);
    }
    let named = Gone::discover().load(Ada::goner().named("other"));
    assert_eq!(names(&host_of(named).await.guests).iter().filter(|it| *it == "Ada").count(), 1);
    let ready = Gone::discover().load(value(Arc::new(Ada { visits: 8 })));
    assert_eq!(host_of(ready).await.ada.visits, 8);
    let left_out = Gone::discover().load(Ada::goner().when(|_: &Sources| Ok(false)));
    let error = left_out.check().unwrap_err();
    assert!(error.to_string().contains("`Ada` was left out"), "it was for the program to say: {error}");
}

#[tokio::test]
async fn a_fallback_gives_way_to_what_is_discovered() {
    let app = AppBuilder::new().fallback(Ada::goner().named("fallback")).load(gone::discovered);
    assert_eq!(names(&host_of(app).await.guests), ALL);
}

#[tokio::test]
async fn what_is_discovered_can_be_replaced() {
    #[derive(Goner)]
    #[goner(offers(dyn std::fmt::Display + Send + Sync))]
    struct Guard;
    guest!(Guard);
    let by_type = Gone::discover().load(Ada::goner().with(|ada| ada.visits = 9).named("ada").replace());
    let host = host_of(by_type).await;
    assert_eq!((host.ada.visits, names(&host.guests)), (9, ALL.map(str::to_owned).to_vec()), "in the same place");
    let by_name = Gone::discover().load((Guard::goner().named("ada").replace(), value(Arc::new(Ada { visits: 1 }))));
    let error = by_name.check().unwrap_err();
    assert!(error.to_string().contains("has nothing to replace: nothing else is named `ada`"), "{error}");
    let by_value = Gone::discover().load(value(Arc::new(Ada { visits: 3 })).replace());
    assert_eq!(host_of(by_value).await.ada.visits, 3);
}

#[test]
fn its_place_of_loading_is_where_it_is_declared() {
    #[derive(Goner)]
    struct WantsOne {
        #[gone]
        _guest: Arc<Guest>,
    }
    let error = Gone::discover().load(WantsOne::goner()).check().unwrap_err();
    let [problem] = error.report().unwrap().problems() else { panic!("{error}") };
    assert_eq!((problem.code, problem.involved.len()), (Code::Ambiguous, ALL.len()));
    let ada = problem.involved.iter().find(|it| it.what.starts_with("`Ada`")).unwrap();
    assert!(ada.at.file().ends_with("tests/discover/main.rs"), "{}", ada.at);
    assert_eq!((ada.at.line(), ada.loaded), (ADA_LINE, ada.at));
}

#[test]
fn that_nobody_needs_it_is_not_held_against_it() {
    assert!(Gone::discover().plan().unwrap().warnings().is_empty());
}
