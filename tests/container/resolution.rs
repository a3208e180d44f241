use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::{bare, problems};

trait Shape: Send + Sync {
    fn name(&self) -> &'static str;
}

macro_rules! shapes {
    ($($name:ident),*) => {$(
        #[derive(Goner)]
        #[goner(offers(dyn Shape))]
        struct $name;
        impl Shape for $name {
            fn name(&self) -> &'static str {
                stringify!($name)
            }
        }
    )*};
}
shapes!(Circle, Square, Triangle, Hexagon);

#[derive(Goner)]
struct Dep {
    number: u32,
}

#[derive(Goner)]
struct ByType {
    #[gone]
    plain: Arc<Dep>,
    #[gone("*")]
    star: Arc<Dep>,
    #[gone("")]
    empty: Arc<Dep>,
    untagged: u32,
}

// container A-27
#[tokio::test]
async fn the_one_offer_of_a_type_is_injected_and_is_that_instance() {
    let app = bare().load((ByType::goner(), Dep::goner())).boot().await.unwrap();
    let it = app.get::<Arc<ByType>>().unwrap();
    assert!(Arc::ptr_eq(&it.plain, &app.get::<Arc<Dep>>().unwrap()));
    app.stop().await.unwrap();
}

// container A-28
#[tokio::test]
async fn an_empty_tag_and_a_star_ask_the_same() {
    let app = bare().load((ByType::goner(), Dep::goner())).boot().await.unwrap();
    let it = app.get::<Arc<ByType>>().unwrap();
    assert!(Arc::ptr_eq(&it.plain, &it.star) && Arc::ptr_eq(&it.plain, &it.empty));
    app.stop().await.unwrap();
}

// container A-39
#[tokio::test]
async fn an_untagged_field_takes_its_default_and_with_may_change_it() {
    let with = Dep::goner().with(|dep| dep.number = 7);
    let app = bare().load((ByType::goner(), with)).boot().await.unwrap();
    let it = app.get::<Arc<ByType>>().unwrap();
    assert_eq!((it.untagged, it.plain.number), (0, 7));
    app.stop().await.unwrap();
}

#[derive(Goner)]
struct WantsShape {
    #[gone]
    shape: Arc<dyn Shape>,
}

// container A-40
#[tokio::test]
async fn the_one_implementer_is_injected_for_a_trait() {
    let app = bare().load((WantsShape::goner(), Circle::goner())).boot().await.unwrap();
    assert_eq!(app.get::<Arc<WantsShape>>().unwrap().shape.name(), "Circle");
    app.stop().await.unwrap();
}

// container C-7
#[tokio::test]
async fn one_goner_stands_behind_its_type_and_each_of_its_traits() {
    trait Other: Send + Sync {
        fn address(&self) -> usize;
    }
    #[derive(Goner)]
    #[goner(offers(dyn Shape, dyn Other))]
    struct Both {
        state: u64,
    }
    impl Shape for Both {
        fn name(&self) -> &'static str {
            "Both"
        }
    }
    impl Other for Both {
        fn address(&self) -> usize {
            std::ptr::from_ref(&self.state) as usize
        }
    }
    let app = bare().load(Both::goner()).boot().await.unwrap();
    let own = app.get::<Arc<Both>>().unwrap();
    assert_eq!(app.get::<Arc<dyn Shape>>().unwrap().name(), "Both");
    assert_eq!(app.get::<Arc<dyn Other>>().unwrap().address(), std::ptr::from_ref(&own.state) as usize);
    assert_eq!(Arc::strong_count(&own), 2, "the application's and this one");
    app.stop().await.unwrap();
}

#[tokio::test]
async fn a_trait_can_be_offered_where_the_goner_is_loaded() {
    #[derive(Goner)]
    struct Late;
    impl Shape for Late {
        fn name(&self) -> &'static str {
            "Late"
        }
    }
    let app = bare().load((WantsShape::goner(), Late::goner().offers::<dyn Shape>(|it| it))).boot().await.unwrap();
    assert_eq!(app.get::<Arc<WantsShape>>().unwrap().shape.name(), "Late");
    app.stop().await.unwrap();
}

// container A-29
// container C-33
#[test]
fn two_undecided_offers_for_a_single_site_are_ambiguous_and_both_are_listed() {
    let error = bare().load((WantsShape::goner(), Circle::goner(), Square::goner())).plan().err().unwrap();
    let [problem] = error.report().unwrap().problems() else { panic!("{error}") };
    assert_eq!(problem.code, Code::Ambiguous);
    let involved: Vec<_> = problem.involved.iter().map(|place| place.what.as_str()).collect();
    assert_eq!(involved, ["`Circle`", "`Square`"]);
    assert_eq!(problem.asker.as_ref().unwrap().to_string(), "WantsShape.shape");
    assert!(problem.help[0].contains("name") && problem.help[0].contains("default"), "{problem}");
}

