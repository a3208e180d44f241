//! The container's side: the provider of [`Uid`], its health and figures, and the module that loads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use gone_config::{ConfigErrors, Settings};
use gone_coord::Coord;
use gone_core::{Close, CloseReport, Code, Deadline, Error, Goner, Loader, Provider, Result, Sources, Tag};
use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
use gone_macros::Goner;

use crate::{Uid, UidConfig};

/// The section of the config that a handle without a name reads.
const SECTION: &str = "uid";

/// Loads the provider of [`Uid`]. Snowflakes also need `gone_coord::module`.
pub fn module(loader: &mut Loader) {
    loader.load(UidProvider::goner());
}

/// Makes handles: `#[gone] uid: Uid` reads the section `uid` of the config, `#[gone("*,orders")] uid: Uid` the section
/// `uid.orders`. There is one handle for each, however many goners ask, and each has an instance id of its own; all give
/// theirs back when the application ends, before coordination is closed.
///
/// The section is a [`UidConfig`], over its defaults, and is checked in the plan.
#[derive(Goner)]
#[goner(share, offers(dyn HealthIndicator, dyn StatsReader), crate = gone_core)]
pub struct UidProvider {
    #[gone]
    settings: Arc<Settings>,
    #[gone]
    coord: Option<Coord>,
    opened: Mutex<Vec<(String, Uid)>>,
}

impl Provider for UidProvider {
    type Output = Uid;

    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        // What a source could not read stands in the report by itself.
        sources.get::<Settings>().map_or(Ok(()), |settings| config(settings, tag).map(drop))
    }

    /// Acquires an instance id, where there is coordination. A dropped future leaves at most one that is given back in the
    /// background.
    async fn provide(&self, tag: &Tag) -> Result<Uid> {
        let config = config(&self.settings, tag)?;
        let uid = Uid::open(&config, self.coord.as_ref()).await.map_err(|error| match error {
            crate::UidError::Config(error) => bad(tag, &error),
            error => error.into(),
        })?;
        tracing::debug!(target: "gone_uid", instance = tag.extend(), ?uid, "opened");
        self.opened().push((tag.extend().to_owned(), uid.clone()));
        Ok(uid)
    }
}

fn config(settings: &Settings, tag: &Tag) -> Result<UidConfig> {
    let defaults =
        UidConfig::for_profile(settings.profile()).map_err(|error| Error::from(error).with_code(Code::Config))?;
    let config = settings.component(SECTION, tag.extend(), &defaults).map_err(ConfigErrors::into_error)?;
    config.validate().map_err(|error| bad(tag, &error))?;
    Ok(config)
}

fn bad(tag: &Tag, error: &crate::ConfigError) -> Error {
    let instance = tag.extend();
    let section = if instance.is_empty() { SECTION.to_owned() } else { format!("{SECTION}.{instance}") };
    Error::new(Code::Config, format_args!("config section `{section}`: {error}"))
}

impl UidProvider {
    fn opened(&self) -> MutexGuard<'_, Vec<(String, Uid)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handles(&self) -> Vec<(String, Uid)> {
        self.opened().clone()
    }
}

#[async_trait]
impl HealthIndicator for UidProvider {
    fn name(&self) -> &str {
        SECTION
    }

    /// Down while a handle that should make snowflakes makes none; the detail of each says why, or its instance id. Asks nobody.
    async fn check(&self) -> Health {
        let (mut health, mut details) = (Health::up(), Vec::new());
        for (name, uid) in self.handles() {
            let told = match (uid.trouble(), uid.instance()) {
                (Some(trouble), _) => {
                    health = Health::down("");
                    trouble
                }
                (None, Some(instance)) => format!("instance {instance}"),
                (None, None) => "UUIDs only".to_owned(),
            };
            details.push(if name.is_empty() { told } else { format!("{name}: {told}") });
        }
        details.sort();
        health.detail = details.join("; ");
        health
    }
}

impl StatsReader for UidProvider {
    fn name(&self) -> &str {
        SECTION
    }

    /// The figures of all handles together; of the lease and the clock those of the one that is worst off.
    fn stats(&self) -> Vec<Stat> {
        let handles = self.handles();
        let stats: Vec<_> = handles.iter().map(|(_, uid)| uid.stats()).collect();
        let sum = |of: fn(&crate::UidStats) -> u64| stats.iter().map(of).sum::<u64>();
        let worst = |of: fn(&crate::UidStats) -> Duration| stats.iter().map(of);
        let now = SystemTime::now();
        let ends = handles.iter().map(|(_, uid)| uid.config().epoch().expires());
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
}

impl Close for UidProvider {
    /// Gives all instance ids back at once; those that were not given back by the deadline are counted.
    async fn close(&self, deadline: Deadline) -> Result<CloseReport> {
        let handles = std::mem::take(&mut *self.opened());
        let closing: Vec<_> =
            handles.into_iter().map(|(_, uid)| tokio::spawn(async move { uid.close(deadline).await })).collect();
        let mut still_running = 0;
        for handle in closing {
            still_running += handle.await?.still_running;
        }
        Ok(CloseReport::clean().still_running(still_running))
    }
}
