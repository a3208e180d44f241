//! Playing a scenario: boots, interrupts, looks things up, ends.

use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use gone::prelude::*;
use gone::{Code, Error, Running, StateError};

use crate::scenario::{Cut, Dice, End, Kind, Scenario};
use crate::unit::{Entry, First, Journal, Token, Unit, World, load};

/// How it went.
pub(crate) struct Story {
    pub(crate) entries: Vec<Entry>,
    /// Found to be wrong while it went.
    pub(crate) wrong: Vec<String>,
    pub(crate) outcome: Outcome,
    /// When the end began, and when it was over, where somebody saw it.
    pub(crate) ending: Option<(Duration, Duration)>,
    /// How many units are still there.
    pub(crate) alive: usize,
}

pub(crate) enum Outcome {
    /// The boot failed.
    Failed(Error),
    /// The boot was dropped.
    Dropped,
    /// It ran, and this is what its end gave, if somebody waited for that.
    Ended(Option<gone::Result<()>>),
}

/// Long after everything must have come to its end.
const LONG: Duration = Duration::from_secs(600);

pub(crate) fn play(scenario: &Scenario) -> Story {
    let runtime = match scenario.threads {
        true => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        false => tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build(),
    };
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let world = Arc::new(World { scenario: scenario.clone(), journal: Journal::new(), alive: Arc::new(()) });
        let ending = Arc::new(Mutex::new(None));
        let played = tokio::time::timeout(LONG, end_to_end(&world, &ending)).await;
        let outcome = played.unwrap_or_else(|_| {
            world.journal.check(false, || format!("it hangs: {:#?}", world.journal.entries()));
            Outcome::Dropped
        });
        // Whatever goes on in the background comes to its end.
        let patience = if scenario.threads { Duration::from_secs(5) } else { LONG };
        let gone = async {
            while Arc::strong_count(&world.alive) > 1 {
                tokio::time::sleep(Duration::from_millis(if scenario.threads { 1 } else { 500 })).await;
            }
        };
        let _ = tokio::time::timeout(patience, gone).await;
        Story {
            entries: world.journal.entries(),
            wrong: world.journal.wrong.lock().unwrap().clone(),
            outcome,
            ending: *ending.lock().unwrap(),
            alive: Arc::strong_count(&world.alive) - 1,
        }
    })
}

type Ending = Arc<Mutex<Option<(Duration, Duration)>>>;

async fn end_to_end(world: &Arc<World>, ending: &Ending) -> Outcome {
    let scenario = &world.scenario;
    let mut app = AppBuilder::new().options(|options| {
        options.max_parallel = scenario.max;
        if let Cut::Budget(millis) = scenario.cut {
            options.boot = Duration::from_millis(millis);
        }
    });
    let mut order: Vec<usize> = (0..scenario.units.len()).collect();
    order.sort_by_key(|unit| scenario.loaded[*unit]);
    for unit in order {
        app = load(app, world, unit);
    }
    if let End::Request(millis) = scenario.end {
        let (of, when) = (Arc::clone(world), Arc::clone(ending));
        let waits = async move |shutdown: Shutdown, handle: Handle| {
            let looking = look(&of, handle);
            let wait = Duration::from_millis(millis);
            if tokio::time::timeout(wait, shutdown.requested()).await.is_err() {
                shutdown.request("the scenario says so");
            }
            *when.lock().unwrap() = Some((of.journal.now(), Duration::MAX));
            of.journal.check(looking.await.is_ok(), || "a lookup panicked".into());
            Ok(())
        };
        return match cut(world, app.test(waits)).await {
            Some(result) => {
                let begun = ending.lock().unwrap().map(|(begun, _)| begun);
                match (begun, result) {
                    (Some(begun), result) => {
                        *ending.lock().unwrap() = Some((begun, world.journal.now()));
                        Outcome::Ended(Some(result))
                    }
                    (None, Err(error)) => Outcome::Failed(error),
                    (None, Ok(())) => {
                        world.journal.check(false, || "the function was not called".into());
                        Outcome::Dropped
                    }
                }
            }
            None => {
                *ending.lock().unwrap() = None;
                Outcome::Dropped
            }
        };
    }
    let running = match cut(world, app.boot()).await {
        Some(Ok(running)) => running,
        Some(Err(error)) => return Outcome::Failed(error),
        None => return Outcome::Dropped,
    };
    world.journal.check(running.is_ready(), || "booted and not ready".into());
    let looking = look(world, running.get::<Handle>().expect("every application has a handle"));
    tokio::time::sleep(Duration::from_millis(if scenario.threads { 2 } else { 700 })).await;
    let begun = world.journal.now();
    let ended = end(scenario.end, running).await;
    if ended.is_some() {
        *ending.lock().unwrap() = Some((begun, world.journal.now()));
    }
    world.journal.check(looking.await.is_ok(), || "a lookup panicked".into());
    Outcome::Ended(ended)
}

