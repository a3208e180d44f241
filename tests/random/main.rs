//! Random applications, with random kinds of needs, delays, failures, panics, hangs and interruptions, against a small reference
//! model. `GONE_SEED` and `GONE_GRAPHS` say where to begin and how many to play.

mod model;
mod play;
mod scenario;
mod unit;

use model::Counts;
use scenario::Scenario;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn check(seed: u64, threads: bool, counts: &mut Counts) {
    let scenario = Scenario::new(seed, threads);
    let played = std::panic::catch_unwind(|| play::play(&scenario));
    let wrong = match &played {
        Ok(story) => model::judge(&scenario, story, counts),
        Err(_) => vec!["it panicked".to_owned()],
    };
    if !wrong.is_empty() {
        if let Ok(story) = &played {
            for entry in &story.entries {
                eprintln!("{:>9.3?} {} {:?} {:?} {:?}", entry.at, entry.unit, entry.what, entry.asker, entry.text);
            }
        }
        panic!(
            "{}\n{scenario}\nseed {seed}; again: GONE_SEED={seed} GONE_GRAPHS=1 cargo test --test random",
            wrong.join("\n")
        );
    }
}

/// The panics of the scenarios are not worth a word each.
fn be_quiet() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let faulty = panic.payload().downcast_ref::<String>().is_some_and(|text| text.starts_with("fault of"));
        if !faulty {
            before(panic);
        }
    }));
}

fn play_all(threads: bool, first: u64, graphs: u64, kinds: &[&str]) {
    be_quiet();
    println!("seeds {first} to {}", first + graphs);
    let mut counts = Counts::new();
    for seed in first..first + graphs {
        check(seed, threads, &mut counts);
    }
    println!("{counts:?}");
    if graphs >= 200 {
        for kind in kinds {
            assert!(counts.get(kind).is_some_and(|times| *times > 0), "no {kind} in {graphs} graphs: {counts:?}");
        }
    }
}

const KINDS: [&str; 11] = [
    "boots dropped",
    "boots failed",
    "ran to the end",
    "lazies",
    "values made from outside",
    "waiters dropped",
    "panics",
    "errors",
    "hooks cancelled",
    "units",
    "graphs",
];

#[test]
fn thousands_of_random_applications_live_and_end_as_they_must() {
    let graphs = number("GONE_GRAPHS", 5_000);
    play_all(false, number("GONE_SEED", 1), graphs, &[&KINDS[..], &["hooks past their budget"]].concat());
}

#[test]
fn on_several_threads_in_real_time_they_do_too() {
    let graphs = number("GONE_GRAPHS", 400).min(400);
    play_all(true, number("GONE_SEED", 1), graphs, &KINDS);
}
