//! Transactions that survive being cancelled at any point.
//!
//! A driver's `begin` that is dropped half-way may leave a transaction open on a connection that the pool then lends to
//! somebody else, whose writes vanish. So `BEGIN`, `COMMIT` and `ROLLBACK` each run in a task of their own, to their end,
//! whatever becomes of the caller.

use std::fmt;
use std::time::Instant;

use sqlx::{Any, AnyConnection, SqlStr, Transaction};
use tokio::task::JoinHandle;
use tracing::Instrument;
use tracing::instrument::Instrumented;

use crate::backend::Dialect;
use crate::db::Db;
use gone_kit::Outcome;

use crate::error::DbError;
use crate::statement_log::StatementLog;

/// An open transaction, as [`Db::transaction`] lends it to its callback.
///
/// Queries run on `&mut *tx`.
pub struct Tx {
    inner: Transaction<'static, Any>,
    dialect: Dialect,
    log: StatementLog,
}

impl Db {
    /// Runs `work` in a transaction: commits if it succeeds, else rolls back and returns its error unchanged.
    ///
    /// On SQLite the transaction takes the write lock at its start, waiting up to 5 s for it, so that one that reads first
    /// and writes later is not refused in between. Beyond the wait for a connection there is no time limit, neither for `work` nor
    /// for its statements.
    ///
    /// A panic in `work` rolls back too. A dropped future leaves no open transaction: before `work` is done, all is rolled
    /// back; once it is, the commit runs to its end in the background. Holding a transaction while asking the same pool for
    /// another connection can exhaust the pool: use `tx` for all of its work.
    ///
    /// # Errors
    /// The error of `work`; or, through `E: From<DbError>`, [`DbError::AcquireTimeout`], [`DbError::Closed`],
    /// [`DbError::Connect`] or [`DbError::Query`] when the transaction could not be opened (nothing was done), and
    /// [`DbError::Commit`] when the commit failed, which says whether the changes were applied.
    ///
    /// ```
    /// # use gone_db::{Db, DbConfig, DbError, sqlx};
    /// # async fn transfer(db: &Db) -> Result<(), DbError> {
    /// db.transaction(async |tx| -> Result<(), DbError> {
    ///     sqlx::query("UPDATE accounts SET balance = balance - 200 WHERE id = 1").execute(&mut *tx).await?;
    ///     sqlx::query("UPDATE accounts SET balance = balance + 200 WHERE id = 2").execute(&mut *tx).await?;
    ///     Ok(())
    /// })
    /// .await
    /// # }
    /// ```
    pub async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<T, E>,
        E: From<DbError>,
    {
        let mut tx = self.begin().await?;
        match work(&mut tx).await {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    async fn begin(&self) -> Result<Tx, DbError> {
        let connection = self.acquire().await?;
        let (dialect, log) = (self.dialect(), self.log());
        let statement = self.begin_statement();
        let began = to_its_end(async move {
            let start = Instant::now();
            let began = Transaction::<Any>::begin(connection, statement.map(SqlStr::from_static)).await;
            log.record(statement.unwrap_or("BEGIN"), start.elapsed(), 0, began.as_ref().err());
            // If the caller is gone, this is dropped here, and with it the transaction.
            began.map(|inner| Tx { inner, dialect, log })
        });
        began.await.map_err(|_| DbError::Interrupted { operation: "begin" })?.map_err(DbError::from)
    }
}

impl Tx {
    async fn commit(self) -> Result<(), DbError> {
        let Self { inner, dialect, log } = self;
        let committed = to_its_end(async move {
            let start = Instant::now();
            let committed = inner.commit().await;
            log.record("COMMIT", start.elapsed(), 0, committed.as_ref().err());
            committed
        });
        let source = match committed.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(source)) => source,
            Err(_) => sqlx::Error::WorkerCrashed,
        };
        Err(DbError::Commit { outcome: outcome_of(&source, dialect), source })
    }

    async fn rollback(self) {
        let Self { inner, log, .. } = self;
        let rolled_back = to_its_end(async move {
            let start = Instant::now();
            let rolled_back = inner.rollback().await;
            // A failure is not the caller's concern: the connection goes back through a check, and is closed if need be.
            log.record("ROLLBACK", start.elapsed(), 0, rolled_back.as_ref().err());
        });
        let _ = rolled_back.await;
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    pub(crate) fn log(&self) -> StatementLog {
        self.log
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// Runs `step` whether or not the caller stays to see it done.
fn to_its_end<F>(step: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
    Instrumented<F>: Future<Output = F::Output>,
{
    tokio::spawn(step.in_current_span())
}

/// What a failed commit means: an answer of the database is a refusal, unless it says that it lost its own way.
fn outcome_of(error: &sqlx::Error, dialect: Dialect) -> Outcome {
    let Some(answer) = error.as_database_error() else {
        return Outcome::Unknown;
    };
    let code = answer.code().unwrap_or_default();
    let lost = match dialect {
        // 10 is an I/O error, in the low byte of the extended code.
        Dialect::Sqlite => code.parse::<i32>().is_ok_and(|it| it & 0xff == 10),
        // Connection exceptions, shutdowns, and "statement completion unknown".
        Dialect::Postgres | Dialect::MySql => {
            code.starts_with("08") || code.starts_with("57P") || code == "40003" || code.is_empty()
        }
    };
    if lost { Outcome::Unknown } else { Outcome::NotApplied }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("answer {0}")]
    struct Answer(&'static str);

    impl sqlx::error::DatabaseError for Answer {
        fn message(&self) -> &str {
            self.0
        }
        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    fn after(code: &'static str, dialect: Dialect) -> Outcome {
        outcome_of(&sqlx::Error::Database(Box::new(Answer(code))), dialect)
    }

    #[test]
    fn a_refusal_by_the_database_means_not_applied() {
        assert_eq!(after("787", Dialect::Sqlite), Outcome::NotApplied);
        assert_eq!(after("5", Dialect::Sqlite), Outcome::NotApplied);
        assert_eq!(after("40001", Dialect::Postgres), Outcome::NotApplied);
        assert_eq!(after("23000", Dialect::MySql), Outcome::NotApplied);
    }

    #[test]
    fn a_lost_answer_means_unknown() {
        assert_eq!(after("1034", Dialect::Sqlite), Outcome::Unknown);
        assert_eq!(after("57P01", Dialect::Postgres), Outcome::Unknown);
        assert_eq!(after("08006", Dialect::Postgres), Outcome::Unknown);
        assert_eq!(after("08S01", Dialect::MySql), Outcome::Unknown);
        let cut = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert_eq!(outcome_of(&cut, Dialect::Postgres), Outcome::Unknown);
        assert_eq!(outcome_of(&sqlx::Error::WorkerCrashed, Dialect::Sqlite), Outcome::Unknown);
    }
}
