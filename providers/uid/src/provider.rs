//! The container's side: the provider of [`Uid`], its health and figures, and the module that loads it.

use std::time::{Duration, SystemTime};

use gone_config::{Component, component};
use gone_coord::Coord;
use gone_core::{CloseReport, Deadline, Result};
use gone_kit::{Health, Stat};

use crate::{Uid, UidConfig, UidStats};

component! {
    /// Makes handles: `#[gone] uid: Uid` reads the section `uid` of the config, `#[gone("*,orders")] uid: Uid` the section
    /// `uid.orders`. There is one handle for each, however many goners ask, and each has an instance id of its own; all give
    /// theirs back when the application ends, before coordination is closed.
    ///
    /// The section is a [`UidConfig`], over its defaults, and is checked in the plan. Snowflakes also need `gone_coord::module`.
    pub struct UidProvider {
        #[gone]
        coord: Option<Coord>,
    }
}

impl Component for UidProvider {
    type Handle = Uid;
    type Section = UidConfig;

    /// Acquires an instance id, where there is coordination. A dropped future leaves at most one that is given back in the
    /// background.
    async fn open(&self, config: UidConfig) -> Result<Uid> {
        Ok(Uid::open(&config, self.coord.as_ref()).await?)
    }

    /// Down while a handle that should make snowflakes makes none; the detail says why, or its instance id. Asks nobody.
    async fn check(uid: Uid) -> Health {
        match (uid.trouble(), uid.instance()) {
            (Some(trouble), _) => Health::down(trouble),
            (None, Some(instance)) => Health::up().detail(format!("instance {instance}")),
            (None, None) => Health::up().detail("UUIDs only"),
        }
    }

    /// The figures of all handles together; of the lease and the clock those of the one that is worst off.
    fn stats(handles: &[Uid]) -> Vec<Stat> {
        let stats: Vec<_> = handles.iter().map(Uid::stats).collect();
        let sum = |of: fn(&UidStats) -> u64| stats.iter().map(of).sum::<u64>();
        let worst = |of: fn(&UidStats) -> Duration| stats.iter().map(of);
        let now = SystemTime::now();
        let ends = handles.iter().map(|uid| uid.config().epoch().expires());
        let left = ends.map(|end| end.duration_since(now).unwrap_or_default()).min().unwrap_or_default();
        vec![
            Stat::counter("sequences_full", sum(|it| it.sequences_full)),
            Stat::counter("refused", sum(|it| it.refused)),
            Stat::counter("clock_steps_back", sum(|it| it.clock_steps_back)),
            Stat::counter("instances_lost", sum(|it| it.instances_lost)),
            Stat::counter("floors_failed", sum(|it| it.floors_failed)),
            Stat::counter("task_panics", sum(|it| it.task_panics)),
            Stat::gauge("instances_held", sum(|it| u64::from(it.instance.is_some()))),
            Stat::gauge("lease_seconds", worst(|it| it.lease).min().unwrap_or_default().as_secs_f64()),
            Stat::gauge("clock_behind_seconds", worst(|it| it.clock_behind).max().unwrap_or_default().as_secs_f64()),
            Stat::gauge("epoch_seconds_left", left.as_secs()),
        ]
    }

    /// An instance id that was not given back by the deadline is counted.
    async fn close(uid: Uid, deadline: Deadline) -> CloseReport {
        uid.close(deadline).await
    }
}
