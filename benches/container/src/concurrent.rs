//! Independent goners that wait: their boot and their stop take as long as one of them.

use std::time::{Duration, Instant};

use gone::{AppBuilder, Goner, Init, Loader, Stop};
use measure::{Bar, compare, nanos};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::whole;

const WAIT: Duration = Duration::from_millis(100);
const BAR: Bar = Bar::Nanos(105e6);
const ROUNDS: usize = 15;

#[derive(Goner)]
#[goner(hooks(Init))]
struct SlowToMake<const NUMBER: usize> {}

impl<const NUMBER: usize> Init for SlowToMake<NUMBER> {
    async fn init(&mut self) -> gone::Result<()> {
        tokio::time::sleep(WAIT).await;
        Ok(())
    }
}

#[derive(Goner)]
#[goner(hooks(Stop))]
struct SlowToStop<const NUMBER: usize> {}

impl<const NUMBER: usize> Stop for SlowToStop<NUMBER> {
    async fn stop(&self) -> gone::Result<()> {
        tokio::time::sleep(WAIT).await;
        Ok(())
    }
}

macro_rules! eight {
    ($slow:ident, $loader:ident) => {
        $loader.load((
            ($slow::<0>::goner(), $slow::<1>::goner(), $slow::<2>::goner(), $slow::<3>::goner()),
            ($slow::<4>::goner(), $slow::<5>::goner(), $slow::<6>::goner(), $slow::<7>::goner()),
        ))
    };
}

fn slow_to_make(loader: &mut Loader) {
    eight!(SlowToMake, loader);
}

fn slow_to_stop(loader: &mut Loader) {
    eight!(SlowToStop, loader);
}

/// The lines of boot and stop, beside eight tasks that wait as long.
pub(crate) fn all(runtime: &Runtime) {
    let floor = || runtime.block_on(eight_tasks());
    let boot = || {
        runtime.block_on(async {
            let begun = Instant::now();
            let running = whole(AppBuilder::new().load(slow_to_make).boot().await);
            let took = nanos(begun.elapsed());
            whole(running.stop().await);
            took
        })
    };
    compare("boot of 8 whose init waits 100 ms", ROUNDS, boot, floor).bar(BAR).print();
    let stop = || {
        runtime.block_on(async {
            let running = whole(AppBuilder::new().load(slow_to_stop).boot().await);
            let begun = Instant::now();
            whole(running.stop().await);
            nanos(begun.elapsed())
        })
    };
    compare("stop of 8 whose stop waits 100 ms", ROUNDS, stop, floor).bar(BAR).print();
}

async fn eight_tasks() -> f64 {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        tasks.spawn(tokio::time::sleep(WAIT));
    }
    tasks.join_all().await;
    nanos(begun.elapsed())
}
