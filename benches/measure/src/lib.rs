//! How all benchmarks measure: two or more sides in turn, in one run, and a line of a table that says what came of it. See the README
//! of `benches`.

mod clock;
mod line;
mod series;

pub use clock::{nanos, once, repeated, timed};
pub use line::{Bar, Line, ROUNDS, compare, head};
pub use series::{Series, Side, allocations, measure, time};
