use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gone::prelude::*;

use crate::{Journal, bare, problems};

trait Step: Send + Sync {
    fn name(&self) -> &'static str;
}

macro_rules! steps {
    ($($name:ident),*) => {$(
        #[derive(Goner)]
        #[goner(offers(dyn Step))]
        struct $name {
            #[gone]
            journal: Journal,
        }
        impl Step for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
        }
        impl Init for $name {
            async fn init(&mut self) -> gone::Result<()> {
                self.journal.add(concat!(stringify!($name), " init"));
                Ok(())
            }
        }
        impl Start for $name {
            async fn start(&self) -> gone::Result<()> {
                tokio::task::yield_now().await;
                self.journal.add(stringify!($name));
                Ok(())
            }
        }
    )*};
}
steps!(One, Two, Three, Four);

#[derive(Goner)]
struct All {
    #[gone]
    steps: Vec<Arc<dyn Step>>,
}

fn names(app: &gone::Running) -> Vec<&'static str> {
    app.get::<Arc<All>>().unwrap().steps.iter().map(|step| step.name()).collect()
}

// container A-5
// container C-16
#[tokio::test]
async fn a_replacement_takes_the_old_place_and_what_it_replaces_never_runs() {
    let journal = Journal::default();
    let loaded = (value(journal.clone()), All::goner(), One::goner().named("first"), Two::goner());
    let app = bare().load(loaded).load(Three::goner().named("first").replace()).boot().await.unwrap();
    assert_eq!(names(&app), ["Three", "Two"], "at the old position");
    assert!(app.get_named::<Arc<Three>>("first").is_ok());
    assert_eq!(journal.count("One init"), 0);
    app.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_name_what_offers_the_same_is_replaced() {
    let journal = Journal::default();
    // By its own type, though all offer the trait.
    let loaded = (value(journal.clone()), All::goner(), One::goner().order(5), Two::goner());
    let app = bare().load(loaded).load(One::goner().order(-1).replace()).boot().await.unwrap();
    assert_eq!(names(&app), ["One", "Two"]);
    assert_eq!(journal.count("One init"), 1);
    app.stop().await.unwrap();
    // By the trait, where one offers it.
    let app = bare()
        .load((value(journal.clone()), All::goner(), One::goner(), Four::goner().replace()))
        .boot()
        .await
        .unwrap();
    assert_eq!(names(&app), ["Four"]);
    app.stop().await.unwrap();
    // A provider, by what it makes.
    let never = provide(|| async { Err::<u8, _>(gone::Error::msg("the replaced one ran")) });
    #[derive(Goner)]
    struct Wants {
        #[gone]
        number: u8,
    }
    let app = bare().load((Wants::goner(), never, value(7_u8).replace())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().number, 7);
    app.stop().await.unwrap();
}

// container A-6
#[tokio::test]
async fn a_replaced_default_is_a_default_no_more() {
    let loaded = (value(Journal::default()), All::goner(), One::goner().named("x").default());
    let app =
        bare().load(loaded).load((Two::goner().named("x").replace(), Three::goner().default())).boot().await.unwrap();
    assert_eq!(names(&app).len(), 2);
    assert_eq!(app.get::<Arc<dyn Step>>().unwrap().name(), "Three");
    app.stop().await.unwrap();
}

// container C-17
#[test]
fn replacing_what_is_not_there_or_what_several_fit_is_an_error() {
    let journal = || value(Journal::default());
    let found = problems(bare().load((journal(), One::goner().replace())));
    assert_eq!(found, ["gone::load: `One` has nothing to replace: nothing else offers a type that it offers"]);
    let found = problems(bare().load((journal(), Two::goner(), One::goner().named("typo").replace())));
    assert_eq!(found, ["gone::load: `One` has nothing to replace: nothing else is named `typo`"]);
    let found = problems(bare().load((journal(), Two::goner(), Three::goner(), One::goner().replace())));
    assert_eq!(found, ["gone::load: `One` can replace one, and 2 offer a type that it offers"]);
}

// container C-27
#[tokio::test]
async fn after_is_honoured_in_a_vec_and_in_the_start_and_wins_over_the_order() {
    let journal = Journal::default();
    let loaded = (
        value(journal.clone()),
        All::goner(),
        One::goner().after::<Arc<Three>>(),
        Two::goner().order(1),
        Three::goner().after::<Arc<Two>>(),
        Four::goner().after::<Arc<u128>>(),
    );
    let app = bare().load(loaded).options(|it| it.max_parallel = 1).boot().await.unwrap();
    assert_eq!(names(&app), ["Four", "Two", "Three", "One"]);
    let started: Vec<_> = journal.lines().into_iter().filter(|line| !line.ends_with("init")).collect();
    let place = |name: &str| started.iter().position(|it| it == name).unwrap();
    assert!(place("Two") < place("Three") && place("Three") < place("One"), "{started:?}");
    app.stop().await.unwrap();
    let circle = (value(journal), One::goner().after::<Arc<Two>>(), Two::goner().after::<Arc<One>>());
    assert_eq!(problems(bare().load(circle)), ["gone::cycle: a circle of needs and `after`: One → Two → One"]);
}

// container A-77
// container C-62
#[tokio::test]
async fn a_function_that_shares_is_called_once_for_each_text_and_its_values_are_released_once() {
    #[derive(Goner)]
    struct Left {
        #[gone]
        pool: Arc<String>,
        #[gone("*,other")]
        other: Arc<String>,
    }
    #[derive(Goner)]
    struct Right {
        #[gone]
        pool: Arc<String>,
    }
    let (calls, released) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let pool = provide(move |tag: Tag| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::task::yield_now().await;
            Ok(Arc::new(format!("{number} for {:?}", tag.extend())))
        }
    });
    let counted = Arc::clone(&released);
    let pool = pool.share().on_close(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(()) }
    });
    let app = bare().load((Left::goner(), Right::goner(), pool)).boot().await.unwrap();
    let (left, right) = (app.get::<Arc<Left>>().unwrap(), app.get::<Arc<Right>>().unwrap());
    assert!(Arc::ptr_eq(&left.pool, &right.pool) && !Arc::ptr_eq(&left.pool, &left.other));
    assert!(left.other.ends_with("for \"other\""), "{}", left.other);
    let made = [app.make::<Arc<String>>("*").await.unwrap(), app.make::<Arc<String>>("*,later").await.unwrap()];
    assert!(Arc::ptr_eq(&made[0], &left.pool) && made[1].ends_with("for \"later\""));
    let (one, two) = tokio::join!(app.make::<Arc<String>>("*,at once"), app.make::<Arc<String>>("*,at once"));
    assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    app.stop().await.unwrap();
    assert_eq!(released.load(Ordering::SeqCst), 4);
}
