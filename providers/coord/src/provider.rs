//! The container's side: the provider of [`Coord`], its health and figures, and the module that loads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gone_config::{ConfigErrors, Settings};
use gone_core::{BeforeStop, Close, CloseReport, Code, Deadline, Error, Goner, Loader, Provider, Result, Sources, Tag};
use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
use gone_macros::Goner;
use tokio::task::JoinSet;

use crate::{Coord, CoordConfig, CoordError, RegistryStats};

/// The section of the config that a connection without a name reads.
const SECTION: &str = "coord";

/// The variable that names the members of an etcd cluster where the config says nothing: `etcd1:2379,etcd2:2379`.
const ENDPOINTS: &str = "COORD_ETCD_ENDPOINTS";

/// Loads the provider of [`Coord`].
pub fn module(loader: &mut Loader) {
    loader.load(CoordProvider::goner());
}

/// Connects to coordination services: `#[gone] coord: Coord` reads the section `coord` of the config, `#[gone("*,other")]
/// coord: Coord` the section `coord.other`. There is one connection for each, however many goners ask; all are closed when the
/// application ends, and what they hold is given back.
///
/// The section is a [`CoordConfig`], over its defaults for the profile, and is checked in the plan. Where it has no `url`, the
/// variable `COORD_ETCD_ENDPOINTS` names the members of an etcd cluster, if it is set.
#[derive(Goner)]
#[goner(share, offers(dyn HealthIndicator, dyn StatsReader), crate = gone_core)]
pub struct CoordProvider {
    #[gone]
    settings: Arc<Settings>,
    opened: Mutex<Vec<(String, Coord)>>,
}

impl Provider for CoordProvider {
    type Output = Coord;

    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        // What a source could not read stands in the report by itself.
        sources.get::<Settings>().map_or(Ok(()), |settings| section(settings, tag.extend()).map(drop))
    }

    /// Connects. A dropped future leaves no connection.
    async fn provide(&self, tag: &Tag) -> Result<Coord> {
        let config = section(&self.settings, tag.extend())?;
        let coord = Coord::connect(&config).await?;
        tracing::debug!(target: "gone_coord", instance = tag.extend(), coord = ?coord, "connected");
        self.opened().push((tag.extend().to_owned(), coord.clone()));
        Ok(coord)
    }
}

/// Reads and checks the section of an instance; the empty name is the section itself.
pub(crate) fn section(settings: &Settings, instance: &str) -> Result<CoordConfig> {
    let mut defaults = CoordConfig::for_profile(settings.profile())
        .map_err(|error| Error::from(CoordError::from(error)).with_code(Code::Config))?;
    if let Some(endpoints) = settings.variable(ENDPOINTS).filter(|endpoints| !endpoints.is_empty()) {
        defaults.url = format!("etcd://{endpoints}");
    }
    let config = settings.component(SECTION, instance, &defaults).map_err(ConfigErrors::into_error)?;
    config.validate().map_err(|error| {
        let section = if instance.is_empty() { SECTION.to_owned() } else { format!("{SECTION}.{instance}") };
        Error::new(Code::Config, format_args!("config section `{section}`: {error}"))
    })?;
    Ok(config)
}

impl CoordProvider {
    fn opened(&self) -> MutexGuard<'_, Vec<(String, Coord)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handles(&self) -> Vec<(String, Coord)> {
        self.opened().clone()
    }
}

#[async_trait]
impl HealthIndicator for CoordProvider {
    fn name(&self) -> &str {
        SECTION
    }

    /// Whether all connections are answered. The detail of each says how many sessions it has, and when they were renewed.
    async fn check(&self) -> Health {
        let mut asked = JoinSet::new();
        for (instance, coord) in self.handles() {
            asked.spawn(async move { (coord.ping().await, instance, coord) });
        }
        let (mut health, mut details) = (Health::up(), Vec::new());
        while let Some(answer) = asked.join_next().await {
            let (answer, instance, coord) = match answer {
                Ok(answer) => answer,
                Err(error) => return Health::down(error.to_string()),
            };
            let name = if instance.is_empty() { String::new() } else { format!("{instance}: ") };
            match answer {
                Ok(()) => details.push(format!("{name}{}", told(&coord))),
                Err(error) => {
                    health = Health::down("");
                    details.push(format!("{name}{error}"));
                }
            }
        }
        details.sort();
        health.detail = details.join("; ");
        health
    }
}

fn told(coord: &Coord) -> String {
    let (stats, registry) = (coord.stats(), coord.registry().stats());
    let sessions = match stats.sessions {
        0 => format!("{}, no sessions", coord.backend()),
        count => format!(
            "{}, sessions: {count}, renewed within the last {:.1} s",
            coord.backend(),
            stats.oldest_renewal.as_secs_f64()
        ),
    };
    match registry.registrations_missing {
        0 => sessions,
        missing => format!("{sessions}, registrations missing: {missing} of {}", registry.registrations),
    }
}

impl StatsReader for CoordProvider {
    fn name(&self) -> &str {
        SECTION
    }

    /// Of all connections together.
    fn stats(&self) -> Vec<Stat> {
        let (mut sessions, mut oldest) = (0, 0.0_f64);
        let mut registry = RegistryStats::default();
        for (_, coord) in self.handles() {
            registry = registry.and(coord.registry().stats());
            let stats = coord.stats();
            sessions += stats.sessions;
            oldest = oldest.max(stats.oldest_renewal.as_secs_f64());
        }
        let own = vec![Stat::gauge("sessions", sessions), Stat::gauge("oldest_renewal_seconds", oldest)];
        [own, registry.figures()].concat()
    }
}

impl BeforeStop for CoordProvider {
    /// Unregisters everything before any goner stops, and waits until peers have heard of it: so no call is sent to a server
    /// that has stopped.
    async fn before_stop(&self) -> Result<()> {
        let mut withdrawing = JoinSet::new();
        for (_, coord) in self.handles() {
            withdrawing.spawn(async move { coord.registry().withdraw().await });
        }
        let mut left = 0;
        while let Some(withdrawn) = withdrawing.join_next().await {
            left += withdrawn?;
        }
        match left {
            0 => Ok(()),
            left => {
                Err(Error::msg(format_args!("{left} registrations could not be removed, and run out by themselves")))
            }
        }
    }
}

impl Close for CoordProvider {
    /// Closes all connections at once; what they could not give back by the deadline runs out by itself, and is counted as
    /// lost.
    async fn close(&self, deadline: Deadline) -> Result<CloseReport> {
        let mut closing = JoinSet::new();
        for (_, coord) in std::mem::take(&mut *self.opened()) {
            closing.spawn(async move { coord.close(deadline).await });
        }
        let (mut flushed, mut lost, mut still_running) = (0, 0, 0);
        while let Some(report) = closing.join_next().await {
            let report = report?;
            flushed += report.flushed;
            lost += report.lost;
            still_running += report.still_running;
        }
        Ok(CloseReport::clean().flushed(flushed).lost(lost).still_running(still_running))
    }
}
