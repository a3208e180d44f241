//! The container's side: the provider of [`Db`], and the module that loads it.

use gone_config::component;

use crate::{Db, DbConfig};

component! {
    /// Connects to databases: `#[gone] db: Db` reads the section `db` of the config, `#[gone("*,sessions")] db: Db` the section
    /// `db.sessions`. There is one handle for each, however many goners ask; all are closed when the application ends.
    ///
    /// The section is a [`DbConfig`], over its defaults for the profile, and is checked in the plan.
    pub struct DbProvider provides Db, reads DbConfig;
}
