//! The container's side: the provider of [`Db`], its health and figures, and the module that loads it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gone_config::{ConfigErrors, Settings};
use gone_core::{Close, CloseReport, Code, Deadline, Error, Goner, Loader, Provider, Result, Sources, Tag};
use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
use gone_macros::Goner;

use crate::{Db, DbConfig};

/// The section of the config that a database without a name reads.
const SECTION: &str = "db";

/// Loads the provider of [`Db`].
pub fn module(loader: &mut Loader) {
    loader.load(DbProvider::goner());
}

/// Connects to databases: `#[gone] db: Db` reads the section `db` of the config, `#[gone("*,sessions")] db: Db` the section
/// `db.sessions`. There is one handle for each, however many goners ask; all are closed when the application ends.
///
/// The section is a [`DbConfig`], over its defaults for the profile, and is checked in the plan.
#[derive(Goner)]
#[goner(share, offers(dyn HealthIndicator, dyn StatsReader), crate = gone_core)]
pub struct DbProvider {
    #[gone]
    settings: Arc<Settings>,
    opened: Mutex<Vec<(String, Db)>>,
}

impl Provider for DbProvider {
    type Output = Db;

    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        // What a source could not read stands in the report by itself.
        sources.get::<Settings>().map_or(Ok(()), |settings| config(settings, tag).map(drop))
    }

    /// Connects. A dropped future leaves no connection.
    async fn provide(&self, tag: &Tag) -> Result<Db> {
        let config = config(&self.settings, tag)?;
        let db = Db::connect(&config).await?;
        tracing::debug!(target: "gone_db", instance = tag.extend(), db = ?db, "connected");
        self.opened().push((tag.extend().to_owned(), db.clone()));
        Ok(db)
    }
}

fn config(settings: &Settings, tag: &Tag) -> Result<DbConfig> {
    let bad = |error: Error| error.with_code(Code::Config);
    let instance = tag.extend();
    let defaults = DbConfig::for_profile(settings.profile()).map_err(|error| bad(error.into()))?;
    let config = settings.component(SECTION, instance, &defaults).map_err(ConfigErrors::into_error)?;
    config.validate().map_err(|error| {
        let section = if instance.is_empty() { SECTION.to_owned() } else { format!("{SECTION}.{instance}") };
        Error::new(Code::Config, format_args!("config section `{section}`: {error}"))
    })?;
    Ok(config)
}

impl DbProvider {
    fn opened(&self) -> std::sync::MutexGuard<'_, Vec<(String, Db)>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handles(&self) -> Vec<(String, Db)> {
        self.opened().clone()
    }
}

#[async_trait]
impl HealthIndicator for DbProvider {
    fn name(&self) -> &str {
        SECTION
    }

    async fn check(&self) -> Health {
        for (instance, db) in self.handles() {
            if let Err(error) = db.ping().await {
                return Health::down(match instance.as_str() {
                    "" => error.to_string(),
                    instance => format!("{instance}: {error}"),
                });
            }
        }
        Health::up()
    }
}

impl StatsReader for DbProvider {
    fn name(&self) -> &str {
        SECTION
    }

    /// The connections of all handles together.
    fn stats(&self) -> Vec<Stat> {
        let (mut size, mut in_use, mut max) = (0, 0, 0);
        for (_, db) in self.handles() {
            let pool = db.pool_stats();
            size += u64::from(pool.size);
            in_use += u64::from(pool.in_use);
            max += u64::from(pool.max);
        }
        vec![
            Stat::gauge("connections", size),
            Stat::gauge("connections_in_use", in_use),
            Stat::gauge("connections_max", max),
        ]
    }
}

impl Close for DbProvider {
    /// Closes all pools at once; what is still lent out at the deadline is counted.
    async fn close(&self, deadline: Deadline) -> Result<CloseReport> {
        let handles = std::mem::take(&mut *self.opened());
        let closing: Vec<_> = handles
            .into_iter()
            .map(|(_, db)| tokio::spawn(async move { db.close(deadline.remaining()).await }))
            .collect();
        let mut still_in_use = 0;
        for pool in closing {
            still_in_use += u64::from(pool.await?.still_in_use);
        }
        Ok(CloseReport::clean().still_running(still_in_use))
    }
}
