//! One line of the table of budgets: two things in turn, and what the first is held to.

use std::fmt;

use crate::series::{self, MARGIN, Series, time};

/// How often each is measured, unless it takes long.
pub const ROUNDS: usize = 41;

/// Two sides, measured.
pub struct Line {
    what: String,
    gone: Series,
    floor: Series,
    bar: Option<Bar>,
    allocations: Option<(u64, u64)>,
}

/// What a line is held to.
#[derive(Clone, Copy)]
pub enum Bar {
    /// So many times the floor.
    Times(f64),
    /// So many nanoseconds.
    Nanos(f64),
}

/// Measures `gone` and `floor` in turn.
pub fn compare(
    what: impl Into<String>,
    rounds: usize,
    mut gone: impl FnMut() -> f64,
    mut floor: impl FnMut() -> f64,
) -> Line {
    let mut measured = series::measure(rounds, &mut [&mut gone, &mut floor]);
    let (Some(floor), Some(gone)) = (measured.pop(), measured.pop()) else { unreachable!("two sides were given") };
    Line { what: what.into(), gone, floor, bar: None, allocations: None }
}

impl Line {
    /// Holds the line to a bar: the better of minimum and median must keep it.
    pub fn bar(mut self, bar: impl Into<Option<Bar>>) -> Self {
        self.bar = bar.into();
        self
    }

    /// Counts what one turn of each side allocates.
    pub fn allocations<A, B>(mut self, gone: impl FnOnce() -> A, floor: impl FnOnce() -> B) -> Self {
        self.allocations = Some((series::allocations(gone), series::allocations(floor)));
        self
    }

    fn verdict(&self) -> &'static str {
        let Some(bar) = self.bar else { return "" };
        if self.gone.control.max(self.floor.control) > 1.0 + MARGIN {
            return "undecided";
        }
        let ratio = self.gone.over(&self.floor);
        let kept = match bar {
            Bar::Times(times) => ratio.0.min(ratio.1) <= times,
            Bar::Nanos(nanos) => self.gone.min <= nanos,
        };
        if kept { "kept" } else { "MISSED" }
    }

    /// Writes it as a row of the table.
    pub fn print(&self) {
        println!("{self}");
    }
}

/// The head of the table.
pub fn head() {
    println!(
        "| {:<40} | {:>21} | {:>6} | {:>21} | {:>6} | {:>13} | {:>11} | {:>13} | {:>9} | {:<9} |",
        "what",
        "gone min / median",
        "spread",
        "floor min / median",
        "spread",
        "ratio min/med",
        "control A/B",
        "allocations",
        "bar",
        "verdict"
    );
    println!("|{}|", ["---"; 10].join("|"));
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |series: &Series| format!("{} / {}", time(series.min), time(series.median));
        let spread = |series: &Series| format!("{:.0} %", series.spread * 100.0);
        let allocations = self.allocations.map_or(String::new(), |(gone, floor)| format!("{gone} / {floor}"));
        let bar = match self.bar {
            None => String::new(),
            Some(Bar::Times(times)) => format!("{times} x"),
            Some(Bar::Nanos(nanos)) => time(nanos),
        };
        let ratio = self.gone.over(&self.floor);
        write!(
            f,
            "| {:<40} | {:>21} | {:>6} | {:>21} | {:>6} | {:>13} | {:>11} | {:>13} | {:>9} | {:<9} |",
            self.what,
            times(&self.gone),
            spread(&self.gone),
            times(&self.floor),
            spread(&self.floor),
            format!("{:.2} / {:.2}", ratio.0, ratio.1),
            format!("{:.2} / {:.2}", self.gone.control, self.floor.control),
            allocations,
            bar,
            self.verdict()
        )
    }
}
