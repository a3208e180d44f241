//! Which database an address means, and what each needs before and on every connection.

#[cfg(feature = "sqlite")]
mod sqlite;

use sqlx::any::AnyConnectOptions;

use crate::config::DbConfig;
use crate::error::{ConfigError, DbError};
use crate::nearness::near_misses;

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

struct Scheme {
    name: &'static str,
    feature: &'static str,
    compiled_in: bool,
    dialect: Dialect,
}

const SCHEMES: [Scheme; 3] = [
    Scheme { name: "sqlite", feature: "sqlite", compiled_in: cfg!(feature = "sqlite"), dialect: Dialect::Sqlite },
    Scheme { name: "postgres", feature: "postgres", compiled_in: false, dialect: Dialect::Postgres },
    Scheme { name: "mysql", feature: "mysql", compiled_in: false, dialect: Dialect::MySql },
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
pub(crate) fn check(url: &str) -> Result<Dialect, ConfigError> {
    let dialect = dialect_of(url)?;
    match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => sqlite::Target::parse(url).map(|_| dialect),
        _ => Ok(dialect),
    }
}

/// Makes sure that the database of `config` is there and can be opened.
pub(crate) async fn prepare(config: &DbConfig) -> Result<Prepared, DbError> {
    match dialect_of(&config.url)? {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => sqlite::prepare(&config.url).await,
        other => Err(not_compiled_in(other).into()),
    }
}

fn dialect_of(url: &str) -> Result<Dialect, ConfigError> {
    if url.trim().is_empty() {
        return Err(ConfigError::MissingUrl);
    }
    // What stands before the colon is shown in the error, so it must look like a scheme and not like a secret.
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|it| it.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)));
    let name = match scheme {
        Some("postgresql") => "postgres",
        Some("mariadb") => "mysql",
        Some(name) => name,
        None => "",
    };
    match SCHEMES.iter().find(|it| it.name == name) {
        Some(known) if known.compiled_in => Ok(known.dialect),
        Some(known) => Err(not_compiled_in(known.dialect)),
        None => {
            let (here, elsewhere): (Vec<_>, Vec<_>) = SCHEMES.iter().partition(|it| it.compiled_in);
            Err(ConfigError::UnknownScheme {
                scheme: scheme.map(str::to_owned),
                near: near_misses(name, &SCHEMES.map(|it| it.name)),
                compiled_in: here.iter().map(|it| it.name).collect(),
                features: elsewhere.iter().map(|it| (it.name, it.feature)).collect(),
            })
        }
    }
}

fn not_compiled_in(dialect: Dialect) -> ConfigError {
    let (scheme, feature) = match dialect {
        Dialect::Sqlite => ("sqlite", "sqlite"),
        Dialect::Postgres => ("postgres", "postgres"),
        Dialect::MySql => ("mysql", "mysql"),
    };
    ConfigError::NotCompiledIn { scheme, feature }
}
