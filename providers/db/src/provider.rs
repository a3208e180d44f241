//! The container's side: the provider of [`Db`], its health and figures, and the module that loads it.

use gone_config::{Component, component};
use gone_core::{CloseReport, Deadline, Goner, Loader, Result};
use gone_kit::{Health, Stat};

use crate::{Db, DbConfig};

/// Loads the provider of [`Db`].
pub fn module(loader: &mut Loader) {
    loader.load(DbProvider::goner());
}

component! {
    /// Connects to databases: `#[gone] db: Db` reads the section `db` of the config, `#[gone("*,sessions")] db: Db` the section
    /// `db.sessions`. There is one handle for each, however many goners ask; all are closed when the application ends.
    ///
    /// The section is a [`DbConfig`], over its defaults for the profile, and is checked in the plan.
    pub struct DbProvider {}
}

impl Component for DbProvider {
    type Handle = Db;
    type Section = DbConfig;

    async fn open(&self, config: DbConfig) -> Result<Db> {
        Ok(Db::connect(&config).await?)
    }

    async fn check(db: Db) -> Health {
        Health::of(db.ping().await)
    }

    /// The connections of all pools together.
    fn stats(handles: &[Db]) -> Vec<Stat> {
        let pools: Vec<_> = handles.iter().map(Db::pool_stats).collect();
        vec![
            Stat::gauge("connections", pools.iter().map(|pool| u64::from(pool.size)).sum::<u64>()),
            Stat::gauge("connections_in_use", pools.iter().map(|pool| u64::from(pool.in_use)).sum::<u64>()),
            Stat::gauge("connections_max", pools.iter().map(|pool| u64::from(pool.max)).sum::<u64>()),
        ]
    }

    /// What is still lent out at the deadline is counted.
    async fn close(db: Db, deadline: Deadline) -> CloseReport {
        db.close(deadline).await
    }
}
