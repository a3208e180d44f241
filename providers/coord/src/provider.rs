//! The container's side: the provider of [`Coord`], its health and figures, and the module that loads it.

use gone_config::{Component, component};
use gone_core::{BeforeStop, CloseReport, Deadline, Error, Result};
use gone_kit::{Health, Stat};
use tokio::task::JoinSet;

use crate::{Coord, CoordConfig, RegistryStats};

component! {
    /// Connects to coordination services: `#[gone] coord: Coord` reads the section `coord` of the config, `#[gone("*,other")]
    /// coord: Coord` the section `coord.other`. There is one connection for each, however many goners ask; all are closed when
    /// the application ends, and what they hold is given back.
    ///
    /// The section is a [`CoordConfig`], over its defaults for the profile, and is checked in the plan. Where it has no `url`,
    /// the variable `COORD_ETCD_ENDPOINTS` names the members of an etcd cluster, if it is set.
    pub struct CoordProvider {}
}

impl Component for CoordProvider {
    type Handle = Coord;
    type Section = CoordConfig;

    async fn open(&self, config: CoordConfig) -> Result<Coord> {
        Ok(Coord::connect(&config).await?)
    }

    /// Whether the connection is answered. The detail says how many sessions it has, and when they were renewed.
    async fn check(coord: Coord) -> Health {
        Health::of(coord.ping().await).detail(told(&coord))
    }

    /// Of all connections together.
    fn stats(handles: &[Coord]) -> Vec<Stat> {
        let (mut sessions, mut oldest) = (0, 0.0_f64);
        let mut registry = RegistryStats::default();
        for coord in handles {
            registry = registry.and(coord.registry().stats());
            let stats = coord.stats();
            sessions += stats.sessions;
            oldest = oldest.max(stats.oldest_renewal.as_secs_f64());
        }
        let own = vec![Stat::gauge("sessions", sessions), Stat::gauge("oldest_renewal_seconds", oldest)];
        [own, registry.figures()].concat()
    }

    /// What could not be given back by the deadline runs out by itself, and is counted as lost.
    async fn close(coord: Coord, deadline: Deadline) -> CloseReport {
        coord.close(deadline).await
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

impl BeforeStop for CoordProvider {
    /// Unregisters everything before any goner stops, and waits until peers have heard of it: so no call is sent to a server
    /// that has stopped.
    async fn before_stop(&self) -> Result<()> {
        let mut withdrawing = JoinSet::new();
        for coord in self.opened.handles() {
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
