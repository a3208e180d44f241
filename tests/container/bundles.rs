use std::collections::HashMap;
use std::sync::Arc;

use gone::prelude::*;

use crate::{Journal, bare, problems};

#[derive(Goner)]
struct Dep;

#[derive(Inject)]
struct Inner {
    #[gone]
    made: u8,
    untouched: u32,
}

#[derive(Inject)]
struct Deps {
    #[gone("special")]
    named: Arc<Dep>,
    #[gone]
    absent: Option<Arc<u64>>,
    #[gone]
    all: Vec<Arc<Dep>>,
    #[gone]
    by_name: HashMap<String, Arc<Dep>>,
    #[gone]
    inner: Inner,
    #[gone("*,tagged")]
    text: String,
    #[gone]
    lazy: Lazy<Dep>,
}

#[derive(Goner)]
struct Wants {
    #[gone]
    before: u8,
    #[gone]
    deps: Deps,
    #[gone]
    after: Arc<Dep>,
}

fn loaded() -> AppBuilder {
    let numbers = provide(|| async { Ok(7_u8) });
    let texts = provide(|tag: Tag| async move { Ok(format!("{} for {}", tag.extend(), tag.asker())) });
    bare().load((Dep::goner().named("special"), numbers, texts))
}

// container A-47
// container A-90
#[tokio::test]
async fn a_bundle_in_a_field_is_filled_as_if_its_sites_were_the_goners_own() {
    let app = loaded().load(Wants::goner()).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    let deps = &it.deps;
    assert!(Arc::ptr_eq(&deps.named, &it.after) && Arc::ptr_eq(&deps.all[0], &it.after));
    assert!(deps.absent.is_none() && Arc::ptr_eq(&deps.by_name["special"], &it.after));
    assert_eq!((it.before, deps.inner.made, deps.inner.untouched), (7, 7, 0));
    assert_eq!(deps.text, "tagged for Wants.text");
    assert!(Arc::ptr_eq(&deps.lazy.get().unwrap(), &it.after));
    app.stop().await.unwrap();
}

// container A-81
#[tokio::test]
async fn a_bundle_is_the_one_parameter_of_a_function_that_is_run_or_provides() {
    let journal = Journal::default();
    let seen = journal.clone();
    loaded()
        .run_with(async move |deps: Deps| {
            seen.add(format!("{} {}", deps.inner.made, deps.text));
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(journal.lines(), ["7 tagged for run.text"]);
    #[derive(Goner)]
    struct User {
        #[gone]
        size: usize,
    }
    let sizes = provide_with(|deps: Deps| async move { Ok(deps.all.len() + usize::from(deps.inner.made)) });
    let app = loaded().load((User::goner(), sizes)).boot().await.unwrap();
    assert_eq!(app.get::<Arc<User>>().unwrap().size, 8);
    app.stop().await.unwrap();
}

// container A-82
#[tokio::test]
async fn what_a_bundle_lacks_is_found_in_the_plan_at_its_own_field_and_the_function_is_not_called() {
    let found = problems(bare().load((Wants::goner(), Dep::goner())));
    assert_eq!(
        found,
        [
            "gone::missing: nothing offers `u8`",
            "gone::missing: nothing is named `special`, for a site of type `Arc<Dep>`",
            "gone::missing: nothing offers `String`",
            "gone::missing: nothing offers `u8`",
        ]
        .map(str::to_owned)
        .into_iter()
        .collect::<Vec<_>>()
    );
    let error = bare().run_with(async |_: Inner| panic!("called")).await.unwrap_err();
    let problem = &error.report().unwrap().problems()[0];
    assert_eq!(problem.asker.as_ref().unwrap().to_string(), "run.made");
    assert!(problem.asker.as_ref().unwrap().at().unwrap().file().ends_with("bundles.rs"));
}

#[tokio::test]
async fn somebody_who_offers_the_very_bundle_comes_first_and_generic_bundles_work() {
    #[derive(Inject, Clone)]
    struct Pair<T: Clone + Send + Sync + 'static> {
        #[gone]
        left: T,
        #[gone]
        right: T,
    }
    #[derive(Goner)]
    struct User {
        #[gone]
        pair: Pair<u8>,
    }
    let app = loaded().load(User::goner()).boot().await.unwrap();
    let pair = app.get::<Arc<User>>().unwrap();
    assert_eq!((pair.pair.left, pair.pair.right), (7, 7));
    app.stop().await.unwrap();
    let app = loaded().load((User::goner(), value(Pair { left: 1_u8, right: 2 }))).boot().await.unwrap();
    let pair = app.get::<Arc<User>>().unwrap();
    assert_eq!((pair.pair.left, pair.pair.right), (1, 2));
    app.stop().await.unwrap();
}
