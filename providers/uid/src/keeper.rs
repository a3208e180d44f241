//! Holds an instance id: raises its floor, and takes a new one when it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gone_coord::CoordError;
use gone_kit::{Clock, LeaseEnd};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::generator::Generator;
use crate::instance::{Instance, Instances};
use crate::layout::{END_OF_TIME, Epoch};
use crate::mark::Mark;
use crate::{UidConfig, UidError};

/// How many ids are passed over, at most, because their floor lies ahead.
const PASSED_OVER: usize = 16;

/// A floor that comes so soon is waited for instead: that of one who gave the id back just now is the next millisecond.
const SOON: Duration = Duration::from_millis(10);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One for each handle.
pub(crate) struct Keeper {
    generator: Arc<Generator>,
    instances: Arc<dyn Instances>,
    clock: Clock,
    epoch: Epoch,
    /// How far ahead the floor is written.
    floor_ahead: Duration,
    /// How long a floor is waited for.
    floor_wait: Duration,
    figures: Arc<Figures>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Instance ids lost.
    pub(crate) lost: AtomicU64,
    /// Floors that could not be written.
    pub(crate) floors_failed: AtomicU64,
    /// Panics of the task.
    pub(crate) panics: AtomicU64,
    /// Whether the id was given back at the end.
    pub(crate) released: AtomicBool,
}

impl Figures {
    pub(crate) fn has_released(&self) -> bool {
        self.released.load(Ordering::Relaxed)
    }
}

impl Keeper {
    pub(crate) fn new(
        config: &UidConfig,
        generator: Arc<Generator>,
        instances: Arc<dyn Instances>,
        figures: Arc<Figures>,
    ) -> Self {
        let clock = generator.clock().clone();
        let (floor_ahead, floor_wait) = (config.floor_period, config.floor_wait);
        Self { generator, instances, clock, epoch: config.epoch(), floor_ahead, floor_wait, figures }
    }

    /// Keeps holding an id until `closing` says so, or its sender is gone; then gives it back.
    ///
    /// What panics is begun anew.
    pub(crate) async fn keep(self, first: Box<dyn Instance>, closing: watch::Receiver<bool>) {
        let keeper = Arc::new(self);
        let mut held = Some(first);
        let mut pause = FIRST_PAUSE;
        loop {
            let (one, held, mut watched) = (Arc::clone(&keeper), held.take(), closing.clone());
            // It ends with this future.
            let mut run = JoinSet::new();
            run.spawn(async move { one.run(held, &mut watched).await });
            match run.join_next().await {
                Some(Err(error)) if error.is_panic() => {
                    keeper.figures.panics.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(target: "gone_uid", "the task that holds the instance id panicked; it begins anew");
                    keeper.generator.lose(LeaseEnd::Lost("the task that holds it panicked".into()));
                    keeper.clock.sleep(longer(&mut pause)).await;
                }
                // Done, or the runtime ends.
                _ => return,
            }
        }
    }

    async fn run(&self, mut held: Option<Box<dyn Instance>>, closing: &mut watch::Receiver<bool>) {
        loop {
            let instance = match held.take() {
                Some(instance) => instance,
                None => tokio::select! {
                    instance = self.acquire_again() => instance,
                    () = closed(closing) => break,
                },
            };
            if let Some(instance) = self.hold(instance, closing).await {
                return self.end(instance).await;
            }
        }
        self.generator.close();
        self.figures.released.store(true, Ordering::Relaxed);
    }

    /// Acquires an id and confirms how far it may go; from then on there are ids of it.
    ///
    /// One whose floor lies ahead is passed over while there are others. Of those passed over, the one whose floor comes first
    /// is waited for.
    pub(crate) async fn acquire(&self) -> Result<Box<dyn Instance>, UidError> {
        let mut instance = self.instances.acquire().await?;
        let mut passed_over = Vec::new();
        while self.ahead(&*instance) > SOON && passed_over.len() < PASSED_OVER {
            // Those passed over are held meanwhile, so that each try gives another.
            match self.instances.acquire().await {
                Ok(mut other) => {
                    if other.mark().free_from() < instance.mark().free_from() {
                        std::mem::swap(&mut instance, &mut other);
                    }
                    passed_over.push(other);
                }
                Err(CoordError::Exhausted { .. }) => break,
                Err(error) => {
                    passed_over.push(instance);
                    release_all(passed_over).await;
                    return Err(error.into());
                }
            }
        }
        release_all(passed_over).await;
        let ahead = self.ahead(&*instance);
        if ahead > self.floor_wait {
            let (id, free_from) = (instance.id(), instance.mark().free_from());
            release_all(vec![instance]).await;
            let until_unix_ms = self.epoch.unix_ms() + free_from;
            return Err(UidError::FloorAhead { instance: id, until_unix_ms, ahead });
        }
        self.clock.sleep(ahead).await;
        if let Err(error) = self.begin(&*instance).await {
            release_all(vec![instance]).await;
            return Err(error.into());
        }
        Ok(instance)
    }

