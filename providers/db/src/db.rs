//! The handle: connecting, asking after it, closing it.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use gone_config::Section;
use gone_core::{CloseReport, Deadline};
use gone_kit::Stat;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::backend::{self, Dialect, Prepared};
use crate::config::DbConfig;
use crate::error::DbError;
use crate::statement_log::StatementLog;

/// A database: a pool of connections behind a handle that is cheap to clone.
///
/// Queries run on `&db`; each takes a connection for its own time, so statements that belong together go through
/// [`transaction`](Db::transaction). A caller waits at most [`DbConfig::acquire_timeout`] for a connection, in turn. A
/// transaction is never opened by a statement (`BEGIN`), since the next statement may run on another connection.
///
/// The handle belongs to the runtime that it was connected on.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    pool: AnyPool,
    dialect: Dialect,
    /// Where the database is, without credentials.
    address: String,
    begin: Option<&'static str>,
    pinned: bool,
    connect_timeout: Duration,
    log: StatementLog,
    /// One list of migrations at a time.
    migrating: Arc<Mutex<()>>,
}

impl Db {
    /// Connects to the database of `config`, once, and takes at most [`DbConfig::connect_timeout`] for it.
    ///
    /// A SQLite file and its parent folders are created when missing (see [`DbConfig::url`]); its journal is WAL, foreign
    /// keys are enforced, a locked file is waited for 5 s.
    ///
    /// A dropped future leaves no connection; a created file or folder stays.
    ///
    /// # Errors
    /// [`DbError::Config`], [`DbError::CreateFolder`], [`DbError::Connect`], [`DbError::Timeout`], or
    /// [`DbError::AcquireTimeout`] where [`DbConfig::acquire_timeout`] is too short for a connection to be opened.
    ///
    /// # Panics
    /// When the process has called [`sqlx::any::install_drivers`] with a list of its own.
    pub async fn connect(config: &DbConfig) -> Result<Self, DbError> {
        config.validate()?;
        sqlx::any::install_default_drivers();
        let after = config.connect_timeout;
        timeout(after, Self::open(config)).await.map_err(|_| DbError::Timeout { operation: "connect", after })?
    }

    async fn open(config: &DbConfig) -> Result<Self, DbError> {
        let prepared = backend::prepare(config).await?;
        let inner = Arc::new_cyclic(|inner| Inner {
            pool: pool_options(config, &prepared, inner).connect_lazy_with(prepared.options),
            dialect: prepared.dialect,
            address: config.url.redacted(),
            begin: prepared.begin,
            pinned: prepared.pinned,
            connect_timeout: config.connect_timeout,
            log: StatementLog { level: config.log_level, slow_threshold: config.slow_threshold },
            migrating: Arc::default(),
        });
        let db = Self { inner };
        // A pool opens nothing by itself: the first connection shows whether it can.
        drop(db.acquire().await?);
        Ok(db)
    }

    /// Asks the database for an answer, and takes at most [`DbConfig::connect_timeout`] beyond the wait for a connection.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`DbError::Closed`] after [`close`](Db::close); [`DbError::AcquireTimeout`], [`DbError::Connect`],
    /// [`DbError::Timeout`] or [`DbError::Query`] when the database is not there.
    pub async fn ping(&self) -> Result<(), DbError> {
        let mut connection = self.acquire().await?;
        let after = self.inner.connect_timeout;
        match timeout(after, connection.execute("SELECT 1")).await {
            Ok(answer) => Ok(answer.map(drop)?),
            Err(_) => {
                // It may answer later, to somebody else.
                if !self.inner.pinned {
                    connection.close_on_drop();
                }
                Err(DbError::Timeout { operation: "ping", after })
            }
        }
    }

    /// The figures of the pool, right now.
    pub fn stats(&self) -> DbStats {
        let pool = &self.inner.pool;
        let connections = u64::from(pool.size());
        // The two are read one after the other, so a connection on its way back may be counted in both.
        let connections_idle = (pool.num_idle() as u64).min(connections);
        DbStats {
            connections,
            connections_idle,
            connections_in_use: connections - connections_idle,
            connections_max: pool.options().get_max_connections().into(),
        }
    }

    /// The connections of all pools together.
    pub(crate) fn figures(handles: &[Self]) -> Vec<Stat> {
        let pools: Vec<_> = handles.iter().map(Self::stats).collect();
        let sum = |of: fn(&DbStats) -> u64| pools.iter().map(of).sum::<u64>();
        vec![
            Stat::gauge("connections", sum(|it| it.connections)),
            Stat::gauge("connections_in_use", sum(|it| it.connections_in_use)),
            Stat::gauge("connections_max", sum(|it| it.connections_max)),
        ]
    }

