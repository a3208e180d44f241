//! The tables of the comparison.

use graphs::{Graph, SEED, Shape, TYPED};
use measure::{Series, time};
use work::Nodes;

use crate::peers::{Found, MADE};

pub(crate) const FLOOR: &str = "by hand";
const ORDER: [&str; 8] = [FLOOR, "gone", "dill", "ferrunix", "rudi", "shaku", "springtime-di", "summer"];

/// One container with one graph.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) graph: (Shape, usize),
    pub(crate) nodes: Nodes,
    pub(crate) boot: Series,
    pub(crate) allocations: u64,
    pub(crate) check: Option<Series>,
    pub(crate) first: Option<Series>,
}

impl Row {
    pub(crate) fn is_no_floor(&self) -> bool {
        self.name != FLOOR
    }
}

fn of<'a>(rows: &'a [Row], name: &str, graph: (Shape, usize), at_run_time: bool) -> Option<&'a Row> {
    let kind = |row: &Row| (row.nodes == Nodes::AtRunTime) == at_run_time;
    rows.iter().find(|row| row.name == name && row.graph == graph && kind(row))
}

/// Every graph with every container, then the look-ups.
pub(crate) fn print(rows: &[Row], found: &[Found]) {
    println!("\n## Beside other containers\n\nThe random graphs begin with the seed {SEED}.");
    for at_run_time in [false, true] {
        match at_run_time {
            false => println!("\n### A type for each component\n"),
            true => println!("\n### Made at run time, of one type, by name\n"),
        }
        println!(
            "| graph | nodes | container | boot min / median | spread | x by hand min / median | control | allocations \
             | check min / median | first boot min / median | x by hand |"
        );
        println!("|{}|", ["---"; 11].join("|"));
        let of_kind = |row: &&Row| (row.nodes == Nodes::AtRunTime) == at_run_time;
        let (able, unable): (Vec<_>, Vec<_>) =
            ORDER.into_iter().partition(|name| rows.iter().filter(of_kind).any(|row| row.name == *name));
        let sizes: &[usize] = if at_run_time { &MADE } else { &TYPED };
        for (number, shape) in sizes.iter().flat_map(|number| Shape::COMPARED.map(|shape| (*number, shape))) {
            for name in &able {
                println!("{}", line(rows, name, (shape, number), at_run_time));
            }
        }
        for name in unable {
            println!(
                "| all | - | {name} | - it has one component to a type, and makes none at run time | | | | | | | |"
            );
        }
    }
    println!("\n### Look-ups\n\n| by | container | components | min / median | spread | x a map by hand | control |");
    println!("|{}|", ["---"; 7].join("|"));
    for (by_name, name) in [false, true].iter().flat_map(|by_name| ORDER.map(|name| (*by_name, name))) {
        let by = if by_name { "name" } else { "type" };
        match look_up(found, name, by_name) {
            Some(Found { number, time, .. }) => {
                let over = look_up(found, FLOOR, by_name).map_or(String::new(), |floor| ratio(time, &floor.time));
                let (both, spread, control) = (times(time), spread(time), time.control);
                println!("| {by} | {name} | {number} | {both} | {spread} | {over} | {control:.2} |");
            }
            None => println!("| {by} | {name} | - | its components have no names | | | |"),
        }
    }
}

fn look_up<'a>(found: &'a [Found], name: &str, by_name: bool) -> Option<&'a Found> {
    found.iter().find(|found| found.name == name && found.by_name == by_name)
}

fn line(rows: &[Row], name: &str, graph: (Shape, usize), at_run_time: bool) -> String {
    let (shape, number) = graph;
    let head = format!("| {} {number}", shape.name());
    let Some(row) = of(rows, name, graph, at_run_time) else {
        // Shaku, of a thousand.
        return format!("{head} | - | {name} | - the compiler runs out of memory | | | | | | | |");
    };
    let floor = of(rows, FLOOR, graph, at_run_time);
    let over = |side: Option<&Series>, floor: Option<&Series>| match (side, floor) {
        (Some(side), Some(floor)) => ratio(side, floor),
        _ => "-".to_owned(),
    };
    let nodes = match row.nodes {
        Nodes::Types => "types",
        Nodes::Dyn => "dyn",
        Nodes::AtRunTime => "run time",
    };
    format!(
        "{head} | {nodes} | {name} | {} | {} | {} | {:.2} | {} | {} | {} | {} |",
        times(&row.boot),
        spread(&row.boot),
        over(Some(&row.boot), floor.map(|floor| &floor.boot)),
        row.boot.control,
        row.allocations,
        row.check.as_ref().map_or("-".to_owned(), times),
        row.first.as_ref().map_or("-".to_owned(), times),
        over(row.first.as_ref(), floor.and_then(|floor| floor.first.as_ref())),
    )
}

fn times(series: &Series) -> String {
    format!("{} / {}", time(series.min), time(series.median))
}

fn spread(series: &Series) -> String {
    format!("{:.0} %", series.spread * 100.0)
}

fn ratio(side: &Series, floor: &Series) -> String {
    let (min, median) = side.over(floor);
    format!("{min:.1} / {median:.1}")
}

/// One line for each container, of minima.
pub(crate) fn summary(rows: &[Row], found: &[Found]) {
    const SHAPE: Shape = Shape::ThreeBack;
    println!(
        "\n## In short\n\nMinima. A graph of which each component needs the three before it; boots as multiples of the same by hand.\n"
    );
    println!(
        "| container | 10 | 100 | 1,000 | 10,000, run time | first boot of 1,000 | check of 1,000 | get by type | get by name |"
    );
    println!("|{}|", ["---"; 9].join("|"));
    for name in ORDER {
        let boot = |number, at_run_time| {
            let graph = (SHAPE, number);
            let (row, floor) = (of(rows, name, graph, at_run_time)?, of(rows, FLOOR, graph, at_run_time)?);
            let over = row.boot.min / floor.boot.min;
            Some(if row.is_no_floor() { format!("{over:.1}x") } else { time(floor.boot.min) })
        };
        let row = of(rows, name, (SHAPE, 1_000), false);
        let of_row = |part: fn(&Row) -> Option<&Series>| row.and_then(part).map(|series| time(series.min));
        let found = |by_name| look_up(found, name, by_name).map(|found| time(found.time.min));
        let cells = [
            boot(10, false),
            boot(100, false),
            boot(1_000, false),
            boot(10_000, true),
            of_row(|row| row.first.as_ref()),
            of_row(|row| row.check.as_ref()),
            found(false),
            found(true),
        ];
        println!("| {name} | {} |", cells.map(|cell| cell.unwrap_or("-".to_owned())).join(" | "));
    }
    let depths = TYPED.map(|number| Graph::depth(&SHAPE.graph(number)));
    println!("\nIts longest chains have {depths:?} components.");
}
