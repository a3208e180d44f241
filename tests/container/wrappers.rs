//! Sites that take none, one or all: `Option`, `Vec`, and one in the other.

use std::sync::Arc;

use gone::prelude::*;

use crate::by_type::WantsShape;
use crate::shapes::{Circle, Dep, Hexagon, Shape, Square, Triangle};
use crate::{bare, problems};

#[derive(Goner)]
struct Collects {
    #[gone]
    all: Vec<Arc<dyn Shape>>,
    #[gone("s*")]
    some: Vec<Arc<dyn Shape>>,
    #[gone("square")]
    one: Vec<Arc<dyn Shape>>,
    #[gone("nothing-*")]
    none: Vec<Arc<dyn Shape>>,
}

fn names(shapes: &[Arc<dyn Shape>]) -> Vec<&'static str> {
    shapes.iter().map(|shape| shape.name()).collect()
}

// container A-48
// container A-50
// container A-54
// container A-55
// container C-28
#[tokio::test]
async fn a_vec_takes_all_by_order_then_load_order_and_is_empty_where_nothing_fits() {
    let loaded = (
        Collects::goner(),
        Circle::goner().order(3),
        Square::goner().named("square"),
        Triangle::goner().named("small").order(-1),
        Hexagon::goner(),
    );
    let app = bare().load(loaded).boot().await.unwrap();
    let it = app.get::<Arc<Collects>>().unwrap();
    assert_eq!(names(&it.all), ["Triangle", "Square", "Hexagon", "Circle"]);
    assert_eq!(names(&it.some), ["Triangle", "Square"]);
    assert_eq!(names(&it.one), ["Square"], "an exact name gives one element");
    assert!(it.none.is_empty());
    app.stop().await.unwrap();

    let empty = bare().load(Collects::goner()).boot().await.unwrap();
    assert!(empty.get::<Arc<Collects>>().unwrap().all.is_empty());
    empty.stop().await.unwrap();
}

// container A-51
#[tokio::test]
async fn an_offer_of_the_very_vec_or_option_wins_over_its_elements() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        list: Vec<u8>,
        #[gone]
        maybe: Option<u8>,
    }
    let app = bare().load((Wants::goner(), value(5_u8), value(vec![1_u8, 2]), value(None::<u8>))).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.list.as_slice(), it.maybe), ([1, 2].as_slice(), None));
    app.stop().await.unwrap();
}

// container A-56
#[tokio::test]
async fn a_collector_leaves_itself_out() {
    #[derive(Goner)]
    #[goner(offers(dyn Shape))]
    struct Group {
        #[gone]
        members: Vec<Arc<dyn Shape>>,
    }
    impl Shape for Group {
        fn name(&self) -> &'static str {
            "Group"
        }
    }
    let app = bare().load((Group::goner(), Circle::goner())).boot().await.unwrap();
    assert_eq!(names(&app.get::<Arc<Group>>().unwrap().members), ["Circle"]);
    app.stop().await.unwrap();
}

// container A-57
// container C-35
#[tokio::test]
async fn an_absent_option_is_none_and_a_present_one_is_there() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        dep: Option<Arc<Dep>>,
    }
    let without = bare().load(Wants::goner()).boot().await.unwrap();
    assert!(without.get::<Arc<Wants>>().unwrap().dep.is_none());
    without.stop().await.unwrap();
    let with = bare().load((Wants::goner(), Dep::goner())).boot().await.unwrap();
    assert!(with.get::<Arc<Wants>>().unwrap().dep.is_some());
    with.stop().await.unwrap();
}

// container C-36
#[test]
fn an_option_whose_offer_lacks_something_is_an_error() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _broken: Option<Arc<WantsShape>>,
    }
    assert_eq!(
        problems(bare().load((Wants::goner(), WantsShape::goner()))),
        ["gone::missing: nothing offers `Arc<dyn Shape>`"]
    );
}

#[test]
fn wrappers_do_not_nest_unless_offered_exactly() {
    #[derive(Goner)]
    struct Wants {
        #[gone]
        _a: Option<Vec<Arc<Dep>>>,
        #[gone]
        _b: Vec<Option<Arc<Dep>>>,
    }
    let found = problems(bare().load((Wants::goner(), Dep::goner())));
    assert_eq!(
        found,
        [
            "gone::mismatch: nothing offers `Option<Vec<Arc<Dep>>>` as it stands, and a site's wrappers do not nest",
            "gone::mismatch: nothing offers `Vec<Option<Arc<Dep>>>` as it stands, and a site's wrappers do not nest"
        ]
    );
    let exactly = (value(Some(Vec::<Arc<Dep>>::new())), value(Vec::<Option<Arc<Dep>>>::new()));
    assert_eq!(problems(bare().load((Wants::goner(), exactly))), [""; 0]);
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
async fn shapes_are_told_by_type_so_aliases_work() {
    type Maybe<T> = Option<T>;
    type Shared<T> = Arc<T>;
    #[derive(Goner)]
    struct Wants {
        #[gone]
        absent: Maybe<Shared<Circle>>,
        #[gone]
        present: Shared<Dep>,
    }
    let app = bare().load((Wants::goner(), Dep::goner())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert!(it.absent.is_none());
    assert_eq!(it.present.number, 0);
    app.stop().await.unwrap();
}
