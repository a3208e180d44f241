//! What the stages of a long command take.

use std::fmt;
use std::time::{Duration, Instant};

use crate::shell::Result;

/// The stages so far, in their order.
pub(crate) struct Stages {
    begun: Instant,
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Begins the first one.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), done: Vec::new() }
    }

    /// Runs a stage, and notes how long it took, also if it fails.
    pub(crate) fn run<T>(&mut self, name: &'static str, stage: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let result = stage();
        self.done.push((name, begun.elapsed()));
        result
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, took) in &self.done {
            writeln!(f, "{name:<24}{:>6.0} s", took.as_secs_f64())?;
        }
        write!(f, "all of it took {:.0} s", self.begun.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_fails_is_in_the_table_too() {
        let mut stages = Stages::new();
        stages.run("clippy", || Ok(())).unwrap();
        stages.run("tests", || Err::<(), _>("one failed".to_owned())).unwrap_err();
        let lines = "clippy                       0 s\ntests                        0 s\nall of it took 0 s";
        assert_eq!(stages.to_string(), lines);
    }
}
