//! The handle.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gone_config::Section;
use gone_coord::Coord;
use gone_core::{CloseReport, Deadline};
use gone_kit::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::generator::{Generator, Refusal, Run, Status};
use crate::instance::{Instance, Instances};
use crate::keeper::{Figures, Keeper};
use crate::pace::Pace;
use crate::reserved::{MAX_RESERVED, Reserved};
use crate::uuid::{OF_THE_PROCESS, Uuids};
use crate::{Parts, UidConfig, UidError};

/// Makes identifiers. Cheap to clone: a clone is the same handle.
///
/// **Snowflakes** ([`snowflake`](Self::snowflake)) are 64-bit numbers that rise with time and never repeat within a service,
/// whichever process makes them, however its clock jumps and however long it stands still. **UUIDs**
/// ([`uuid_v7`](Self::uuid_v7)) need no coordination.
///
/// When the last clone is dropped without [`close`](Self::close), the instance id is given back in the background, if the
/// runtime lives; else it lapses with its lease.
#[derive(Clone)]
pub struct Uid(Arc<Inner>);

struct Inner {
    config: UidConfig,
    generator: Arc<Generator>,
    pace: Arc<Pace>,
    uuids: Arc<Uuids>,
    figures: Arc<Figures>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    /// Whether there should be snowflakes.
    coordinated: bool,
}

impl Uid {
    /// Makes a handle, and acquires its instance id from coordination (UID-2, UID-3); without coordination there are UUIDs and
    /// no snowflakes.
    ///
    /// Waits for coordination as long as its requests may take, and for an id that is free by its floor up to
    /// [`UidConfig::floor_wait`]. A dropped future leaves at most an id that is given back in the background.
    ///
    /// # Errors
    ///
    /// [`UidError::Config`], before anything is asked; [`UidError::Coord`] when no id was to be had;
    /// [`UidError::FloorAhead`] when all that are free lie ahead of the clock.
    pub async fn open(config: &UidConfig, coord: Option<&Coord>) -> Result<Self, UidError> {
        config.validate()?;
        let instances = coord.map(|coord| config.instances(coord)).transpose()?;
        Self::start(config, instances, Clock::system(), Arc::clone(&OF_THE_PROCESS)).await
    }