// container A-30
// container A-34
#[tokio::test]
async fn the_default_is_injected_where_several_fit() {
    for default in [Square::goner().default(), Square::goner().default_for::<Arc<dyn Shape>>()] {
        let app = bare().load((WantsShape::goner(), Circle::goner(), default)).boot().await.unwrap();
        assert_eq!(app.get::<Arc<WantsShape>>().unwrap().shape.name(), "Square");
        assert_eq!(app.get::<Arc<Circle>>().unwrap().name(), "Circle", "the one of its concrete type");
        app.stop().await.unwrap();
    }
    #[derive(Goner)]
    struct WantsSquare {
        #[gone]
        _square: Arc<Square>,
    }
    let two = (WantsSquare::goner(), Square::goner(), Square::goner().default_for::<Arc<dyn Shape>>());
    assert_eq!(problems(bare().load(two)), ["gone::ambiguous: 2 offers fit `Arc<Square>`, and the site takes one"]);
}

// container A-33
// container A-10
#[tokio::test]
async fn a_default_without_a_type_covers_its_own_type_and_each_trait() {
    let loaded = (Circle::goner().named("other"), Circle::goner().named("chosen").default(), Square::goner());
    let app = bare().load(loaded).boot().await.unwrap();
    let chosen = app.get_named::<Arc<Circle>>("chosen").unwrap();
    assert!(Arc::ptr_eq(&app.get::<Arc<Circle>>().unwrap(), &chosen));
    assert_eq!(app.get::<Arc<dyn Shape>>().unwrap().name(), "Circle");
    app.stop().await.unwrap();
}

// container A-32
#[test]
fn order_never_decides_who_is_injected() {
    let found = problems(bare().load((WantsShape::goner(), Circle::goner().order(5), Square::goner().order(1))));
    assert_eq!(found, ["gone::ambiguous: 2 offers fit `Arc<dyn Shape>`, and the site takes one"]);
}

// container A-7
#[test]
fn two_defaults_of_one_type_are_a_duplicate() {
    let found = problems(bare().load((Circle::goner().named("a").default(), Circle::goner().named("b").default())));
    assert!(found.contains(&"gone::duplicate: `Arc<Circle>` has 2 defaults".to_owned()), "{found:?}");
}

// container A-9
#[test]
fn a_default_for_a_type_that_is_not_offered_is_an_error() {
    let found = problems(bare().load(Circle::goner().default_for::<Arc<Square>>()));
    assert_eq!(found, ["gone::load: `Circle` is the default for `Arc<Square>`, and does not offer it"]);
}

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

// container C-13
#[tokio::test]
async fn the_instances_of_a_generic_goner_are_goners_of_their_own() {
    trait Entity: Send + Sync + Default + 'static {
        const NAME: &'static str;
    }
    #[derive(Default)]
    struct User;
    #[derive(Default)]
    struct Order;
    impl Entity for User {
        const NAME: &'static str = "user";
    }
    impl Entity for Order {
        const NAME: &'static str = "order";
    }
    #[derive(Goner)]
    #[goner(hooks(Init))]
    struct Repo<T: Entity> {
        #[gone]
        dep: Arc<Dep>,
        table: String,
        _entity: std::marker::PhantomData<T>,
    }
    impl<T: Entity> Init for Repo<T> {
        async fn init(&mut self) -> gone::Result<()> {
            self.table = T::NAME.to_owned();
            Ok(())
        }
    }
    #[derive(Goner)]
    struct Wants {
        #[gone]
        users: Arc<Repo<User>>,
        #[gone]
        orders: Arc<Repo<Order>>,
    }
    let loaded = (Wants::goner(), Repo::<User>::goner(), Repo::<Order>::goner(), Dep::goner());
    let app = bare().load(loaded).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert_eq!((it.users.table.as_str(), it.orders.table.as_str()), ("user", "order"));
    assert!(Arc::ptr_eq(&it.users.dep, &it.orders.dep));
    app.stop().await.unwrap();
}

// container A-91
// container A-92
#[tokio::test]
async fn looking_up_what_is_not_there_is_a_typed_error() {
    let app = bare().load((Circle::goner(), Square::goner().named("s"))).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Dep>>().err().unwrap().code(), Code::Missing);
    assert_eq!(app.get::<Arc<dyn Shape>>().err().unwrap().code(), Code::Ambiguous);
    assert_eq!(app.get_named::<Arc<Square>>("t").err().unwrap().code(), Code::Missing);
    assert_eq!(app.get_named::<Arc<Circle>>("s").err().unwrap().code(), Code::Mismatch);
    app.stop().await.unwrap();
}

