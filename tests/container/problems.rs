use std::sync::Arc;

use gone::Code;
use gone::prelude::*;

use crate::{bare, problems};

trait Store: Send + Sync {}

#[derive(Goner)]
struct Root {
    #[gone]
    _middle: Arc<Middle>,
}

#[derive(Goner)]
struct Middle {
    #[gone]
    _service: Arc<Service>,
}

#[derive(Goner)]
struct Service {
    #[gone]
    _store: Arc<dyn Store>, // the line that the report names
}

const STORE_LINE: u32 = line!() - 3;

// container C-45
#[test]
fn a_miss_says_what_is_wanted_who_asks_where_and_how_it_is_reached() {
    let error = bare().load((Root::goner(), Middle::goner(), Service::goner())).plan().err().unwrap();
    let [problem] = error.report().unwrap().problems() else { panic!("{error}") };
    assert_eq!(problem.code, Code::Missing);
    assert_eq!(problem.wanted.as_ref().unwrap().type_name, "Arc<dyn Store>");
    assert!(problem.wanted.as_ref().unwrap().full_type_name.contains("problems::Store"));
    let asker = problem.asker.as_ref().unwrap();
    assert_eq!((asker.goner(), asker.field()), ("Service", "_store"));
    assert!(asker.module_path().ends_with("problems"));
    let at = asker.at().unwrap();
    assert!(at.file().ends_with("tests/container/problems.rs"), "{at}");
    assert_eq!((at.line(), at.column()), (STORE_LINE, 13));
    assert_eq!(problem.path, ["Root", "Middle", "Service"]);
    let text = error.to_string();
    for part in [
        "gone::missing",
        "Arc<dyn Store>",
        "Service._store",
        &format!("problems.rs:{STORE_LINE}:13"),
        "Root → Middle → Service",
    ] {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
}

// container A-84
// container A-87
#[tokio::test]
async fn a_parameter_that_nobody_offers_is_found_before_anything_is_built() {
    let error = bare().run(async |_: Arc<Root>, _: u8| Ok(())).await.unwrap_err();
    let line = line!() - 1;
    let problems = error.report().unwrap().problems();
    let askers: Vec<_> = problems.iter().map(|it| it.asker.as_ref().unwrap()).collect();
    assert_eq!(askers.iter().map(|it| it.to_string()).collect::<Vec<_>>(), ["run.parameter 1", "run.parameter 2"]);
    assert_eq!(askers[0].at().unwrap().line(), line);
}

#[derive(Goner)]
struct Narcissus {
    #[gone]
    _me: Arc<Narcissus>,
}

#[derive(Goner)]
struct A {
    #[gone]
    _b: Arc<B>,
}
#[derive(Goner)]
struct B {
    #[gone]
    _c: Vec<Arc<C>>,
}
#[derive(Goner)]
struct C {
    #[gone("a")]
    _a: Option<Arc<A>>,
}

// container A-109
// container A-110
// container A-111
// container C-46
// container C-31
// container A-56
#[test]
fn every_circle_is_found_with_its_fields_and_closed_by_its_first_goner() {
    let error = bare().load((C::goner(), B::goner(), A::goner().named("a"), Narcissus::goner())).plan().err().unwrap();
    let circles: Vec<_> = error.report().unwrap().problems().iter().map(|it| (it.code, it.path.join(" "))).collect();
    assert_eq!(circles, [(Code::Cycle, "Narcissus Narcissus".to_owned()), (Code::Cycle, "A B C A".to_owned())]);
    let report = error.report().unwrap();
    let steps: Vec<_> = report.problems()[1].involved.iter().map(|it| it.what.as_str()).collect();
    assert_eq!(steps, ["`A._b` needs `B`", "`B._c` needs `C`", "`C._a` needs `A`"]);
    assert!(report.problems()[1].involved.iter().all(|it| it.at.file().ends_with("problems.rs")));
}

#[test]
fn a_circle_through_a_shared_value_names_its_provider_and_no_more() {
    #[derive(Goner)]
    #[goner(share)]
    struct Pool {
        #[gone]
        _user: Arc<PoolUser>,
    }
    impl NoneParamProvider for Pool {
        type Output = u8;
        async fn provide(&self) -> gone::Result<u8> {
            Ok(1)
        }
    }
    #[derive(Goner)]
    struct PoolUser {
        #[gone]
        _connection: u8,
    }
    let error = bare().load((Pool::goner(), PoolUser::goner())).plan().err().unwrap();
    assert_eq!(error.report().unwrap().problems()[0].path, ["Pool", "PoolUser", "Pool"]);
}

#[test]
fn all_kinds_of_problems_come_at_once_in_an_order_that_the_loading_does_not_change() {
    #[derive(Goner)]
    struct Mixed {
        #[gone]
        _missing: Arc<Root>,
        #[gone("x")]
        _mismatch: Arc<Service>,
        #[gone]
        _ambiguous: Arc<Twin>,
    }
    #[derive(Goner)]
    struct Twin;
    let parts: [fn(&mut Loader); 5] = [
        |it| {
            it.load(Mixed::goner());
        },
        |it| {
            it.load(Twin::goner().named("x"));
        },
        |it| {
            it.load(Twin::goner());
        },
        |it| {
            it.load(Narcissus::goner());
        },
        |it| {
            it.load(Twin::goner().default_for::<u8>());
        },
    ];
    let report = |order: [usize; 5]| {
        let builder = order.iter().fold(bare(), |builder, part| builder.load(parts[*part]));
        builder.plan().err().unwrap().to_string()
    };
    let expected = report([0, 1, 2, 3, 4]);
    for code in ["missing", "mismatch", "ambiguous", "cycle", "load"] {
        assert_eq!(expected.matches(&format!("error[gone::{code}]")).count(), 1, "{expected}");
    }
    assert!(expected.ends_with("5 problems; nothing was built"), "{expected}");
    for order in [[4, 3, 2, 1, 0], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3]] {
        assert_eq!(report(order), expected);
    }
}

