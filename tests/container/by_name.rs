//! Sites that ask by a name, or by a pattern for names.

use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::by_type::ByType;
use crate::shapes::{Circle, Dep, Shape, Square};
use crate::{bare, problems};

#[derive(Goner)]
struct ByName {
    #[gone("round")]
    shape: Arc<dyn Shape>,
    #[gone("round")]
    circle: Arc<Circle>,
    #[gone("absent")]
    absent: Option<Arc<Circle>>,
}

// container A-35
// container A-57
#[tokio::test]
async fn a_name_finds_its_offer_as_the_type_of_the_site() {
    let loaded = (ByName::goner(), Circle::goner().named("round"), Square::goner().named("square"));
    let app = bare().load(loaded).boot().await.unwrap();
    let it = app.get::<Arc<ByName>>().unwrap();
    assert_eq!(it.shape.name(), "Circle");
    assert!(Arc::ptr_eq(&it.circle, &app.get_named::<Arc<Circle>>("round").unwrap()));
    assert!(it.absent.is_none());
    app.stop().await.unwrap();
}

// container A-37
#[test]
fn a_name_whose_offer_has_another_type_is_a_mismatch_in_the_plan_even_for_an_option() {
    #[derive(Goner)]
    struct Wants {
        #[gone("round")]
        _square: Option<Arc<Square>>,
    }
    let found = problems(bare().load((Wants::goner(), Circle::goner().named("round"))));
    assert_eq!(found, ["gone::mismatch: `round` does not offer `Option<Arc<Square>>`"]);
}

// container A-38
// container C-38
#[test]
fn a_missing_name_and_a_missing_type_are_found_before_any_user_code_runs() {
    #[derive(Goner)]
    struct Explosive {
        _bomb: Bomb,
        #[gone("nobody")]
        _by_name: Arc<Circle>,
        #[gone]
        _by_type: Arc<Square>,
    }
    struct Bomb;
    impl Default for Bomb {
        fn default() -> Self {
            panic!("constructed");
        }
    }
    let found = problems(bare().load(Explosive::goner()));
    assert_eq!(
        found,
        [
            "gone::missing: nothing is named `nobody`, for a site of type `Arc<Circle>`",
            "gone::missing: nothing offers `Arc<Square>`"
        ]
    );
}

// container A-3
#[test]
fn two_of_one_name_are_a_duplicate_that_names_both() {
    let error = bare().load((Circle::goner().named("x"), Square::goner().named("x"))).plan().err().unwrap();
    let [problem] = error.report().unwrap().problems() else { panic!("{error}") };
    assert_eq!((problem.code, problem.involved.len()), (Code::Duplicate, 2));
    assert_eq!(problem.message, "two are named `x`");
}

// container A-4
#[test]
fn same_types_of_different_names_are_fine_until_a_single_site_asks() {
    assert_eq!(problems(bare().load((Circle::goner().named("a"), Circle::goner().named("b")))), [""; 0]);
}