    /// As [`open`](Self::open), with the clock that ids are made by: for tests. Coordination must have the same one, since
    /// leases are reckoned by it. UUIDs are in the order of this handle alone.
    ///
    /// A dropped future leaves at most an id that is given back in the background.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_with_clock(config: &UidConfig, coord: Option<&Coord>, clock: Clock) -> Result<Self, UidError> {
        config.validate()?;
        let instances = coord.map(|coord| config.instances(coord)).transpose()?;
        let uuids = Arc::new(Uuids::new(clock.clone()));
        Self::start(config, instances, clock, uuids).await
    }

    pub(crate) async fn start(
        config: &UidConfig,
        instances: Option<Arc<dyn Instances>>,
        clock: Clock,
        uuids: Arc<Uuids>,
    ) -> Result<Self, UidError> {
        let generator = Arc::new(Generator::new(clock, config.epoch(), config.rollback_tolerance));
        let figures = Arc::new(Figures::default());
        let closing = watch::Sender::new(false);
        let coordinated = instances.is_some();
        let keeper = match instances {
            None => None,
            Some(instances) => {
                let keeper = Keeper::new(config, Arc::clone(&generator), instances, Arc::clone(&figures));
                let first: Box<dyn Instance> = keeper.acquire().await?;
                Some(tokio::spawn(keeper.keep(first, closing.subscribe())))
            }
        };
        let inner = Inner {
            config: config.clone(),
            generator,
            pace: Arc::default(),
            uuids,
            figures,
            keeper: Mutex::new(keeper),
            closing,
            coordinated,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The next snowflake (UID-4 to UID-8): greater than every one that this handle has given before.
    ///
    /// Does not wait, and does not yield, as long as the millisecond has ids left: there are 4096 in each. Otherwise waits
    /// for the next millisecond, or, when others come first each time, for a later one; others work meanwhile, no thread is
    /// blocked and none spins. A dropped future leaves nothing behind.
    ///
    /// # Errors
    ///
    /// There is no id, and none is waited for: without coordination ([`UidError::NoCoord`]), while no instance id is held
    /// ([`Lost`](UidError::Lost), [`Unconfirmed`](UidError::Unconfirmed)), while the clock is too far behind the last id
    /// ([`ClockBackwards`](UidError::ClockBackwards)) or out of range ([`OutOfRange`](UidError::OutOfRange)), and after
    /// [`close`](Self::close).
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with a timer.
    #[inline]
    pub async fn snowflake(&self) -> Result<i64, UidError> {
        loop {
            match self.0.generator.take(1) {
                Ok(run) => return Ok(run.first as i64),
                Err(Refusal::Full(remaining)) => self.0.pace.wait(self.0.generator.clock(), remaining).await,
                Err(Refusal::Not(error)) => return Err(error),
            }
        }
    }

    /// As [`snowflake`](Self::snowflake), but never waits.
    ///
    /// # Errors
    ///
    /// Those of [`snowflake`](Self::snowflake), and [`UidError::SequenceFull`] when the millisecond is used up.
    #[inline]
    pub fn try_snowflake(&self) -> Result<i64, UidError> {
        match self.0.generator.take(1) {
            Ok(run) => Ok(run.first as i64),
            Err(Refusal::Full(_)) => Err(UidError::SequenceFull),
            Err(Refusal::Not(error)) => Err(error),
        }
    }

    /// Takes many snowflakes at once, up to [`MAX_RESERVED`]: cheaper than one by one, rising, and not necessarily one after
    /// the other, since others take ids too.
    ///
    /// Takes a millisecond for each 4096. They may be used at any later time: nobody else ever gets them. A dropped future
    /// leaves ids that nobody uses, which harms nothing.
    ///
    /// # Errors
    ///
    /// As [`snowflake`](Self::snowflake), and [`UidError::Count`]. What had been taken by then is lost.
    ///
    /// # Panics
    ///
    /// As [`snowflake`](Self::snowflake).
    pub async fn reserve(&self, count: u32) -> Result<Reserved, UidError> {
        if !(1..=MAX_RESERVED).contains(&count) {
            return Err(UidError::Count { count });
        }
        let mut runs: Vec<Run> = Vec::new();
        let mut left = count;
        while left > 0 {
            match self.0.generator.take(left) {
                Ok(run) => {
                    left -= run.count;
                    runs.push(run);
                }
                Err(Refusal::Full(remaining)) => self.0.pace.wait(self.0.generator.clock(), remaining).await,
                Err(Refusal::Not(error)) => return Err(error),
            }
        }
        Ok(Reserved::new(runs))
    }

    /// What a snowflake says (UID-7, UID-8), under this handle's epoch.
    ///
    /// # Errors
    ///
    /// [`UidError::NotASnowflake`] of a negative number.
    pub fn parse(&self, id: i64) -> Result<Parts, UidError> {
        self.0.config.epoch().parse(id).ok_or(UidError::NotASnowflake { id })
    }

    /// A UUID of version 7 (UID-9), greater than every one that this process has made before through any handle, also when
    /// the clock goes back.
    ///
    /// RFC 9562, method 3: 48 bits are the millisecond, 16 the part of it, 58 are random, from a generator of cryptographic
    /// strength. What must not be guessed should be a secret of its own, not an identifier.
    #[inline]
    pub fn uuid_v7(&self) -> Uuid {
        self.0.uuids.next()
    }

    /// As [`uuid_v7`](Self::uuid_v7), as text: 36 characters, lower case, with hyphens.
    pub fn uuid_v7_text(&self) -> String {
        crate::uuid::text(self.uuid_v7())
    }

    /// Whether a text is a UUID (UID-10), of any version: with hyphens or without, in braces, or as a URN.
    pub fn is_valid_uuid(text: &str) -> bool {
        Uuid::try_parse(text).is_ok()
    }

    /// The settings.
    pub fn config(&self) -> &UidConfig {
        &self.0.config
    }

    /// The instance id in the snowflakes; `None` while none is held.
    pub fn instance(&self) -> Option<u16> {
        self.status().instance
    }

    /// Gives the instance id back (UID-11), so that another process may take it at once. From the first poll on there are no
    /// more snowflakes; UUIDs go on.
    ///
    /// Past the deadline the id is left to lapse with its lease, and is reported as still running. A second close is clean
    /// and does nothing. A dropped future leaves the closing to the background.
    pub async fn close(&self, deadline: Deadline) -> CloseReport {
        self.0.generator.close();
        self.0.closing.send_replace(true);
        let keeper = self.0.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut keeper) = keeper else { return CloseReport::clean() };
        let released = match tokio::time::timeout_at(deadline.instant(), &mut keeper).await {
            Ok(_) => self.0.figures.has_released(),
            Err(_) => {
                keeper.abort();
                false
            }
        };
        CloseReport::clean().still_running(u64::from(!released))
    }

    #[cfg(test)]
    pub(crate) fn clock(&self) -> &Clock {
        self.0.generator.clock()
    }

    /// The figures of this handle, as they are now. Asks nobody.
    pub fn stats(&self) -> UidStats {
        let status = self.status();
        let figures = &self.0.figures;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        UidStats {
            instance: status.instance,
            lease: status.remaining,
            clock_behind: status.behind.unwrap_or_default(),
            sequences_full: status.full,
            refused: status.refused,
            clock_steps_back: status.clock_backwards,
            instances_lost: read(&figures.lost),
            floors_failed: read(&figures.floors_failed),
            task_panics: read(&figures.panics),
        }
    }

    /// Why there are no snowflakes though there should be some, in words for an operator.
    pub(crate) fn trouble(&self) -> Option<String> {
        let status = self.status();
        if !self.0.coordinated {
            return None;
        }
        match (status.instance, status.behind) {
            (None, _) => Some("no instance id is held".to_owned()),
            (_, Some(behind)) => Some(format!("the clock is {behind:?} behind the last snowflake")),
            _ if status.limited => Some("coordination has not confirmed how far ids may go".to_owned()),
            _ => None,
        }
    }

    fn status(&self) -> Status {
        self.0.generator.status()
    }
}

/// The figures of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UidStats {
    /// The instance id, while it is held.
    pub instance: Option<u16>,
    /// How long its lease lasts if it is not renewed; zero when it is not held.
    pub lease: Duration,
    /// How far the clock was behind the last snowflake when one was asked for last; zero unless that was too far.
    pub clock_behind: Duration,
    /// How often a caller found its millisecond used up.
    pub sequences_full: u64,
    /// How many calls ended with an error.
    pub refused: u64,
    /// How often the clock went back further than is tolerated.
    pub clock_steps_back: u64,
    /// How many instance ids were lost.
    pub instances_lost: u64,
    /// How many times coordination did not confirm how far ids may go.
    pub floors_failed: u64,
    /// How often the task that holds the instance id panicked and began anew.
    pub task_panics: u64,
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uid")
            .field("service_name", &self.0.config.service_name)
            .field("instance", &self.instance())
            .field("epoch", &self.0.config.epoch())
            .finish_non_exhaustive()
    }
}
