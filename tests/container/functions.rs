//! Functions as providers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gone::Hook;
use gone::prelude::*;

use crate::{Journal, bare, problems};

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
    struct Business;
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
