//! What a random application is made of, and what befalls it.

use std::collections::BTreeMap;

/// SplitMix64: the same numbers for the same seed, everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Whether one of so many comes up.
    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// A place in a unit's life where its own code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Provide,
    BeforeInit,
    Init,
    BeforeStart,
    Start,
    AfterStart,
    Run,
    BeforeStop,
    Stop,
    AfterStop,
    Close,
}

impl Step {
    const ALL: [Step; 11] = [
        Step::Provide,
        Step::BeforeInit,
        Step::Init,
        Step::BeforeStart,
        Step::Start,
        Step::AfterStart,
        Step::Run,
        Step::BeforeStop,
        Step::Stop,
        Step::AfterStop,
        Step::Close,
    ];
    /// Those that every unit has.
    const ALWAYS: [Step; 5] = [Step::Provide, Step::Init, Step::Start, Step::Stop, Step::Close];

    pub(crate) fn is_boot(self) -> bool {
        self <= Step::AfterStart
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Well,
    Fails,
    Panics,
    /// Never comes to an end by itself.
    Hangs,
}

/// How one step goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub(crate) millis: u64,
    pub(crate) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Provider,
    Sharing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    One(usize),
    Optional(usize),
    Absent,
    Group(usize),
    Lazy(usize),
    /// A value of a provider, for one of two texts.
    Value(usize, u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) needs: Vec<Need>,
    pub(crate) order: i32,
    pub(crate) early: bool,
    pub(crate) after: Option<usize>,
    pub(crate) member: [bool; 2],
    pub(crate) acts: BTreeMap<Step, Act>,
}

/// What cuts the boot short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Nothing,
    /// The future is dropped after so long.
    After(u64),
    /// The future is dropped after so many polls.
    Polls(usize),
    /// The boot has only so long.
    Budget(u64),
}

/// How the application ends once it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Stop,
    /// From two tasks at once, and again.
    StopTwice,
    /// The future of the stop is dropped after so long.
    DropStop(u64),
    /// The application is dropped.
    Drop,
    /// It is asked to stop after so long.
    Request(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// A unit needs only units before it, but lazily.
    pub(crate) units: Vec<Plan>,
    /// The place of each unit in the order of loading.
    pub(crate) loaded: Vec<usize>,
    /// Of each group: members come before this unit, and who takes it is not before it.
    pub(crate) groups: [usize; 2],
    pub(crate) max: usize,
    pub(crate) cut: Cut,
    pub(crate) end: End,
    /// On several threads, in real time.
    pub(crate) threads: bool,
}

impl Scenario {
    pub(crate) fn new(seed: u64, threads: bool) -> Self {
        let mut dice = Dice::new(seed);
        let many = dice.below(13);
        let groups = [dice.below(many + 1), dice.below(many + 1)];
        // Most applications have few faults, so that all stages are reached.
        let faults = [0, 0, 1, 1, 2, 4][dice.below(6)];
        let mut units: Vec<Plan> = (0..many).map(|unit| plan(&mut dice, unit, many, groups, threads)).collect();
        for unit in 0..many {
            // What was chosen before the kinds of the others were known.
            let kinds: Vec<Kind> = units.iter().map(|unit| unit.kind).collect();
            for need in &mut units[unit].needs {
                match *need {
                    Need::One(of) if kinds[of] != Kind::Plain && dice.one_in(2) => *need = Need::Value(of, 0),
                    Need::Value(of, _) if kinds[of] == Kind::Plain => *need = Need::One(of),
                    _ => {}
                }
            }
        }
        for _ in 0..faults {
            if let Some(unit) = (many > 0).then(|| dice.below(many)) {
                let acts = &mut units[unit].acts;
                let step = dice.below(acts.len());
                let fates = [Fate::Fails, Fate::Panics, if threads { Fate::Fails } else { Fate::Hangs }];
                if let Some(act) = acts.values_mut().nth(step) {
                    act.fate = fates[dice.below(3)];
                }
            }
        }
        let mut loaded: Vec<usize> = (0..many).collect();
        for at in (1..many).rev() {
            loaded.swap(at, dice.below(at + 1));
        }
        let cut = match dice.below(12) {
            0 => Cut::After(dice.below(6_000) as u64),
            1 => Cut::Polls(dice.below(25)),
            2 if !threads => Cut::Budget(dice.below(5_000) as u64),
            _ => Cut::Nothing,
        };
        let end = match dice.below(8) {
            0 => End::StopTwice,
            1 => End::DropStop(dice.below(3_000) as u64),
            2 => End::Drop,
            3 | 4 => End::Request(dice.below(4_000) as u64),
            _ => End::Stop,
        };
        // In real time there is less of it.
        let end = match end {
            End::DropStop(millis) if threads => End::DropStop(millis / 500),
            End::Request(millis) if threads => End::Request(millis / 500),
            end => end,
        };
        let max = [usize::MAX, usize::MAX, 1, 2, 3][dice.below(5)];
        Scenario { seed, units, loaded, groups, max, cut, end, threads }
    }

