//! A fresh database for each test, and the knife for its futures.

use std::future::poll_fn;
use std::task::Poll;

use gone_db::{Db, DbConfig, DbError, LogLevel, sqlx};
use tempfile::TempDir;

/// A database of a test's own.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) config: DbConfig,
    _folder: Option<TempDir>,
}

impl Bench {
    /// One of each kind.
    pub(crate) fn every() -> [Self; 2] {
        [Self::file(), Self::memory()]
    }

    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}/test.db", folder.path().display());
        Self { name: "file", config: quiet(url), _folder: Some(folder) }
    }

    pub(crate) fn memory() -> Self {
        Self { name: "memory", config: quiet("sqlite::memory:".into()), _folder: None }
    }

    pub(crate) async fn open(&self) -> Db {
        Db::connect(&self.config).await.expect(self.name)
    }

    /// Opened, with a table `items (id, name)`.
    pub(crate) async fn open_with_items(&self) -> Db {
        let db = self.open().await;
        run(&db, "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, CHECK (id >= 0))").await;
        db
    }
}

fn quiet(url: String) -> DbConfig {
    DbConfig { url: url.into(), log_level: LogLevel::Silent, ..DbConfig::default() }
}

pub(crate) async fn run(db: &Db, sql: &'static str) {
    sqlx::query(sql).execute(db).await.expect(sql);
}

pub(crate) async fn count(db: &Db, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.expect(sql)
}

pub(crate) async fn insert(db: &Db, id: i64) -> Result<(), DbError> {
    sqlx::query("INSERT INTO items (id, name) VALUES ($1, $2)").bind(id).bind(format!("item {id}")).execute(db).await?;
    Ok(())
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// As soon as it has been polled so often: what it asked for is under way.
    AtOnce,
    /// When it would be polled once more: what it asked for is done, and it has not seen it.
    WhenWoken,
}

/// Polls `future` so many times and then drops it; gives its output if it was done by then.
pub(crate) async fn cut<F: Future>(future: F, polls: usize, how: Cut) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 && matches!(how, Cut::AtOnce) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