/// Cuts the boot short as the scenario says.
async fn cut<T>(world: &World, boot: impl Future<Output = T>) -> Option<T> {
    let after = match world.scenario.cut {
        Cut::After(millis) => Duration::from_millis(if world.scenario.threads { millis / 500 } else { millis }),
        _ => Duration::from_secs(500),
    };
    let mut boot = Box::pin(boot);
    let mut polls = 0;
    let counted = std::future::poll_fn(|context| {
        polls += 1;
        if matches!(world.scenario.cut, Cut::Polls(most) if polls > most) {
            return Poll::Ready(None);
        }
        boot.as_mut().poll(context).map(Some)
    });
    tokio::time::timeout(after, counted).await.ok().flatten()
}

async fn end(how: End, running: Running) -> Option<gone::Result<()>> {
    match how {
        End::Stop | End::Request(_) => Some(running.stop().await),
        End::StopTwice => {
            let (one, two) = tokio::join!(running.stop(), running.stop());
            let three = running.stop().await;
            let said = |result: &gone::Result<()>| result.as_ref().err().map(|error| format!("{error:?}"));
            assert_eq!(said(&one), said(&two));
            assert_eq!(said(&one), said(&three));
            Some(one)
        }
        End::DropStop(millis) => {
            let _ = tokio::time::timeout(Duration::from_millis(millis), running.stop()).await;
            Some(running.stop().await)
        }
        End::Drop => None,
    }
}

/// Looks things up in a task of its own, now and then giving up before there is an answer, until the application says no.
fn look(world: &Arc<World>, handle: Handle) -> tokio::task::JoinHandle<()> {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        let scenario = &world.scenario;
        let mut dice = Dice::new(scenario.seed ^ 1);
        let pause =
            |dice: &mut Dice| Duration::from_micros(dice.below(if scenario.threads { 500 } else { 300_000 }) as u64);
        for _ in 0..12 {
            let unit = dice.below(scenario.units.len());
            let Some(plan) = scenario.units.get(unit) else { return };
            let name = format!("n{unit}");
            let patience = pause(&mut dice);
            let refused = match (dice.below(4), plan.kind) {
                (0, Kind::Plain) => handle.get_named::<Arc<Unit<0>>>(&name).map(|it| assert_eq!(it.id, unit)).err(),
                (1, _) => {
                    let members = handle.try_get::<Arc<dyn First>>();
                    members.err().filter(|error| error.code() != Code::Ambiguous)
                }
                (_, Kind::Provider) => {
                    let made = tokio::time::timeout(patience, handle.make::<Token>(&format!("{name},7"))).await;
                    made.ok().and_then(Result::err).filter(|error| error.code() == Code::State)
                }
                (_, Kind::Sharing) => {
                    let text = dice.below(3);
                    let made =
                        tokio::time::timeout(patience, handle.make::<Arc<Token>>(&format!("{name},{text}"))).await;
                    made.ok().and_then(Result::err).filter(|error| error.code() == Code::State)
                }
                _ => None,
            };
            if let Some(error) = refused {
                let state = error.downcast_ref::<StateError>();
                let right = matches!(state, Some(StateError::ShuttingDown | StateError::Closed));
                world.journal.check(right, || format!("a lookup was refused: {error:?}"));
                return;
            }
            tokio::time::sleep(pause(&mut dice)).await;
        }
    })
}
