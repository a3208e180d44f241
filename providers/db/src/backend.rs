//! Which database an address means, and what each needs before and on every connection.

#[cfg(feature = "sqlite")]
mod sqlite;

use sqlx::any::AnyConnectOptions;

use gone_config::{Faults, SectionError};
use gone_kit::{BackendUrl, Scheme, UnknownScheme};

use crate::config::DbConfig;
use crate::error::DbError;

/// The SQL dialect of a database, for the few places where an application's statements must differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

const SCHEMES: [Scheme; 5] = [
    Scheme::feature("sqlite", cfg!(feature = "sqlite")),
    Scheme::feature("postgres", false),
    Scheme { name: "postgresql", feature: "postgres", compiled: false },
    Scheme::feature("mysql", false),
    Scheme { name: "mariadb", feature: "mysql", compiled: false },
];

/// All that the pool must know of a database that is there and lets itself be opened.
pub(crate) struct Prepared {
    pub(crate) dialect: Dialect,
    pub(crate) options: AnyConnectOptions,
    /// Statements for each new connection.
    pub(crate) session: Option<&'static str>,
    /// What opens a transaction, where a plain `BEGIN` will not do.
    pub(crate) begin: Option<&'static str>,
    /// The database lives in its one connection: no second, and this one is never closed.
    pub(crate) pinned: bool,
    /// Whether a connection may have died while it lay unused.
    pub(crate) test_before_acquire: bool,
}

/// Checks an address, without I/O.
pub(crate) fn check(url: &BackendUrl, faults: &mut Faults) {
    match faults.scheme("url", url, &SCHEMES) {
        #[cfg(feature = "sqlite")]
        Some(("sqlite", _)) => {
            if let Err(reason) = sqlite::Target::parse(url.as_str()) {
                faults.push(gone_config::SectionFault::hidden("url", reason));
            }
        }
        _ => {}
    }
}

/// Makes sure that the database of `config` is there and can be opened.
pub(crate) async fn prepare(config: &DbConfig) -> Result<Prepared, DbError> {
    match config.url.choose(&SCHEMES) {
        #[cfg(feature = "sqlite")]
        Ok(("sqlite", _)) => sqlite::prepare(config.url.as_str()).await,
        // One that is compiled in has its arm above.
        Ok((scheme, _)) => Err(SectionError::from(UnknownScheme::new(scheme, &SCHEMES)).into()),
        Err(error) => Err(SectionError::from(error).into()),
    }
}