    pub(crate) fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        let before = self.groups[group];
        self.units.iter().take(before).enumerate().filter(move |(_, unit)| unit.is_member(group)).map(|(id, _)| id)
    }

    /// The units that a unit needs itself, and not lazily.
    pub(crate) fn needs(&self, unit: usize) -> Vec<usize> {
        let mut needs = Vec::new();
        for need in &self.units[unit].needs {
            match *need {
                Need::One(of) | Need::Optional(of) | Need::Value(of, _) => needs.push(of),
                Need::Group(group) => needs.extend(self.members(group)),
                Need::Absent | Need::Lazy(_) => {}
            }
        }
        needs
    }
}

impl Plan {
    /// What is found by its name only is in no group.
    pub(crate) fn is_member(&self, group: usize) -> bool {
        self.member[group] && self.kind == Kind::Plain
    }
}

fn plan(dice: &mut Dice, unit: usize, many: usize, groups: [usize; 2], threads: bool) -> Plan {
    let kind = [Kind::Plain, Kind::Plain, Kind::Plain, Kind::Provider, Kind::Sharing][dice.below(5)];
    let mut needs = Vec::new();
    for _ in 0..dice.below(4) {
        let need = match dice.below(8) {
            0 => Need::Absent,
            1 => Need::Lazy(dice.below(many)),
            2 | 3 => {
                let group = dice.below(2);
                if unit < groups[group] {
                    continue;
                }
                Need::Group(group)
            }
            _ if unit == 0 => continue,
            4 => Need::Optional(dice.below(unit)),
            5 => Need::Value(dice.below(unit), dice.below(2) as u8),
            _ => Need::One(dice.below(unit)),
        };
        needs.push(need);
    }
    let after = dice.below(2);
    let after = (dice.one_in(6) && unit >= groups[after]).then_some(after);
    let order = if dice.one_in(3) { dice.below(3) as i32 - 1 } else { 0 };
    let mut acts = BTreeMap::new();
    for step in Step::ALL {
        if Step::ALWAYS.contains(&step) || dice.one_in(3) {
            let millis = if dice.one_in(2) { 0 } else { dice.below(1_000) as u64 };
            let millis = if threads { millis / 200 } else { millis };
            acts.insert(step, Act { millis, fate: Fate::Well });
        }
    }
    Plan { kind, needs, order, early: dice.one_in(8), after, member: [dice.one_in(2), dice.one_in(2)], acts }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Scenario { loaded, groups, max, cut, end, threads, .. } = self;
        writeln!(f, "loaded {loaded:?}, groups {groups:?}, max {max}, cut {cut:?}, end {end:?}, threads {threads}")?;
        for (id, unit) in self.units.iter().enumerate() {
            let Plan { kind, needs, order, early, after, member, acts } = unit;
            writeln!(
                f,
                "{id}: {kind:?} needs {needs:?} order {order} early {early} after {after:?} member {member:?}"
            )?;
            let acts = acts.iter().map(|(step, Act { millis, fate })| format!("{step:?} {millis} {fate:?}"));
            writeln!(f, "   {}", acts.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}