// container A-11
#[tokio::test]
async fn orders_are_kept_and_the_presets_are_gones() {
    assert_eq!((gone::order::HIGH, gone::order::MEDIUM, gone::order::LOW), (-100, 0, 100));
    #[derive(Goner)]
    struct All {
        #[gone]
        shapes: Vec<Arc<dyn Shape>>,
    }
    let app = bare()
        .load((Circle::goner().order(42), Square::goner().order(gone::order::LOW), Triangle::goner()))
        .load((Hexagon::goner().order(-1), All::goner()));
    let app = app.boot().await.unwrap();
    let names: Vec<_> = app.get::<Arc<All>>().unwrap().shapes.iter().map(|it| it.name()).collect();
    assert_eq!(names, ["Hexagon", "Triangle", "Circle", "Square"]);
    app.stop().await.unwrap();
}

// container A-2
#[test]
fn an_option_that_cannot_stand_fails_the_plan_with_what_is_wrong_with_it() {
    fn option(spec: gone::Spec<Circle>) -> Vec<String> {
        problems(bare().load(spec))
    }
    assert_eq!(option(Circle::goner()), [""; 0]);
    assert_eq!(
        option(Circle::goner().replace()),
        ["gone::load: `Circle` has nothing to replace: nothing else offers a type that it offers"]
    );
    assert_eq!(option(Circle::goner().only_for_name()), ["gone::load: `Circle` is only for its name, and has none"]);
    let wrong = option(Circle::goner().default_for::<Arc<Square>>());
    assert!(wrong.len() == 1 && wrong[0].contains("Arc<Square>"), "{wrong:?}");
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

// container A-31
#[tokio::test]
async fn the_only_candidate_is_injected_without_being_default() {
    #[derive(Goner)]
    struct Named {
        #[gone]
        shape: Arc<dyn Shape>,
    }
    let app = bare().load((Circle::goner().named("c").order(5), Square::goner().named("s").only_for_name()));
    let app = app.load(Named::goner()).boot().await.unwrap();
    assert_eq!(app.get::<Arc<Named>>().unwrap().shape.name(), "Circle");
    app.stop().await.unwrap();
}

// container C-6
#[tokio::test]
async fn one_goner_gives_two_things() {
    #[derive(Goner)]
    #[goner(offers(dyn Shape))]
    struct Producer {
        made: u8,
    }
    impl Shape for Producer {
        fn name(&self) -> &'static str {
            "Producer"
        }
    }
    impl NoneParamProvider for Producer {
        type Output = u8;
        async fn provide(&self) -> gone::Result<u8> {
            Ok(self.made)
        }
    }
    #[derive(Goner)]
    struct Both {
        #[gone]
        shape: Arc<dyn Shape>,
        #[gone]
        made: u8,
    }
    let app = bare().load((Producer::goner().with(|it| it.made = 3), Both::goner())).boot().await.unwrap();
    let both = app.get::<Arc<Both>>().unwrap();
    assert_eq!((both.shape.name(), both.made), ("Producer", 3));
    app.stop().await.unwrap();
}

// container C-47
#[tokio::test]
async fn the_bottom_of_a_diamond_is_built_once() {
    #[derive(Goner)]
    struct Bottom {
        #[gone]
        journal: crate::Journal,
    }
    impl Init for Bottom {
        async fn init(&mut self) -> gone::Result<()> {
            self.journal.add("bottom");
            Ok(())
        }
    }
    #[derive(Goner)]
    struct West {
        #[gone]
        bottom: Arc<Bottom>,
    }
    #[derive(Goner)]
    struct East {
        #[gone]
        bottom: Arc<Bottom>,
    }
    #[derive(Goner)]
    struct Top {
        #[gone]
        west: Arc<West>,
        #[gone]
        east: Arc<East>,
    }
    let journal = crate::Journal::default();
    let app = || bare().load((value(journal.clone()), Top::goner(), West::goner(), East::goner(), Bottom::goner()));
    assert_eq!(problems(app()), [""; 0]);
    let app = app().boot().await.unwrap();
    let top = app.get::<Arc<Top>>().unwrap();
    assert!(Arc::ptr_eq(&top.west.bottom, &top.east.bottom));
    assert_eq!(journal.count("bottom"), 1);
    app.stop().await.unwrap();
}
