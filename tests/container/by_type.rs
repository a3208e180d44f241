//! Sites that ask by their type, and defaults.

use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::shapes::{Circle, Dep, Hexagon, Shape, Square, Triangle};
use crate::{Journal, bare, problems};

#[derive(Goner)]
pub(crate) struct ByType {
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
pub(crate) struct WantsShape {
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

#[tokio::test]
async fn one_trait_offered_twice_by_one_goner_is_one_offer() {
    trait Tr: Send + Sync {}
    #[derive(Goner)]
    #[goner(offers(dyn Tr))]
    struct Offers;
    impl Tr for Offers {}
    #[derive(Goner)]
    struct Wants {
        #[gone]
        one: Arc<dyn Tr>,
        #[gone]
        all: Vec<Arc<dyn Tr>>,
    }
    let app = bare().load((Wants::goner(), Offers::goner().offers::<dyn Tr>(|it| it).default())).boot().await.unwrap();
    let it = app.get::<Arc<Wants>>().unwrap();
    assert!(it.all.len() == 1 && Arc::ptr_eq(&it.one, &it.all[0]));
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
        journal: Journal,
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
    let journal = Journal::default();
    let app = || bare().load((value(journal.clone()), Top::goner(), West::goner(), East::goner(), Bottom::goner()));
    assert_eq!(problems(app()), [""; 0]);
    let app = app().boot().await.unwrap();
    let top = app.get::<Arc<Top>>().unwrap();
    assert!(Arc::ptr_eq(&top.west.bottom, &top.east.bottom));
    assert_eq!(journal.count("bottom"), 1);
    app.stop().await.unwrap();
}
