//! The handle over coordination that a test moves by hand.

mod fake;
mod floors;
mod leases;
mod rollback;
mod snowflakes;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gone_config::Section;
use gone_kit::{Clock, ManualClock};

use crate::uuid::Uuids;
use crate::{Uid, UidConfig};
pub(crate) use fake::Fake;

/// A whole millisecond.
const NOW: Duration = Duration::from_millis(1_795_000_000_000);

fn config() -> UidConfig {
    UidConfig { service_name: "test".into(), ..UidConfig::default() }
}

fn clock() -> (Clock, ManualClock) {
    ManualClock::at(SystemTime::UNIX_EPOCH + NOW)
}

fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

async fn open(fake: &Fake, config: &UidConfig, clock: &Clock) -> Result<Uid, crate::UidError> {
    config.validate()?;
    Uid::start(config, Some(fake.instances()), clock.clone(), Arc::new(Uuids::new(clock.clone()))).await
}

/// A handle on a clock that stands still, with its hand.
async fn opened() -> (Uid, Fake, ManualClock) {
    let (clock, hand) = clock();
    let fake = Fake::new(&clock);
    let uid = open(&fake, &config(), &clock).await.unwrap();
    settle().await;
    (uid, fake, hand)
}

/// Lets the tasks of the handle do what they can do now.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
