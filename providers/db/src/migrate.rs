//! Migrations: versioned SQL, applied once and in order.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};
use tracing::Instrument;

use crate::db::Db;
use crate::error::DbError;

/// One step of a database's schema.
///
/// Once applied anywhere it must not change: a checksum of its SQL is kept in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order, from 1, and its identity in the database.
    pub version: i64,
    /// What it does, for people.
    pub name: Cow<'static, str>,
    /// One or several statements, trusted: SQL that is put together at run time is yours to check.
    pub sql: Cow<'static, str>,
}

impl Migration {
    /// A migration written in the program, for instance with `include_str!`.
    #[must_use]
    pub const fn new(version: i64, name: &'static str, sql: &'static str) -> Self {
        Self { version, name: Cow::Borrowed(name), sql: Cow::Borrowed(sql) }
    }
}

impl Db {
    /// Applies those of `migrations` that the database has not seen, in the order of their versions, each in a
    /// transaction where the database can do that for such statements.
    ///
    /// Versions that the database has and the list lacks are left alone, so several lists may share a database as long as
    /// no version is used twice. Lists of one handle are applied one after another; of several handles or processes that
    /// are given the same list at the same time, each version is applied once.
    ///
    /// There is no time limit: a statement takes as long as the database takes for it.
    ///
    /// A dropped future stops nothing: the list is applied to its end in the background.
    ///
    /// # Errors
    /// [`DbError::MigrationList`] for a version below 1 or used twice in the list; [`DbError::Migration`] when a statement
    /// fails or an applied migration has other SQL than before; what was applied before it stays. Else as
    /// [`ping`](Db::ping).
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), DbError> {
        let mut versions = BTreeSet::new();
        for &Migration { version, .. } in migrations {
            if version < 1 {
                return Err(DbError::MigrationList { version, reason: "is below 1" });
            }
            if !versions.insert(version) {
                return Err(DbError::MigrationList { version, reason: "is used twice" });
            }
        }
        if migrations.is_empty() {
            return Ok(());
        }
        let (db, migrations) = (self.clone(), migrations.to_vec());
        let applied = tokio::spawn(async move { db.apply(migrations).await }.in_current_span());
        applied.await.map_err(|_| DbError::Interrupted { operation: "migrate" })?
    }

    async fn apply(&self, migrations: Vec<Migration>) -> Result<(), DbError> {
        let turn = self.migrating();
        let _turn = turn.lock().await;
        let mut migrator = Migrator::with_migrations(migrations.iter().map(Migration::to_sqlx).collect());
        migrator.set_ignore_missing(true);

        let mut seen = self.applied().await;
        let source = loop {
            let mut connection = self.acquire().await?;
            // `run` on a connection has a future that the compiler cannot see to be `Send`; this is what it calls.
            let Err(source) = migrator.run_direct(None, &mut *connection, false).await else {
                return Ok(());
            };
            // The migrator keeps its lock when it fails; it goes with the connection.
            if !self.pinned() {
                connection.close_on_drop();
            }
            drop(connection);
            // SQLite has no lock for a list as a whole. Where another process has applied a part of it meanwhile, what
            // failed may be what it did, and the rest is tried again: it has one version less each time.
            let now = self.applied().await;
            if now.len() <= seen.len() {
                break source;
            }
            seen = now;
        };
        let version = match &source {
            MigrateError::ExecuteMigration(_, version)
            | MigrateError::VersionMismatch(version)
            | MigrateError::Dirty(version) => Some(*version),
            _ => None,
        };
        let name = migrations.into_iter().find(|it| Some(it.version) == version).map(|it| it.name.into_owned());
        Err(DbError::Migration { version, name, source })
    }
}

impl Db {
    /// The versions that the database has; none where it has had no migration yet.
    async fn applied(&self) -> BTreeSet<i64> {
        let versions = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success");
        versions.fetch_all(self.pool()).await.unwrap_or_default().into_iter().collect()
    }
}

impl Migration {
    fn to_sqlx(&self) -> sqlx::migrate::Migration {
        let sql = AssertSqlSafe(self.sql.clone()).into_sql_str();
        sqlx::migrate::Migration::new(self.version, self.name.clone(), MigrationType::Simple, sql, false)
    }
}
