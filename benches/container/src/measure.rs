//! Two things in turn, each twice: A against B is the result, A against A and B against B tell what it is worth.

use std::fmt;

/// How often each is measured.
const ROUNDS: usize = 41;
/// Where the same code differs from itself by more than this, nothing is decided.
const MARGIN: f64 = 0.10;

/// One line of the table.
pub(crate) struct Measured {
    what: String,
    gone: Series,
    floor: Series,
    ratio: (f64, f64),
    control: (f64, f64),
    bar: Option<Bar>,
    allocations: Option<(u64, u64)>,
}

/// What a line is held to.
#[derive(Clone, Copy)]
pub(crate) enum Bar {
    /// So many times the floor.
    Times(f64),
    /// So many nanoseconds.
    Nanos(f64),
}

/// What was measured of one side, in nanoseconds for one turn.
struct Series {
    min: f64,
    median: f64,
    /// From the 10th to the 90th in a hundred, as a part of the median.
    spread: f64,
}

/// Measures `gone` and `floor` in turn. Each call does some turns of its work and says how many
/// nanoseconds one took.
pub(crate) fn compare(
    what: impl Into<String>,
    mut gone: impl FnMut() -> f64,
    mut floor: impl FnMut() -> f64,
) -> Measured {
    let mut timed: [Vec<f64>; 4] = Default::default();
    allocation_counter::opt_out(|| {
        for _ in 0..3 {
            gone();
            floor();
        }
        for round in 0..ROUNDS {
            // In turn, also from round to round, so that each side always comes after the other's leavings.
            let order = if round % 2 == 0 { [0, 1, 2, 3] } else { [2, 3, 0, 1] };
            for side in order {
                let took = if side % 2 == 0 { gone() } else { floor() };
                timed[side].push(took);
            }
        }
    });
    let [gone, floor, gone_again, floor_again] = timed;
    let both = |first: &[f64], again: &[f64]| Series::of([first, again].concat());
    let same = |first: Vec<f64>, again: Vec<f64>| {
        let (first, again) = (Series::of(first), Series::of(again));
        apart(first.min, again.min).max(apart(first.median, again.median))
    };
    let (whole_gone, whole_floor) = (both(&gone, &gone_again), both(&floor, &floor_again));
    Measured {
        what: what.into(),
        ratio: (whole_gone.min / whole_floor.min, whole_gone.median / whole_floor.median),
        gone: whole_gone,
        floor: whole_floor,
        control: (same(gone, gone_again), same(floor, floor_again)),
        bar: None,
        allocations: None,
    }
}

/// By how much the larger exceeds the smaller, as a ratio of 1 or more.
fn apart(first: f64, again: f64) -> f64 {
    (first / again).max(again / first)
}

impl Series {
    fn of(mut nanos: Vec<f64>) -> Self {
        nanos.sort_unstable_by(f64::total_cmp);
        let at = |part: f64| nanos[((nanos.len() - 1) as f64 * part).round() as usize];
        Series { min: at(0.0), median: at(0.5), spread: (at(0.9) - at(0.1)) / at(0.5) }
    }
}

impl Measured {
    /// Holds the line to a bar: the better of minimum and median must keep it.
    pub(crate) fn bar(mut self, bar: Bar) -> Self {
        self.bar = Some(bar);
        self
    }

    /// Counts what one turn of each side allocates.
    pub(crate) fn allocations<A, B>(mut self, gone: impl FnOnce() -> A, floor: impl FnOnce() -> B) -> Self {
        self.allocations = Some((allocations(gone), allocations(floor)));
        self
    }

    fn verdict(&self) -> &'static str {
        if self.control.0.max(self.control.1) > 1.0 + MARGIN {
            return "undecided";
        }
        let kept = match self.bar {
            None => return "",
            Some(Bar::Times(times)) => self.ratio.0.min(self.ratio.1) <= times,
            Some(Bar::Nanos(nanos)) => self.gone.min <= nanos,
        };
        if kept { "kept" } else { "MISSED" }
    }
}

fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let mut made = None;
    // What is made is dropped after the count.
    allocation_counter::measure(|| made = Some(work())).count_total
}

/// The head of the table.
pub(crate) fn head() {
    println!(
        "| {:<34} | {:>21} | {:>6} | {:>21} | {:>6} | {:>13} | {:>11} | {:>13} | {:>9} | {:<9} |",
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

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |series: &Series| format!("{} / {}", time(series.min), time(series.median));
        let spread = |series: &Series| format!("{:.0} %", series.spread * 100.0);
        let allocations = self.allocations.map_or(String::new(), |(gone, floor)| format!("{gone} / {floor}"));
        let bar = match self.bar {
            None => String::new(),
            Some(Bar::Times(times)) => format!("{times} x"),
            Some(Bar::Nanos(nanos)) => time(nanos),
        };
        write!(
            f,
            "| {:<34} | {:>21} | {:>6} | {:>21} | {:>6} | {:>13} | {:>11} | {:>13} | {:>9} | {:<9} |",
            self.what,
            times(&self.gone),
            spread(&self.gone),
            times(&self.floor),
            spread(&self.floor),
            format!("{:.2} / {:.2}", self.ratio.0, self.ratio.1),
            format!("{:.2} / {:.2}", self.control.0, self.control.1),
            allocations,
            bar,
            self.verdict()
        )
    }
}

fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos:.1} ns"),
        nanos if nanos < 1e6 => format!("{:.2} µs", nanos / 1e3),
        nanos => format!("{:.3} ms", nanos / 1e6),
    }
}
