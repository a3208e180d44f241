//! Of many lines that say the same, some.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::level::Level;

/// How many lines of one message are written, when many come within a second. Off by default.
///
/// Lines are the same when message, level and caller are. Those at `error` and `fatal` are always
/// written. What is left out is counted and told: the next line of the message that is written has
/// the number as `suppressed`; where none comes within the two seconds that follow, a line of its
/// own tells it, `lines left out`, as soon as anything is logged and whenever the log is flushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Sampling {
    /// How many lines of one message are written in each second; 0: all of them, there is no
    /// sampling.
    pub first: u32,
    /// Of those beyond, each which one is written besides, such as each 100th; 0: none.
    pub then_every: u32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { first: 0, then_every: 100 }
    }
}

/// How many messages are counted at the same time. What finds no place is written.
const PLACES: usize = 1_024;
/// How many places are tried for one message.
const TRIES: usize = 4;
/// How many notices are written at once; the others follow.
const AT_ONCE: usize = 64;
/// How much of a message is kept for its notice, in bytes.
const KEPT: usize = 120;

/// Counts lines, and tells which are left out.
#[derive(Debug)]
pub(crate) struct Sampler {
    first: u64,
    every: u64,
    places: Box<[Mutex<Place>]>,
    /// The second of the last search for what is left to tell.
    searched: AtomicU64,
    suppressed: AtomicU64,
}

#[derive(Debug, Default)]
struct Place {
    key: u64,
    second: u64,
    count: u64,
    /// Left out and not told yet.
    untold: u64,
    about: Option<About>,
}

/// What a notice says about the lines that were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) level: Level,
    /// The beginning of the message, escaped.
    pub(crate) message: String,
    /// Caller and namespace, as they are written.
    pub(crate) caller: String,
    pub(crate) place: String,
}

/// Lines that were left out, and how many.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) about: About,
    pub(crate) suppressed: u64,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written, and tells how many before it were not.
    Written {
        suppressed: u64,
    },
    LeftOut,
}

const WRITTEN: Verdict = Verdict::Written { suppressed: 0 };

impl Sampler {
    /// None where nothing is sampled.
    pub(crate) fn new(sampling: &Sampling) -> Option<Self> {
        (sampling.first > 0).then(|| Self {
            first: sampling.first.into(),
            every: sampling.then_every.into(),
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
            searched: AtomicU64::new(0),
            suppressed: AtomicU64::new(0),
        })
    }

    /// How many lines were left out so far.
    pub(crate) fn suppressed(&self) -> u64 {
        self.suppressed.load(Ordering::Relaxed)
    }

    /// Counts a line of which `message` and `caller` are as they are written.
    pub(crate) fn judge(
        &self,
        level: Level,
        message: &str,
        caller: &str,
        second: u64,
        place: impl FnOnce() -> String,
    ) -> Verdict {
        if level >= Level::Error {
            return WRITTEN;
        }
        let mut hasher = DefaultHasher::new();
        (message, level, caller).hash(&mut hasher);
        let key = hasher.finish();
        let Some(mut at) = self.find(key, second) else { return WRITTEN };
        if at.key != key || at.about.is_none() {
            let message = message[..crate::escape::cut_escaped(message, KEPT)].to_owned();
            let about = About { level, message, caller: caller.to_owned(), place: place() };
            *at = Place { key, second, about: Some(about), ..Place::default() };
        }
        if at.second != second {
            (at.second, at.count) = (second, 0);
        }
        at.count += 1;
        let beyond = at.count.saturating_sub(self.first);
        if beyond == 0 || (self.every > 0 && beyond % self.every == 0) {
            return Verdict::Written { suppressed: std::mem::take(&mut at.untold) };
        }
        at.untold += 1;
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        Verdict::LeftOut
    }

    /// The place of a message, or one that is free for it: nothing to tell, and not in use.
    fn find(&self, key: u64, second: u64) -> Option<MutexGuard<'_, Place>> {
        let mut free = None;
        // Upwards only, so that two threads that hold places cannot wait for each other.
        let first = (key % (PLACES - TRIES) as u64) as usize;
        for place in &self.places[first..first + TRIES] {
            let at = lock(place);
            if at.key == key && at.about.is_some() {
                return Some(at);
            }
            if free.is_none() && at.untold == 0 && (at.about.is_none() || at.second != second) {
                free = Some(at);
            }
        }
        free
    }

    /// What is left to tell: of messages that came neither in this second nor in the one before, or
    /// of all. Looks once a second; not more than some at once.
    pub(crate) fn untold(&self, second: u64, of_all: bool) -> Vec<Notice> {
        if self.searched.swap(second, Ordering::Relaxed) == second && !of_all {
            return Vec::new();
        }
        let mut notices = Vec::new();
        for place in &self.places {
            let mut at = lock(place);
            let is_due = at.untold > 0 && (of_all || at.second.abs_diff(second) > 1);
            if is_due
                && (of_all || notices.len() < AT_ONCE)
                && let Some(about) = at.about.clone()
            {
                notices.push(Notice { about, suppressed: std::mem::take(&mut at.untold) });
            }
        }
        notices
    }
}

fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(first: u32, then_every: u32) -> Sampler {
        Sampler::new(&Sampling { first, then_every }).unwrap()
    }

    fn judge(sampler: &Sampler, message: &str, second: u64) -> Verdict {
        sampler.judge(Level::Info, message, "a.rs:1", second, String::new)
    }

    #[test]
    fn the_first_of_a_second_are_written_and_then_each_so_manieth() {
        let sampler = sampler(2, 3);
        let written = |count: u32, second| (0..count).map(|_| judge(&sampler, "m", second)).collect::<Vec<_>>();
        let told = |suppressed| Verdict::Written { suppressed };
        let out = Verdict::LeftOut;
        assert_eq!(written(9, 7), [told(0), told(0), out, out, told(2), out, out, told(2), out]);
        assert_eq!(written(3, 8), [told(1), told(0), out]);
        assert_eq!(sampler.suppressed(), 6);
    }

    #[test]
    fn without_every_only_the_first_are_written() {
        let sampler = sampler(1, 0);
        let written = (0..1_000).filter(|_| judge(&sampler, "m", 7) != Verdict::LeftOut).count();
        assert_eq!((written, sampler.suppressed()), (1, 999));
    }

    #[test]
    fn lines_that_differ_in_message_level_or_caller_are_counted_apart() {
        let sampler = sampler(1, 0);
        let told = Verdict::Written { suppressed: 0 };
        for (level, message, caller) in [
            (Level::Info, "m", "a.rs:1"),
            (Level::Warn, "m", "a.rs:1"),
            (Level::Info, "n", "a.rs:1"),
            (Level::Info, "m", "a.rs:2"),
        ] {
            assert_eq!(sampler.judge(level, message, caller, 7, String::new), told);
            assert_eq!(sampler.judge(level, message, caller, 7, String::new), Verdict::LeftOut);
        }
    }

    #[test]
    fn errors_are_never_left_out() {
        let sampler = sampler(1, 0);
        for level in [Level::Error, Level::Fatal] {
            assert!((0..100).all(|_| sampler.judge(level, "m", "a.rs:1", 7, String::new) == WRITTEN));
        }
    }

    #[test]
    fn what_was_left_out_of_a_message_that_came_no_more_is_told_once() {
        let sampler = sampler(1, 0);
        for _ in 0..5 {
            judge(&sampler, "storm", 7);
        }
        assert_eq!(sampler.untold(7, false), []);
        assert_eq!(sampler.untold(8, false), []);
        let told = sampler.untold(9, false);
        assert_eq!(
            told.iter().map(|notice| (&*notice.about.message, notice.suppressed)).collect::<Vec<_>>(),
            [("storm", 4)]
        );
        assert_eq!(sampler.untold(10, false), []);
        judge(&sampler, "storm", 11);
        judge(&sampler, "storm", 11);
        assert_eq!(sampler.untold(11, true).len(), 1);
    }

    #[test]
    fn every_line_is_written_or_told_however_many_messages_there_are() {
        let sampler = sampler(1, 7);
        let (mut written, mut told) = (0, 0);
        let mut note = |verdict| match verdict {
            Verdict::Written { suppressed } => {
                written += 1;
                told += suppressed;
            }
            Verdict::LeftOut => {}
        };
        const MESSAGES: u64 = 5_000;
        const EACH: u64 = 20;
        let mut noticed = 0;
        for second in 0..EACH {
            for message in 0..MESSAGES {
                for _ in 0..2 {
                    note(judge(&sampler, &message.to_string(), second / 3));
                }
            }
            noticed += sampler.untold(second / 3, false).iter().map(|notice| notice.suppressed).sum::<u64>();
        }
        noticed += sampler.untold(100, true).iter().map(|notice| notice.suppressed).sum::<u64>();
        assert_eq!(written + told + noticed, MESSAGES * EACH * 2);
        assert_eq!(told + noticed, sampler.suppressed());
        assert!(sampler.suppressed() > 0);
    }
}
