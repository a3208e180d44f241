//! Futures of the lifecycle that are dropped.

use std::sync::Arc;
use std::time::Duration;

use gone::prelude::*;
use tokio::time::sleep;

use crate::tower::tower;
use crate::{Journal, bare};

#[tokio::test(start_paused = true)]
async fn a_boot_that_is_dropped_at_any_point_closes_what_it_built_exactly_once() {
    let mut reached_the_end = false;
    for polls in 1..200 {
        let journal = Journal::default();
        let mut boot = Box::pin(tower(&journal).boot());
        let mut done = None;
        for _ in 0..polls {
            tokio::task::yield_now().await;
            if let std::task::Poll::Ready(app) =
                std::future::poll_fn(|context| std::task::Poll::Ready(boot.as_mut().poll(context))).await
            {
                done = Some(app.unwrap());
                break;
            }
        }
        drop(boot);
        reached_the_end |= done.is_some();
        drop(done);
        sleep(Duration::from_secs(60)).await;
        for goner in ["Top", "Middle", "Bottom"] {
            let built = journal.count(&format!("{goner} init"));
            let closed = journal.count(&format!("{goner} close"));
            let started = journal.count(&format!("{goner} start"));
            let stopped = journal.count(&format!("{goner} stop"));
            assert_eq!(built, closed, "{goner} after {polls} polls: {:?}", journal.lines());
            assert!(stopped <= started, "{goner} after {polls} polls: {:?}", journal.lines());
        }
        if reached_the_end {
            break;
        }
    }
    assert!(reached_the_end, "the boot never came to its end");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_close_or_rollback_goes_on_to_its_end() {
    #[derive(Goner)]
    struct Low {
        #[gone]
        journal: Journal,
    }
    #[derive(Goner)]
    struct High {
        #[gone]
        journal: Journal,
        #[gone]
        _low: Arc<Low>,
    }
    #[derive(Goner)]
    struct Fails {
        #[gone]
        _high: Arc<High>,
    }
    macro_rules! slow_end {
        ($name:ident) => {
            impl Stop for $name {
                async fn stop(&self) -> gone::Result<()> {
                    sleep(Duration::from_millis(100)).await;
                    self.journal.add(concat!(stringify!($name), " stop"));
                    Ok(())
                }
            }
            impl Close for $name {
                async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
                    sleep(Duration::from_millis(100)).await;
                    self.journal.add(concat!(stringify!($name), " close"));
                    Ok(CloseReport::clean())
                }
            }
        };
    }
    slow_end!(Low);
    slow_end!(High);
    impl Start for Fails {
        async fn start(&self) -> gone::Result<()> {
            gone::bail!("no")
        }
    }
    let loaded = |journal: &Journal| bare().load((value(journal.clone()), Low::goner(), High::goner()));
    let journal = Journal::default();
    let app = loaded(&journal).plan().unwrap().build().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), app.close()).await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(journal.lines(), ["High close", "Low close"]);
    for cut in [50, 150, 250, 350] {
        let journal = Journal::default();
        let boot = loaded(&journal).load(Fails::goner()).boot();
        assert!(tokio::time::timeout(Duration::from_millis(cut), boot).await.is_err());
        sleep(Duration::from_secs(1)).await;
        assert_eq!(journal.lines(), ["High stop", "Low stop", "High close", "Low close"], "cut after {cut} ms");
    }
}
