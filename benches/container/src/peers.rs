//! The containers side by side, each with the same graphs.

use std::collections::BTreeMap;

use graphs::{Shape, TYPED};
use measure::{Bar, Line, Series, allocations, compare, head, measure, once};
use tokio::runtime::Runtime;
use work::{Looking, Nodes, Work};

use crate::contained::{HandMade, MadeGoners};
use crate::first::first_boot;
use crate::made::Named;
use crate::table::{self, Row};
use crate::typed::generated::compared;

const ROUNDS: usize = 15;
/// The sizes of the graphs that are made at run time.
pub(crate) const MADE: [usize; 4] = [10, 100, 1_000, 10_000];
/// The one that look-ups are done in.
const LOOKED_UP: (Shape, usize) = (Shape::Random, 1_000);

/// Those that leave the process as they found it.
fn apart_from_summer() -> Vec<Box<dyn Work>> {
    [compared(), peer_dill::all(), peer_ferrunix::all(), peer_rudi::all(), peer_shaku::all(), peer_springtime::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// Summer with each graph, and the floor. Its log is the whole process's from the first application on, so that it comes last.
fn with_summer() -> Vec<Box<dyn Work>> {
    compared().into_iter().filter(|work| work.name() == table::FLOOR).chain(peer_summer::all()).collect()
}

/// All tables.
pub(crate) fn all(runtime: &Runtime) {
    let mut rows = Vec::new();
    let made = MADE.map(|number| Shape::COMPARED.map(|shape| Named::new(shape, number)));
    for named in made.into_iter().flatten() {
        let (shape, names) = (named.shape, named.names.clone());
        let works: [Box<dyn Work>; 3] =
            [Box::new(HandMade(named.clone())), Box::new(MadeGoners(named)), peer_rudi::made(shape, names)];
        rows.extend(measured(&works.iter().map(|work| &**work).collect::<Vec<_>>(), runtime));
    }
    let works = apart_from_summer();
    rows.extend(grouped(&works).values().flat_map(|group| measured(group, runtime)));
    let mut found = looked_up(&works, runtime);
    let to_dill = beside_dill(&works, runtime);
    let works = with_summer();
    rows.extend(grouped(&works).values().flat_map(|group| measured(group, runtime)).filter(Row::is_no_floor));
    found.extend(looked_up(&works, runtime).into_iter().filter(|found| found.name == "summer"));
    table::print(&rows, &found);
    println!("\n### The plan, beside what dill takes to validate the same graph\n\nThe floor is dill.\n");
    head();
    to_dill.iter().for_each(|line| println!("{line}"));
    table::summary(&rows, &found);
}

/// Those with the same graph.
fn grouped(works: &[Box<dyn Work>]) -> BTreeMap<(usize, usize), Vec<&dyn Work>> {
    let mut groups: BTreeMap<_, Vec<&dyn Work>> = BTreeMap::new();
    for work in works {
        let (shape, number) = work.graph();
        let shape = Shape::COMPARED.iter().position(|it| *it == shape).unwrap_or_default();
        groups.entry((number, shape)).or_default().push(&**work);
    }
    groups
}

/// All of one graph, in turn.
fn measured(works: &[&dyn Work], runtime: &Runtime) -> Vec<Row> {
    works.iter().for_each(|work| work.verify(runtime));
    let boots = in_turn(works, |work| work.boot(runtime));
    let checking: Vec<&dyn Work> = works.iter().copied().filter(|work| work.check(runtime).is_some()).collect();
    let checks = in_turn(&checking, |work| work.check(runtime).unwrap_or_default());
    let mut checks: BTreeMap<_, _> = checking.iter().map(|work| work.name()).zip(checks).collect();
    let typed = works.iter().all(|work| work.nodes() != Nodes::AtRunTime);
    let firsts = if typed { in_turn(works, |work| first_boot(&called(work))) } else { Vec::new() };
    let mut firsts = firsts.into_iter();
    let rows = works.iter().zip(boots).map(|(work, boot)| Row {
        name: work.name(),
        graph: work.graph(),
        nodes: work.nodes(),
        boot,
        allocations: counted(*work, runtime),
        check: checks.remove(work.name()),
        first: firsts.next(),
    });
    rows.collect()
}

fn in_turn(works: &[&dyn Work], time: impl Fn(&dyn Work) -> f64) -> Vec<Series> {
    let mut sides: Vec<_> = works.iter().map(|work| || time(*work)).collect();
    let mut sides: Vec<&mut dyn FnMut() -> f64> = sides.iter_mut().map(|side| side as _).collect();
    measure(ROUNDS, &mut sides)
}

fn counted(work: &dyn Work, runtime: &Runtime) -> u64 {
    let mut count = 0;
    work.boot_once(runtime, &mut |boot| count = allocations(boot));
    count
}

/// What a child is told to boot.
fn called(work: &dyn Work) -> String {
    let (shape, number) = work.graph();
    format!("{}/{}/{number}", work.name(), shape.name())
}

/// In the child: the first boot of this process.
pub(crate) fn boot_here(what: &str, runtime: &Runtime) -> Option<f64> {
    let work = apart_from_summer().into_iter().chain(peer_summer::all()).find(|work| called(&**work) == what)?;
    let mut took = 0.0;
    work.boot_once(runtime, &mut |boot| took = once(boot, drop));
    Some(took)
}

/// What look-ups take.
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) number: usize,
    pub(crate) by_name: bool,
    pub(crate) time: Series,
}