    /// How long the floor of an id is still ahead.
    fn ahead(&self, instance: &dyn Instance) -> Duration {
        Duration::from_millis(instance.mark().free_from().saturating_sub(self.generator.now_ms()))
    }

    /// Writes the first mark, and begins to give out ids from the floor on.
    async fn begin(&self, instance: &dyn Instance) -> Result<(), CoordError> {
        let found = instance.mark();
        // It must be greater than what was found, or it would not count.
        let limit = self.limit().max(found.next_limit());
        instance.raise(Mark::limit(limit)).await?;
        self.generator.hold(instance.id(), instance.lease().clone(), found.free_from(), limit);
        tracing::info!(target: "gone_uid", instance_id = instance.id(), "holds an instance id");
        Ok(())
    }

    /// Holds an id; gives it when it is to be given back, and nothing when it was lost.
    async fn hold(
        &self,
        instance: Box<dyn Instance>,
        closing: &mut watch::Receiver<bool>,
    ) -> Option<Box<dyn Instance>> {
        let mut raised = true;
        loop {
            let next = if raised { self.floor_ahead / 3 } else { self.floor_ahead / 12 };
            tokio::select! {
                end = instance.lease().lost() => return self.lost(&*instance, end),
                () = closed(closing) => return Some(instance),
                () = self.clock.sleep(next) => {}
                () = self.generator.limit_reached(), if raised => {}
            }
            let limit = self.limit();
            let answer = instance.raise(Mark::limit(limit)).await;
            raised = answer.is_ok();
            match answer {
                Ok(()) => self.generator.raise(limit),
                Err(CoordError::Lost { end, .. }) => return self.lost(&*instance, end),
                Err(error) => {
                    self.figures.floors_failed.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(target: "gone_uid", instance_id = instance.id(), %error, "the floor was not raised");
                }
            }
        }
    }

    fn lost(&self, instance: &dyn Instance, end: LeaseEnd) -> Option<Box<dyn Instance>> {
        tracing::warn!(target: "gone_uid", instance_id = instance.id(), %end, "lost its instance id");
        self.generator.lose(end);
        self.figures.lost.fetch_add(1, Ordering::Relaxed);
        None
    }

    async fn acquire_again(&self) -> Box<dyn Instance> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.acquire().await {
                Ok(instance) => return instance,
                Err(error) => {
                    tracing::warn!(target: "gone_uid", %error, "no new instance id yet");
                    self.clock.sleep(longer(&mut pause)).await;
                }
            }
        }
    }

    /// The next holder may begin where the ids ended.
    async fn end(&self, instance: Box<dyn Instance>) {
        let (unused, limit) = self.generator.close();
        let id = instance.id();
        if let Err(error) = instance.raise(Mark::given_back(limit, unused)).await {
            // The limit that stands serves as well; it is only later.
            tracing::debug!(target: "gone_uid", instance_id = id, %error, "the last mark was not written");
        }
        match instance.give_back().await {
            Ok(()) => self.figures.released.store(true, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(target: "gone_uid", instance_id = id, %error, "the instance id was not given back; it lapses");
            }
        }
    }

    /// How far ids may go from now on, since the epoch.
    fn limit(&self) -> u64 {
        let ahead = u64::try_from(self.floor_ahead.as_millis()).unwrap_or(u64::MAX);
        self.generator.now_ms().saturating_add(ahead).min(END_OF_TIME)
    }
}

/// Waits until it is to be closed.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error is as good: the handle is gone.
    let _ = closing.wait_for(|closing| *closing).await;
}

async fn release_all(instances: Vec<Box<dyn Instance>>) {
    for instance in instances {
        let id = instance.id();
        if let Err(error) = instance.give_back().await {
            tracing::debug!(target: "gone_uid", instance_id = id, %error, "an instance id was not given back; it lapses");
        }
    }
}

/// The pause, between half of it and all of it by chance; the next one is twice as long.
fn longer(pause: &mut Duration) -> Duration {
    let now = *pause;
    *pause = (now * 2).min(LONGEST_PAUSE);
    now.mul_f64(rand::rng().random_range(0.5..=1.0))
}
