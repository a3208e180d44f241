use std::sync::Arc;

use gone::prelude::*;

use crate::{Journal, bare};

#[derive(Goner)]
struct User {
    #[gone]
    name: String,
}

// container A-79
// container A-80
#[tokio::test]
async fn the_parameters_of_the_function_are_injected_from_goners_values_and_providers() {
    let name = provide(|| async { Ok(String::from("made")) });
    let seen = Journal::default();
    let journal = seen.clone();
    bare()
        .load((User::goner(), name, value(5_u8)))
        .run(async move |user: Arc<User>, number: u8, text: String| {
            journal.add(format!("{} {number} {text}", user.name));
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(seen.lines(), ["made 5 made"]);
}

#[tokio::test]
async fn async_functions_closures_and_futures_on_another_task_all_run() {
    async fn plain(user: Arc<User>) -> gone::Result<()> {
        assert_eq!(user.name, "x");
        Ok(())
    }
    let loaded = || (User::goner(), value(String::from("x")));
    bare().load(loaded()).run(plain).await.unwrap();
    bare().load(loaded()).run(|user: Arc<User>| async move { plain(user).await }).await.unwrap();
    tokio::spawn(bare().load(loaded()).run(plain)).await.unwrap().unwrap();
}

#[test]
fn it_runs_on_a_current_thread_runtime_and_twice_in_one_process() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let one = bare().load((User::goner(), value(String::from("one")))).boot().await.unwrap();
        let two = bare().load((User::goner(), value(String::from("two")))).boot().await.unwrap();
        assert_eq!(one.get::<Arc<User>>().unwrap().name, "one");
        assert_eq!(two.get::<Arc<User>>().unwrap().name, "two");
        one.stop().await.unwrap();
        two.stop().await.unwrap();
    });
}

// container A-15
// container A-16
// container C-15
#[tokio::test]
async fn a_module_that_is_named_twice_loads_once_and_its_goners_are_shared() {
    fn shared(loader: &mut Loader) {
        loader.load(User::goner());
    }
    fn left(loader: &mut Loader) {
        loader.load(shared).load(shared);
    }
    fn right(loader: &mut Loader) {
        loader.load(shared);
    }
    let app = bare().load((left, right, shared, value(String::new()))).boot().await.unwrap();
    assert!(app.get::<Arc<User>>().is_ok(), "exactly one");
    app.stop().await.unwrap();
}

// container A-24
// container A-23
#[test]
fn closures_and_function_pointers_have_no_identity_and_generic_modules_have_one_each() {
    let plan = |builder: AppBuilder| builder.plan().unwrap().len();
    fn number<const N: u8>(loader: &mut Loader) {
        loader.load(value([N; 1]));
    }
    let literal = || {
        |loader: &mut Loader| {
            loader.load(value(0_u8));
        }
    };
    assert_eq!(plan(bare().load(literal()).load(literal())), 2);
    let pointers: [fn(&mut Loader); 2] = [number::<1>, number::<2>];
    assert_eq!(plan(bare().load(pointers[0]).load(pointers[1])), 2);
    assert_eq!(plan(bare().load((number::<1>, number::<2>, number::<1>))), 2);
}

// container A-25
#[tokio::test]
async fn two_goners_of_one_type_are_two_and_their_hooks_run_once_each() {
    #[derive(Goner)]
    struct Twin {
        #[gone]
        journal: Journal,
    }
    impl Init for Twin {
        async fn init(&mut self) -> gone::Result<()> {
            self.journal.add("init");
            Ok(())
        }
    }
    let journal = Journal::default();
    let app = bare().load((value(journal.clone()), Twin::goner(), Twin::goner())).boot().await.unwrap();
    assert_eq!(journal.count("init"), 2);
    app.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_application_is_planned_run_and_stopped() {
    assert!(bare().plan().unwrap().is_empty());
    bare().run(async || Ok(())).await.unwrap();
}

#[tokio::test]
async fn a_function_error_comes_back_as_it_was_after_an_orderly_stop() {
    let error = bare().run(async || Err(std::io::Error::other("mine"))?).await.unwrap_err();
    assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().to_string(), "mine");
    assert_eq!(error.exit_code(), 1);
}