// container A-36
#[tokio::test]
async fn what_is_only_for_its_name_is_found_by_it_and_by_nothing_else() {
    #[derive(Goner)]
    struct Wants {
        #[gone("hidden")]
        exact: Arc<dyn Shape>,
        #[gone]
        all: Vec<Arc<dyn Shape>>,
        #[gone("hid*")]
        glob: Vec<Arc<dyn Shape>>,
        #[gone]
        one: Option<Arc<dyn Shape>>,
    }
    let app = bare().load((Wants::goner(), Circle::goner().named("hidden").only_for_name())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!(it.exact.name(), "Circle");
    assert!(it.all.is_empty() && it.glob.is_empty() && it.one.is_none());
    app.stop().await.unwrap();

    let both = problems(bare().load(Circle::goner().named("x").only_for_name().default()));
    assert_eq!(both, ["gone::load: `Circle` is a default and only for its name at once"]);
    let nameless = problems(bare().load(Circle::goner().only_for_name()));
    assert_eq!(nameless, ["gone::load: `Circle` is only for its name, and has none"]);
}

// container A-19
#[test]
fn a_duplicate_name_deep_in_a_chain_of_modules_is_found() {
    fn outer(loader: &mut Loader) {
        loader.load(Circle::goner().named("shape")).load(middle);
    }
    fn middle(loader: &mut Loader) {
        loader.load(inner);
    }
    fn inner(loader: &mut Loader) {
        loader.load(Square::goner().named("shape"));
    }
    let error = bare().load(outer).plan().unwrap_err();
    assert_eq!(problems(bare().load(outer)), ["gone::duplicate: two are named `shape`"]);
    let report = error.report().unwrap().to_string();
    assert!(report.contains("`Circle`") && report.contains("`Square`") && report.contains(".replace()"), "{report}");
}

// container A-12
// container A-14
#[tokio::test]
async fn names_stand_verbatim_and_the_spec_overrides_the_attribute() {
    #[derive(Goner)]
    #[goner(name = "of the struct")]
    struct Named;
    #[derive(Goner)]
    struct Wants {
        #[gone(" 名 字! ")]
        odd: Arc<Dep>,
    }
    let loaded = (Wants::goner(), Dep::goner().named(" 名 字! "), Named::goner(), Named::goner().named("of the spec"));
    let app = bare().load(loaded).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Wants>>().unwrap().odd.number, 0);
    assert!(app.get_named::<Arc<Named>>("of the struct").is_ok());
    assert!(app.get_named::<Arc<Named>>("of the spec").is_ok());
    app.stop().await.unwrap();
}

// container C-20
#[tokio::test]
async fn two_names_of_one_type_are_told_apart_and_without_a_name_the_site_is_ambiguous() {
    #[derive(Goner)]
    struct Wants {
        #[gone("a")]
        a: Arc<Dep>,
        #[gone("b")]
        b: Arc<Dep>,
    }
    let named = |name: &'static str, number| Dep::goner().named(name).with(move |dep: &mut Dep| dep.number = number);
    let app = bare().load((Wants::goner(), named("a", 1), named("b", 2))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.a.number, it.b.number), (1, 2));
    app.stop().await.unwrap();
    let found = problems(bare().load((ByType::goner(), named("a", 1), named("b", 2))));
    assert_eq!(found, ["gone::ambiguous: 2 offers fit `Arc<Dep>`, and the site takes one"; 3]);
}

// container C-23
#[test]
fn names_are_case_sensitive() {
    let found = problems(bare().load((ByName::goner(), Circle::goner().named("Round"))));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|line| line.starts_with("gone::missing: nothing is named `round`")), "{found:?}");
}

// container A-42
// container A-43
// container A-44
#[tokio::test]
async fn a_glob_on_a_single_site_takes_the_one_match_or_the_default_among_several() {
    #[derive(Goner)]
    struct Wants {
        #[gone("test-?23*")]
        dep: Arc<Dep>,
    }
    let named = |name: &'static str, number| Dep::goner().named(name).with(move |dep: &mut Dep| dep.number = number);
    let one = bare().load((Wants::goner(), named("test-1234", 1), named("other", 2))).boot().await.unwrap();
    assert_eq!(one.get::<Arc<Wants>>().unwrap().dep.number, 1);
    one.stop().await.unwrap();
    let default = (Wants::goner(), named("test-1234", 1), named("test-223", 2).default());
    let default = bare().load(default).boot().await.unwrap();
    assert_eq!(default.get::<Arc<Wants>>().unwrap().dep.number, 2);
    default.stop().await.unwrap();
    let several = problems(bare().load((Wants::goner(), named("test-1234", 1), named("test-223", 2))));
    assert_eq!(several, ["gone::ambiguous: 2 offers fit `Arc<Dep>`, and the site takes one"]);
    let none = problems(bare().load((Wants::goner(), named("test-", 1))));
    assert_eq!(none, ["gone::missing: nothing is named `test-?23*`, for a site of type `Arc<Dep>`"]);
}