    /// The SQL dialect that the database speaks.
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// Whether [`close`](Db::close) was called, on this or any clone.
    pub fn is_closed(&self) -> bool {
        self.inner.pool.is_closed()
    }

    /// Closes the pool for all clones: whoever waits for a connection gets [`DbError::Closed`], those lent out are waited
    /// for until `deadline`, and each is closed as it comes back.
    ///
    /// Never fails; the report counts the connections that were still lent out at the deadline as still running. Closing twice
    /// is harmless.
    ///
    /// A dropped future leaves the pool closed; what is lent out is closed as it comes back.
    pub async fn close(&self, deadline: Deadline) -> CloseReport {
        let pool = self.inner.pool.clone();
        // Asking for the future marks the pool as closed, before the task has its first turn.
        drop(pool.close());
        let closing = tokio::spawn(async move { pool.close().await });
        match timeout(deadline.remaining(), closing).await {
            Ok(_) => CloseReport::clean(),
            Err(_) => CloseReport::clean().still_running(self.stats().connections_in_use),
        }
    }

    /// Takes a connection out of the pool.
    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Any>, DbError> {
        self.inner.pool.acquire().await.map_err(|source| match source {
            sqlx::Error::PoolTimedOut => DbError::AcquireTimeout { stats: Some(self.stats()), source },
            sqlx::Error::PoolClosed => DbError::Closed,
            _ => DbError::Connect { address: self.inner.address.clone(), source },
        })
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.inner.pool
    }

    pub(crate) fn log(&self) -> StatementLog {
        self.inner.log
    }

    pub(crate) fn begin_statement(&self) -> Option<&'static str> {
        self.inner.begin
    }

    pub(crate) fn pinned(&self) -> bool {
        self.inner.pinned
    }

    pub(crate) fn migrating(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.inner.migrating)
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("address", &self.inner.address)
            .field("dialect", &self.inner.dialect)
            .field("stats", &self.stats())
            .field("closed", &self.is_closed())
            .finish()
    }
}

fn pool_options(config: &DbConfig, prepared: &Prepared, inner: &Weak<Inner>) -> AnyPoolOptions {
    let pinned = prepared.pinned;
    let max_idle = config.max_idle_connections as usize;
    let session = prepared.session;
    let inner = Weak::clone(inner);
    AnyPoolOptions::new()
        .max_connections(if pinned { 1 } else { config.max_connections })
        .min_connections(if pinned { 0 } else { config.min_connections })
        .acquire_timeout(config.acquire_timeout)
        .idle_timeout((!pinned).then_some(config.idle_timeout))
        .max_lifetime((!pinned).then_some(config.max_lifetime))
        // The test would make a cancelled caller lose the connection that it was about to get.
        .test_before_acquire(prepared.test_before_acquire)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if let Some(session) = session {
                    connection.execute(session).await?;
                }
                Ok(())
            })
        })
        .after_release(move |connection, _| {
            let inner = Weak::clone(&inner);
            Box::pin(async move {
                let clean = out_of_transaction(connection, pinned).await?;
                let wanted = pinned || inner.upgrade().is_some_and(|it| it.pool.num_idle() < max_idle);
                Ok(clean && wanted)
            })
        })
}

/// Makes sure that nobody inherits an open transaction. `false`: the connection must not be used again.
async fn out_of_transaction(connection: &mut AnyConnection, pinned: bool) -> Result<bool, sqlx::Error> {
    if !connection.is_in_transaction() {
        return Ok(true);
    }
    // A rollback may be under way; the answer to a ping comes after it.
    connection.ping().await?;
    if connection.is_in_transaction() && pinned {
        // The database ended the transaction by itself, the driver still counts it, and closing would lose the data.
        // Open one for the driver to end: it does so when asked to begin another from scratch, which it refuses.
        connection.execute("BEGIN").await?;
        drop(connection.begin_with("BEGIN").await);
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// The figures of a [`Db`]: the connections of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DbStats {
    /// Open connections.
    pub connections: u64,
    /// Of these, those that nobody uses.
    pub connections_idle: u64,
    /// Of these, those lent out.
    pub connections_in_use: u64,
    /// The most that may be open.
    pub connections_max: u64,
}
