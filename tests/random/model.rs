//! What must be true of any story, by the words of the contract: who is built, started, stopped and closed, in which order, and
//! what is said of what failed. It knows nothing of how the container does it.

use std::collections::BTreeMap;
use std::time::Duration;

use gone::Error;

use crate::play::{Outcome, Story};
use crate::scenario::{Cut, Fate, Need, Scenario, Step};
use crate::unit::{Entry, What};

/// How often each thing happened, over all scenarios.
pub(crate) type Counts = BTreeMap<&'static str, usize>;

struct Judge<'a> {
    scenario: &'a Scenario,
    story: &'a Story,
    wrong: Vec<String>,
}

/// All that is wrong with a story.
pub(crate) fn judge(scenario: &Scenario, story: &Story, counts: &mut Counts) -> Vec<String> {
    let mut judge = Judge { scenario, story, wrong: story.wrong.clone() };
    judge.construction();
    judge.starts();
    judge.ends();
    judge.nothing_new_after_a_failure();
    judge.parallelism();
    judge.results();
    judge.times();
    let alive = story.alive;
    judge.must(alive == 0, || format!("{alive} units are still there"));
    judge.count(counts);
    judge.wrong
}

impl Judge<'_> {
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    fn units(&self) -> std::ops::Range<usize> {
        0..self.scenario.units.len()
    }

    /// The places in the story of what happened to a unit; calls of providers are left out.
    fn places(&self, unit: usize, what: impl Fn(What) -> bool) -> Vec<usize> {
        let entries = self.story.entries.iter().enumerate();
        entries.filter(|(_, entry)| entry.unit == unit && what(entry.what)).map(|(place, _)| place).collect()
    }

    fn begun(&self, unit: usize, step: Step) -> Option<usize> {
        self.places(unit, |what| what == What::Begun(step)).first().copied()
    }

    fn over(&self, unit: usize, step: Step) -> Option<usize> {
        self.places(unit, |what| matches!(what, What::Ended(it, _) | What::Dropped(it) if it == step)).first().copied()
    }

    fn well(&self, unit: usize, step: Step) -> Option<usize> {
        self.places(unit, |what| what == What::Ended(step, true)).first().copied()
    }

    fn constructed(&self, unit: usize) -> Option<usize> {
        self.places(unit, |what| what == What::Constructed).first().copied()
    }

    /// Everyone who comes to need a unit by way of others, itself included; for the start what comes `after` counts, too.
    fn askers(&self, unit: usize, start: bool) -> Vec<usize> {
        let mut found = vec![unit];
        for at in 0.. {
            let Some(&asked) = found.get(at) else { break };
            for asker in self.units() {
                let comes_after = self.scenario.units[asker].after.filter(|_| start);
                let after = comes_after.is_some_and(|group| self.scenario.members(group).any(|it| it == asked));
                if (after || self.scenario.needs(asker).contains(&asked)) && !found.contains(&asker) {
                    found.push(asker);
                }
            }
        }
        found
    }

    fn is_early(&self, unit: usize) -> bool {
        self.askers(unit, false).into_iter().any(|asker| self.scenario.units[asker].early)
    }

    /// A unit starts at the lowest order of whoever needs it.
    fn level(&self, unit: usize) -> i32 {
        self.askers(unit, true).into_iter().map(|asker| self.scenario.units[asker].order).min().unwrap_or(0)
    }

    fn construction(&mut self) {
        for unit in self.units() {
            for (step, most) in
                [(Step::BeforeInit, 1), (Step::Init, 1), (Step::Start, 1), (Step::Stop, 1), (Step::Close, 1)]
            {
                let times = self.places(unit, |what| what == What::Begun(step)).len();
                self.must(times <= most, || format!("{unit} went {times} times through {step:?}"));
            }
            let Some(constructed) = self.constructed(unit) else { continue };
            let times = self.places(unit, |what| what == What::Constructed).len();
            self.must(times == 1, || format!("{unit} was constructed {times} times"));
            for need in self.scenario.needs(unit) {
                let ready = self.well(need, Step::Init).is_some_and(|ready| ready < constructed);
                self.must(ready, || format!("{unit} was constructed before {need} was ready"));
            }
            if !self.is_early(unit) {
                for early in self.units().filter(|other| self.is_early(*other)).collect::<Vec<_>>() {
                    let ready = self.well(early, Step::Init).is_some_and(|ready| ready < constructed);
                    self.must(ready, || format!("{unit} was constructed before {early}, which is early"));
                }
            }
            if let Some(before) = self.begun(unit, Step::BeforeInit) {
                let init = self
                    .begun(unit, Step::Init)
                    .is_none_or(|init| self.well(unit, Step::BeforeInit).is_some_and(|well| well < init));
                self.must(before > constructed && init, || format!("{unit} was initialised before its before_init"));
            }
        }
        // A sharing provider is asked once for each text while the application is built.
        let mut asked: BTreeMap<(usize, u8), usize> = BTreeMap::new();
        for entry in &self.story.entries {
            if let (What::Begun(Step::Provide), Some(_), Some(text)) = (entry.what, entry.asker, entry.text)
                && self.scenario.units[entry.unit].kind == crate::scenario::Kind::Sharing
            {
                *asked.entry((entry.unit, text)).or_default() += 1;
            }
        }
        for ((unit, text), times) in asked {
            self.must(times == 1, || format!("{unit} was asked {times} times for {text}"));
        }
    }

    fn starts(&mut self) {
        let stages = [Step::Init, Step::BeforeStart, Step::Start, Step::AfterStart, Step::Run];
        for (at, later) in stages.iter().enumerate() {
            for unit in self.units() {
                let Some(begun) = self.begun(unit, *later) else { continue };
                for (earlier, other) in
                    stages[..at].iter().flat_map(|it| self.units().map(move |unit| (*it, unit))).collect::<Vec<_>>()
                {
                    let has = self.scenario.units[other].acts.contains_key(&earlier);
                    let over = !has || self.well(other, earlier).is_some_and(|over| over < begun);
                    self.must(over, || format!("{unit} was in {later:?} before {other} was through {earlier:?}"));
                }
                if *later == Step::Init || *later == Step::Run {
                    continue;
                }
                for other in self.units() {
                    let first = self.level(other) < self.level(unit)
                        || (other != unit && self.askers(other, true).contains(&unit));
                    let has = self.scenario.units[other].acts.contains_key(later);
                    if first && has {
                        let over = self.well(other, *later).is_some_and(|over| over < begun);
                        self.must(over, || format!("{unit} was in {later:?} before {other}, which comes first"));
                    }
                }
            }
        }
    }

    fn ends(&mut self) {
        for unit in self.units() {
            // Stopped is what started well, closed is what was initialised well, and nothing else.
            let started = self.well(unit, Step::Start).is_some();
            let stopped = self.begun(unit, Step::Stop).is_some();
            self.must(started == stopped, || format!("{unit} started: {started}, was stopped: {stopped}"));
            let ready = self.well(unit, Step::Init).is_some();
            let closed = self.begun(unit, Step::Close).is_some();
            self.must(ready == closed, || format!("{unit} was ready: {ready}, was closed: {closed}"));
            for step in [Step::BeforeStop, Step::AfterStop] {
                let has = self.scenario.units[unit].acts.contains_key(&step);
                let begun = self.begun(unit, step).is_some();
                self.must(begun == (has && started), || format!("{unit} started: {started}, was in {step:?}: {begun}"));
            }
            let (run, run_over) = (self.begun(unit, Step::Run), self.over(unit, Step::Run));
            let stop = self.begun(unit, Step::Stop);
            let awaited = run.is_none() || run_over.is_some_and(|over| stop.is_some_and(|stop| over < stop));
            self.must(awaited, || format!("{unit} was stopped before its background task was over"));
            for step in [Step::BeforeStop, Step::Stop, Step::AfterStop, Step::Close] {
                let Some(begun) = self.begun(unit, step) else { continue };
                let before = |other: usize| match step {
                    Step::Close => {
                        let late = !self.is_early(other) && self.is_early(unit);
                        late || self.askers(unit, false).contains(&other)
                    }
                    _ => self.level(other) > self.level(unit) || self.askers(unit, true).contains(&other),
                };
                for other in self.units().filter(|other| *other != unit && before(*other)).collect::<Vec<_>>() {
                    if self.begun(other, step).is_some() {
                        let over = self.over(other, step).is_some_and(|over| over < begun);
                        self.must(over, || {
                            format!("{unit} was in {step:?} before {other}, which needs it or comes later")
                        });
                    }
                }
                let stages = [Step::BeforeStop, Step::Stop, Step::AfterStop, Step::Close];
                for earlier in stages.into_iter().filter(|earlier| *earlier < step) {
                    for other in self.units() {
                        let over = self.begun(other, earlier).is_none()
                            || self.over(other, earlier).is_some_and(|over| over < begun);
                        self.must(over, || format!("{unit} was in {step:?} before {other} was through {earlier:?}"));
                    }
                }
            }
        }
    }

    /// The failures of some steps, in the order in which they happened: what ended badly, and what was dropped because its time was
    /// up.
    fn failures(&self, of: impl Fn(Step) -> bool) -> Vec<(usize, Step, Duration)> {
        let mut failures = Vec::new();
        for entry in &self.story.entries {
            // A provider that is asked from outside, once all is built, fails for whoever asks.
            let outside = matches!(entry.what, What::Ended(Step::Provide, _) | What::Dropped(Step::Provide))
                && entry.asker.is_none();
            match entry.what {
                What::Ended(step, false) if of(step) && !outside => failures.push((entry.unit, step, entry.at)),
                What::Dropped(step) if of(step) && !outside && self.time_was_up(entry, step) => {
                    failures.push((entry.unit, step, entry.at))
                }
                _ => {}
            }
        }
        failures
    }

    /// A step that hangs is dropped when its budget is used up: fifteen seconds to start, ten to stop, less where the shutdown's are.
    fn time_was_up(&self, entry: &Entry, step: Step) -> bool {
        let hangs = self.scenario.units[entry.unit].acts.get(&step).is_some_and(|act| act.fate == Fate::Hangs);
        let begun = self.story.entries.iter().rfind(|it| {
            (it.unit, it.asker, it.text) == (entry.unit, entry.asker, entry.text)
                && it.what == What::Begun(step)
                && it.at <= entry.at
        });
        let took = entry.at - begun.map_or(entry.at, |begun| begun.at);
        match step {
            // A background task may hang for long; what counts is that it was told and went on.
            Step::Run => hangs,
            _ if step.is_boot() => hangs && took >= Duration::from_secs(15),
            _ => took >= Duration::from_millis(250),
        }
    }

    fn nothing_new_after_a_failure(&mut self) {
        let Some((of, in_step, at)) = self.failures(Step::is_boot).first().copied() else { return };
        for entry in &self.story.entries {
            let What::Begun(step) = entry.what else { continue };
            let outside = step == Step::Provide && entry.asker.is_none();
            if step.is_boot() && !outside && !self.scenario.threads && entry.at > at {
                let text = format!("{} began {step:?} after {of} had failed in {in_step:?}", entry.unit);
                self.wrong.push(text);
            }
        }
    }

    /// How many units are worked on at once: an asker's providers count as the asker, a shared value as one of its own.
    fn parallelism(&mut self) {
        let mut under_way: Vec<(usize, Option<usize>, Option<u8>)> = Vec::new();
        let mut most = 0;
        for entry in &self.story.entries {
            let sharing = self.scenario.units[entry.unit].kind == crate::scenario::Kind::Sharing;
            let key = |step: Step| match (step, entry.asker) {
                (Step::Provide, Some(asker)) if !sharing => (asker, None, None),
                (Step::Provide, asker) => (entry.unit, asker.or(Some(usize::MAX)), entry.text),
                _ => (entry.unit, None, None),
            };
            match entry.what {
                What::Begun(Step::Provide) if entry.asker.is_none() => {}
                What::Begun(step) if step.is_boot() => under_way.push(key(step)),
                What::Ended(step, _) | What::Dropped(step) if step.is_boot() => {
                    if let Some(at) = under_way.iter().position(|it| *it == key(step)) {
                        under_way.swap_remove(at);
                    }
                }
                _ => {}
            }
            let mut distinct = under_way.clone();
            distinct.sort_unstable();
            distinct.dedup();
            most = most.max(distinct.len());
        }
        let max = self.scenario.max;
        self.must(most <= max, || format!("{most} were under way at once, where {max} may be"));
    }

    fn results(&mut self) {
        let of_boot = self.failures(Step::is_boot);
        let of_end = self.failures(|step| step >= Step::BeforeStop);
        let of_run = self.failures(|step| step == Step::Run);
        match &self.story.outcome {
            Outcome::Failed(error) => {
                let late = error.to_string().contains("was not ready within");
                match of_boot.first() {
                    Some((_, _, at)) if !late => {
                        let first: Vec<_> =
                            of_boot.iter().filter(|(_, _, when)| when == at || self.scenario.threads).collect();
                        let named = |(unit, step, _): &&(usize, Step, Duration)| {
                            let hangs = self.scenario.units[*unit].acts[step].fate == Fate::Hangs;
                            let says = if hangs {
                                "did not end within 15s".to_owned()
                            } else {
                                format!("fault of {unit} in {step:?}")
                            };
                            let hook = format!("{:?}", error.hook().unwrap_or(gone::Hook::Run));
                            error.to_string().contains(&says) && hook == format!("{step:?}")
                        };
                        let right = first.iter().any(named);
                        self.must(right, || format!("the boot ended with {error:?} where {first:?} had failed"));
                    }
                    _ => {
                        let may = matches!(self.scenario.cut, Cut::Budget(_)) || self.last() >= Duration::from_secs(60);
                        self.must(late && may, || format!("the boot ended with {error:?} and nothing had failed"));
                    }
                }
                self.told(error.attached().len(), of_end.len() + self.told_runs(&of_run), error);
            }
            Outcome::Ended(Some(result)) => {
                self.must(of_boot.is_empty(), || format!("it booted, though {of_boot:?} had failed"));
                let errors = |error: &Error| 1 + flat(error);
                let said = result.as_ref().err().map_or(0, errors);
                // One that fails before it is told is what `run` ends with, and nobody's where nothing answers.
                let runs = of_run.len();
                let least = of_end.len() + self.told_runs(&of_run);
                let right = said >= least && said <= of_end.len() + runs;
                self.must(right, || {
                    format!("{least} to {} failed in the end and {said} were told: {result:?}", of_end.len() + runs)
                });
            }
            Outcome::Ended(None) | Outcome::Dropped => {}
        }
    }

    /// Background tasks that failed after they were told to end: those that hang, as others fail by themselves.
    fn told_runs(&self, of_run: &[(usize, Step, Duration)]) -> usize {
        of_run.iter().filter(|(unit, step, _)| self.scenario.units[*unit].acts[step].fate == Fate::Hangs).count()
    }

    fn told(&mut self, said: usize, failed: usize, error: &Error) {
        self.must(said == failed, || {
            format!("{failed} failed while it was rolled back and {said} were told: {error:?}")
        });
    }

    fn last(&self) -> Duration {
        self.story.entries.last().map_or(Duration::ZERO, |entry| entry.at)
    }

    /// The end is within the budget of the shutdown, and the moments that those get who come last.
    fn times(&mut self) {
        if let (Some((begun, over)), false) = (self.story.ending, self.scenario.threads) {
            let hooks = self.scenario.units.len() as u32 * 5;
            let most = Duration::from_secs(25) + hooks * Duration::from_millis(250) + Duration::from_secs(5);
            self.must(over - begun <= most, || format!("the end took {:?}", over - begun));
        }
        // Without anything that holds it up, what is independent is built side by side: as long as the longest path, and no longer.
        let free = self.scenario.max == usize::MAX && !self.scenario.threads && self.scenario.cut == Cut::Nothing;
        let levels = self.scenario.units.iter().any(|unit| unit.early);
        if free && !levels && matches!(self.story.outcome, Outcome::Ended(_)) && self.failures(|_| true).is_empty() {
            let expected = self.units().map(|unit| self.ready_after(unit)).max().unwrap_or(0);
            let inits = self.story.entries.iter().filter(|entry| matches!(entry.what, What::Ended(Step::Init, true)));
            let took = inits.map(|entry| entry.at).max().unwrap_or(Duration::ZERO);
            let expected = Duration::from_millis(expected);
            // The paused clock goes in whole milliseconds, and each timer may be one late.
            let late = took.saturating_sub(expected);
            self.must(took >= expected && late <= Duration::from_millis(40), || {
                format!("all were ready after {took:?}, not {expected:?}")
            });
        }
    }

    /// The longest path to a unit, in milliseconds.
    fn ready_after(&self, unit: usize) -> u64 {
        let millis = |unit: usize, step: Step| self.scenario.units[unit].acts.get(&step).map_or(0, |act| act.millis);
        let needs = self.scenario.needs(unit).into_iter().map(|need| self.ready_after(need)).max().unwrap_or(0);
        let mut asked = needs;
        let mut values = 0;
        for need in &self.scenario.units[unit].needs {
            if let Need::Value(of, _) = *need {
                let provide = millis(of, Step::Provide);
                match self.scenario.units[of].kind {
                    // A shared value is made as soon as its provider is ready; one of its own when the asker's turn comes.
                    crate::scenario::Kind::Sharing => asked = asked.max(self.ready_after(of) + provide),
                    _ => values = values.max(provide),
                }
            }
        }
        asked + values + millis(unit, Step::BeforeInit) + millis(unit, Step::Init)
    }

    fn count(&self, counts: &mut Counts) {
        let mut add = |what: &'static str, times: usize| *counts.entry(what).or_default() += times;
        add("graphs", 1);
        add("units", self.scenario.units.len());
        add("boots dropped", usize::from(matches!(self.story.outcome, Outcome::Dropped)));
        add("boots failed", usize::from(matches!(self.story.outcome, Outcome::Failed(_))));
        add("ran to the end", usize::from(matches!(self.story.outcome, Outcome::Ended(_))));
        let lazy = self.scenario.units.iter().flat_map(|unit| &unit.needs).filter(|need| matches!(need, Need::Lazy(_)));
        add("lazies", lazy.count());
        for entry in &self.story.entries {
            let outside = entry.asker.is_none() && entry.text.is_some();
            match entry.what {
                What::Begun(Step::Provide) if outside => add("values made from outside", 1),
                What::Dropped(Step::Provide) if outside => add("waiters dropped", 1),
                What::Ended(step, false) => match self.scenario.units[entry.unit].acts[&step].fate {
                    Fate::Panics => add("panics", 1),
                    _ => add("errors", 1),
                },
                What::Dropped(step) if self.time_was_up(entry, step) => add("hooks past their budget", 1),
                What::Dropped(_) => add("hooks cancelled", 1),
                _ => {}
            }
        }
    }
}

/// How many errors are attached to one, directly or to those.
fn flat(error: &Error) -> usize {
    error.attached().iter().map(|error| 1 + flat(error)).sum()
}
