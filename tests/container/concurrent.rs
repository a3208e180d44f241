//! What is independent goes on at the same time.

use std::time::Duration;

use gone::prelude::*;
use tokio::time::{Instant, sleep};

use crate::tower::Bottom;
use crate::{Journal, bare};

#[derive(Goner)]
#[goner(hooks(Init, Stop))]
struct Slow<const N: usize>;
impl<const N: usize> Init for Slow<N> {
    async fn init(&mut self) -> gone::Result<()> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}
impl<const N: usize> Stop for Slow<N> {
    async fn stop(&self) -> gone::Result<()> {
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}

// container C-90
#[tokio::test(start_paused = true)]
async fn independent_goners_boot_and_stop_concurrently() {
    let loaded = (
        Slow::<0>::goner(),
        Slow::<1>::goner(),
        Slow::<2>::goner(),
        Slow::<3>::goner(),
        Slow::<4>::goner(),
        Slow::<5>::goner(),
        Slow::<6>::goner(),
        Slow::<7>::goner(),
    );
    let begun = Instant::now();
    let app = bare().load(loaded).boot().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 100);
    app.stop().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 200);
}

// container C-66
#[tokio::test(start_paused = true)]
async fn no_more_than_the_maximum_are_built_at_once() {
    let loaded = (Slow::<0>::goner(), Slow::<1>::goner(), Slow::<2>::goner(), Slow::<3>::goner());
    let begun = Instant::now();
    let app = bare().load(loaded).options(|it| it.max_parallel = 3).boot().await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 200);
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_boot_that_takes_longer_than_its_budget_is_rolled_back() {
    let journal = Journal::default();
    let loaded = (value(journal.clone()), Bottom::goner(), Slow::<0>::goner());
    let error = bare().load(loaded).options(|it| it.boot = Duration::from_millis(50)).boot().await.err().unwrap();
    assert!(error.to_string().contains("not ready within 50ms; it waited for `Slow<0>` in init"), "{error}");
    assert_eq!((journal.count("Bottom init"), journal.count("Bottom close")), (1, 1));
}