fn looked_up(works: &[Box<dyn Work>], runtime: &Runtime) -> Vec<Found> {
    let (shape, number) = LOOKED_UP;
    // Shaku has no larger one.
    let wanted = |work: &&dyn Work| work.graph() == (shape, if work.name() == "shaku" { TYPED[1] } else { number });
    let typed: Vec<&dyn Work> = works.iter().map(|work| &**work).filter(wanted).collect();
    let mut found = times(&typed, false, runtime);
    let named = Named::new(shape, number);
    let made: [Box<dyn Work>; 3] = [
        Box::new(HandMade(named.clone())),
        Box::new(MadeGoners(named.clone())),
        peer_rudi::made(shape, named.names.clone()),
    ];
    found.extend(times(&typed.into_iter().chain(made.iter().map(|work| &**work)).collect::<Vec<_>>(), true, runtime));
    found
}

/// What look-ups take in those that have them, in turn.
fn times(works: &[&dyn Work], by_name: bool, runtime: &Runtime) -> Vec<Found> {
    const TURNS: u32 = 20_000;
    let look = |it: &mut dyn Looking| if by_name { it.by_name(TURNS) } else { it.by_type(TURNS) };
    let mut looking: Vec<_> = works.iter().map(|work| (*work, work.looking(runtime))).collect();
    looking.retain_mut(|(_, it)| look(&mut **it).is_some());
    let mut sides: Vec<_> = looking.iter_mut().map(|(_, it)| || look(&mut **it).unwrap_or(f64::NAN)).collect();
    let mut sides: Vec<&mut dyn FnMut() -> f64> = sides.iter_mut().map(|side| side as _).collect();
    let times = measure(ROUNDS, &mut sides);
    let found = looking.iter().zip(times);
    found.map(|((work, _), time)| Found { name: work.name(), number: work.graph().1, by_name, time }).collect()
}

/// The plan of a thousand, beside what dill takes to validate them.
fn beside_dill(works: &[Box<dyn Work>], runtime: &Runtime) -> Vec<Line> {
    let of = |name: &str, shape| {
        works.iter().map(|work| &**work).find(|work| work.name() == name && work.graph() == (shape, 1_000))
    };
    let pairs = Shape::COMPARED.map(|shape| (shape, of("gone", shape), of("dill", shape)));
    let lines = pairs.into_iter().filter_map(|(shape, gone, dill)| {
        let (gone, dill) = (gone?, dill?);
        let what = format!("plan, {}, 1000", shape.name());
        let check = |work: &dyn Work| work.check(runtime).unwrap_or_default();
        Some(compare(what, ROUNDS, || check(gone), || check(dill)).bar(Bar::Times(1.0)))
    });
    lines.collect()
}