#[test]
fn what_is_close_to_what_is_missing_is_named() {
    #[derive(Goner)]
    struct Wants {
        #[gone("stroe")]
        _typo: Arc<Thing>,
        #[gone]
        _bare: Thing,
        #[gone]
        _wrapped: Arc<u8>,
    }
    #[derive(Goner)]
    struct Thing;
    #[derive(Goner)]
    struct HiddenUser {
        #[gone]
        _hidden: Arc<Hidden>,
    }
    #[derive(Goner)]
    struct Hidden;
    let loaded = (
        Wants::goner(),
        Thing::goner().named("store"),
        value(3_u8),
        HiddenUser::goner(),
        Hidden::goner().named("hid").only_for_name(),
    );
    let error = bare().load(loaded).plan().err().unwrap();
    let near: Vec<_> = error
        .report()
        .unwrap()
        .problems()
        .iter()
        .map(|it| it.involved.iter().map(|place| place.what.as_str()).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        near,
        [
            vec!["`Thing` is named `store`"],
            vec!["`Thing` offers `Arc<Thing>`"],
            vec!["`u8` offers `u8`"],
            vec!["`Hidden` offers it under the name `hid`"],
        ]
    );
}

// container A-20
#[test]
fn a_module_that_fails_is_a_problem_and_loading_itself_never_fails() {
    fn broken(_: &mut Loader) -> Result<(), std::io::Error> {
        Err(std::io::Error::other("no file"))
    }
    let found = problems(bare().load(broken));
    assert_eq!(found, ["gone::load: the module `broken` failed: no file"]);
}

#[test]
fn a_broken_graph_runs_nothing_and_the_error_shows_the_report_in_debug_too() {
    let error = bare().load(Service::goner()).check().unwrap_err();
    assert_eq!(error.code(), Code::Plan);
    assert!(format!("{error:?}").contains("nothing offers `Arc<dyn Store>`"));
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn each_member_of_tangled_circles_is_in_one_and_ways_and_names_do_not_depend_on_the_loading() {
    #[derive(Goner)]
    struct Left {
        #[gone]
        _middle: Arc<Hub>,
    }
    #[derive(Goner)]
    struct Hub {
        #[gone]
        _left: Lazy<Left>,
        #[gone]
        _one: Arc<Left>,
        #[gone]
        _two: Arc<Right>,
    }
    #[derive(Goner)]
    struct Right {
        #[gone]
        _middle: Arc<Hub>,
    }
    #[derive(Goner)]
    struct RootOne {
        #[gone]
        _needy: Arc<Needy>,
    }
    #[derive(Goner)]
    struct RootTwo {
        #[gone]
        _needy: Arc<Needy>,
    }
    #[derive(Goner)]
    struct Needy {
        #[gone]
        _missing: Arc<dyn Store>,
    }
    let parts: [fn(&mut Loader); 9] = [
        |it| {
            it.load(Left::goner());
        },
        |it| {
            it.load(Hub::goner());
        },
        |it| {
            it.load(Right::goner());
        },
        |it| {
            it.load(RootOne::goner());
        },
        |it| {
            it.load(RootTwo::goner());
        },
        |it| {
            it.load(Needy::goner());
        },
        |it| {
            it.load(value(1_u8).named("same"));
        },
        |it| {
            it.load(value(1_u16).named("same"));
        },
        |it| {
            it.load(value(1_u32).named("same"));
        },
    ];
    let report = |order: &[usize]| {
        let builder = order.iter().fold(bare(), |builder, part| builder.load(parts[*part]));
        builder.plan().err().unwrap().to_string()
    };
    let expected = report(&[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for part in ["Hub → Left → Hub", "Hub → Right → Hub", "RootOne → Needy", "3 are named `same`"] {
        assert!(expected.contains(part), "no {part} in:\n{expected}");
    }
    for order in [[8, 7, 6, 5, 4, 3, 2, 1, 0], [4, 2, 8, 0, 6, 1, 3, 7, 5]] {
        assert_eq!(report(&order), expected);
    }
}

#[test]
fn a_module_that_panics_is_a_problem_too_and_causes_are_said() {
    fn panics(_: &mut Loader) {
        panic!("in a module")
    }
    assert_eq!(problems(bare().load(panics)), ["gone::load: the module `panics` failed: panicked: in a module"]);
    fn fails(_: &mut Loader) -> Result<(), Outer> {
        Err(Outer(std::io::Error::other("permission denied")))
    }
    let text = bare().load(fails).check().unwrap_err().to_string();
    assert!(text.contains("cannot read it\n") && text.contains("caused by: permission denied"), "{text}");
}

#[derive(Debug)]
struct Outer(std::io::Error);
impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot read it")
    }
}
impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
