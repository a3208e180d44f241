//! Taking time.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Does the work so many times, and again until there is something to measure. What it needs is made before, and what it made is
/// dropped after the time is taken.
pub fn timed<A, B>(turns: usize, make: impl Fn() -> A, work: impl Fn(A) -> B, end: impl Fn(B)) -> f64 {
    const BATCHES: usize = 8;
    /// After this the clock is no matter any more.
    const ENOUGH: Duration = Duration::from_millis(4);
    let (mut took, mut batches) = (Duration::ZERO, 0);
    // The first batch finds the allocator as somebody else left it, and does not count.
    for batch in 0..=BATCHES {
        let made: Vec<A> = (0..turns).map(|_| make()).collect();
        let mut done = Vec::with_capacity(turns);
        let begun = Instant::now();
        for made in made {
            done.push(work(made));
        }
        if batch > 0 {
            took += begun.elapsed();
            batches += 1;
        }
        done.into_iter().for_each(&end);
        if took > ENOUGH {
            break;
        }
    }
    nanos(took) / (turns * batches) as f64
}

/// What a look-up costs: so short that only many of them can be measured.
pub fn repeated<T>(turns: u32, mut look: impl FnMut() -> T) -> f64 {
    let begun = Instant::now();
    for _ in 0..turns {
        black_box(look());
    }
    nanos(begun.elapsed()) / f64::from(turns)
}

/// A time in nanoseconds.
pub fn nanos(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// Does the work once, with the count of allocations off.
pub fn once<T>(work: impl FnOnce() -> T, end: impl FnOnce(T)) -> f64 {
    let mut took = 0.0;
    allocation_counter::opt_out(|| {
        let begun = Instant::now();
        let done = work();
        took = nanos(begun.elapsed());
        end(done);
    });
    took
}
