//! Several things in turn, each twice: one against another is the result, one against itself tells what it is worth.

/// Where the same code differs from itself by more than this, nothing is decided.
pub(crate) const MARGIN: f64 = 0.10;

/// What was measured of one side, in nanoseconds for one turn.
pub struct Series {
    pub min: f64,
    pub median: f64,
    /// From the 10th to the 90th in a hundred, as a part of the median.
    pub spread: f64,
    /// The two series of the same code over each other, the larger over the smaller, the worse of minimum and median.
    pub control: f64,
}

/// One side: does some turns of its work and says how many nanoseconds one took.
pub type Side<'a> = &'a mut dyn FnMut() -> f64;

/// Measures the sides in turn, twice in each round.
pub fn measure(rounds: usize, sides: &mut [Side<'_>]) -> Vec<Series> {
    let mut timed: Vec<[Vec<f64>; 2]> = sides.iter().map(|_| Default::default()).collect();
    allocation_counter::opt_out(|| {
        for _ in 0..rounds.min(2) {
            sides.iter_mut().for_each(|side| _ = side());
        }
        for round in 0..rounds {
            for series in 0..2 {
                let mut one = |(side, timed): (&mut Side<'_>, &mut [Vec<f64>; 2])| timed[series].push(side());
                let both = sides.iter_mut().zip(&mut timed);
                // The other way round in the next round, so that no side always comes after the same other's leavings.
                if round % 2 == series { both.for_each(&mut one) } else { both.rev().for_each(&mut one) }
            }
        }
    });
    timed.into_iter().map(|[first, again]| Series::of(first, again)).collect()
}

impl Series {
    fn of(first: Vec<f64>, again: Vec<f64>) -> Self {
        let both = Sorted::of([&*first, &*again].concat());
        let (first, again) = (Sorted::of(first), Sorted::of(again));
        let control = |part| apart(first.at(part), again.at(part));
        Series {
            min: both.at(0.0),
            median: both.at(0.5),
            spread: (both.at(0.9) - both.at(0.1)) / both.at(0.5),
            control: control(0.0).max(control(0.5)),
        }
    }

    /// The minima and the medians over each other.
    pub fn over(&self, floor: &Series) -> (f64, f64) {
        (self.min / floor.min, self.median / floor.median)
    }
}

struct Sorted(Vec<f64>);

impl Sorted {
    fn of(mut nanos: Vec<f64>) -> Self {
        nanos.sort_unstable_by(f64::total_cmp);
        Sorted(nanos)
    }

    fn at(&self, part: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * part).round() as usize]
    }
}

/// By how much the larger exceeds the smaller, as a ratio of 1 or more.
fn apart(first: f64, again: f64) -> f64 {
    (first / again).max(again / first)
}

/// How many allocations it makes, on this thread. What it makes is dropped after the count.
pub fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let mut made = None;
    allocation_counter::measure(|| made = Some(work())).count_total
}

/// A time in the unit that suits it.
pub fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos:.1} ns"),
        nanos if nanos < 1e6 => format!("{:.2} µs", nanos / 1e3),
        nanos => format!("{:.3} ms", nanos / 1e6),
    }
}
