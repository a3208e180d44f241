//! What a report says of goners that the program has and did not load.

use std::sync::Arc;

use gone::prelude::*;
use gone::{Code, Problem};

use crate::Host;

trait Store: Send + Sync {}

#[derive(Goner)]
#[goner(offers(dyn Store))]
struct SqlStore;
const SQL_STORE_LINE: u32 = line!() - 1;
impl Store for SqlStore {}

#[derive(Goner)]
struct Repo<T: Send + Sync + 'static> {
    _of: std::marker::PhantomData<T>,
}

macro_rules! wants {
    ($name:ident, $tag:literal, $ty:ty) => {
        #[derive(Goner)]
        struct $name {
            #[gone($tag)]
            _it: $ty,
        }
    };
}
wants!(WantsStore, "", Arc<dyn Store>);
wants!(WantsNamedStore, "main", Arc<dyn Store>);
wants!(WantsSpare, "spare", char);
wants!(WantsChar, "", char);
wants!(WantsHost, "", Arc<Host>);
wants!(WantsRepo, "", Arc<Repo<Vec<u8>>>);
wants!(WantsNothing, "", i128);

fn the_problem(it: impl gone::Load) -> Problem {
    let error = AppBuilder::new().load(it).check().unwrap_err();
    let [problem] = error.report().unwrap().problems() else { panic!("{error}") };
    assert_eq!(problem.code, Code::Missing);
    problem.clone()
}

fn said(problem: &Problem) -> (Vec<&str>, Vec<&str>) {
    let what = problem.involved.iter().map(|it| it.what.as_str()).collect();
    (what, problem.help.iter().map(String::as_str).collect())
}

#[test]
fn a_goner_that_exists_and_was_not_loaded_is_named_with_its_place_and_the_line_to_add() {
    let problem = the_problem(WantsStore::goner());
    assert_eq!(
        said(&problem),
        (
            vec!["`SqlStore` exists in this program (crate `discover`) and was not loaded"],
            vec!["add `.load(SqlStore::goner())`"]
        )
    );
    let at = problem.involved[0].at;
    assert!(at.file().ends_with("tests/discover/reports.rs"), "{at}");
    assert_eq!(at.line(), SQL_STORE_LINE);
}

#[test]
fn a_missing_name_is_put_on_what_offers_the_type() {
    let problem = the_problem(WantsNamedStore::goner());
    assert_eq!(said(&problem).1, ["add `.load(SqlStore::goner().named(\"main\"))`"]);
}

#[test]
fn what_another_crate_has_may_be_loaded_by_its_module() {
    for problem in [the_problem(WantsSpare::goner()), the_problem(WantsChar::goner())] {
        assert_eq!(
            said(&problem),
            (
                vec!["`Spare` exists in this program (crate `discovered_named`) and was not loaded"],
                vec!["add `.load(Spare::goner())`, or the module of `discovered_named` that loads it"]
            )
        );
    }
}

#[test]
fn what_is_marked_can_be_discovered_instead() {
    assert_eq!(
        said(&the_problem(WantsHost::goner())).1,
        ["add `.load(Host::goner())`, or begin with `Gone::discover()`"]
    );
}

#[test]
fn a_generic_goner_is_known_by_its_name() {
    let problem = the_problem((WantsRepo::goner(), Repo::<u8>::goner()));
    assert_eq!(
        said(&problem),
        (
            vec!["`Repo<…>` exists in this program (crate `discover`) and was not loaded"],
            vec!["add `.load(Repo::<Vec<u8>>::goner())`"]
        )
    );
}

#[test]
fn what_was_loaded_is_not_said_to_be_missing() {
    let problem = the_problem((WantsStore::goner(), SqlStore::goner().named("sql").only_for_name()));
    assert_eq!(said(&problem).0, ["`SqlStore` offers it under the name `sql`"]);
}

// What this shows is true of both registries: a crate that nothing names is not linked.
#[test]
fn a_crate_that_nothing_names_has_no_goners_and_the_report_says_how_to_name_it() {
    let problem = the_problem(WantsNothing::goner());
    let (involved, _) = said(&problem);
    assert!(involved.is_empty(), "`Unnamed` would offer it: {involved:?}");
    let [crates] = problem.notes.as_slice() else { panic!("{problem:?}") };
    let own: Vec<_> = crates.split(&[' ', ',', ';']).filter(|it| it.starts_with("`discover")).collect();
    assert_eq!(own, ["`discover`", "`discovered_named`"], "by name: {crates}");
    assert!(crates.contains("`discovered_named` (2), `gone_clog` (1), `gone_config` (1)"), "{crates}");
    assert!(crates.ends_with("a crate that nothing names has none: name it with `use that_crate as _;`"), "{crates}");
}

#[test]
fn the_order_of_loading_changes_nothing() {
    let report = |app: AppBuilder| format!("{:?}", app.check().unwrap_err());
    let one = report(AppBuilder::new().load((WantsStore::goner(), WantsSpare::goner(), WantsNothing::goner())));
    let other = report(AppBuilder::new().load((WantsNothing::goner(), WantsSpare::goner(), WantsStore::goner())));
    let places = |text: &str| text.lines().filter(|it| !it.contains("loaded at")).collect::<Vec<_>>().join("\n");
    assert_eq!(places(&one), places(&other));
}
