use std::time::Duration;

use gone_core::Deadline;
use gone_db::sqlx;
use gone_db::{Db, DbConfig, DbError};
use gone_kit::Outcome;

use crate::bench::{Bench, count, insert, run};

const ITEMS: &str = "SELECT COUNT(*) FROM items";

// DB-17
#[tokio::test]
async fn a_transaction_that_succeeds_is_committed() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let answer = db
            .transaction(async |tx| -> Result<&str, DbError> {
                sqlx::query("INSERT INTO items (id, name) VALUES (1, 'one')").execute(&mut *tx).await?;
                sqlx::query("INSERT INTO items (id, name) VALUES (2, 'two')").execute(&mut *tx).await?;
                let seen: i64 = sqlx::query_scalar(ITEMS).fetch_one(&mut *tx).await?;
                assert_eq!(seen, 2);
                Ok("done")
            })
            .await;
        assert_eq!(answer.unwrap(), "done");
        assert_eq!(count(&db, ITEMS).await, 2, "{}", bench.name);
    }
}

// DB-18
#[tokio::test]
async fn an_error_of_the_callback_rolls_back_and_comes_out_unchanged() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let outcome = db
            .transaction(async |tx| -> Result<(), Refusal> {
                sqlx::query("INSERT INTO items (id, name) VALUES (1, 'one')").execute(&mut *tx).await?;
                Err(Refusal::Business { code: 42 })
            })
            .await;
        assert!(matches!(outcome, Err(Refusal::Business { code: 42 })), "{outcome:?}");
        assert_eq!(count(&db, ITEMS).await, 0, "{}", bench.name);
    }
}

/// An application's own error.
#[derive(Debug)]
enum Refusal {
    Business {
        code: u32,
    },
    #[expect(dead_code, reason = "seen by whoever prints it")]
    Database(DbError),
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

#[tokio::test]
async fn a_panic_in_the_callback_rolls_back() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let running = db.clone();
        let task = tokio::spawn(async move {
            running
                .transaction(async |tx| -> Result<(), DbError> {
                    sqlx::query("INSERT INTO items (id, name) VALUES (1, 'one')").execute(&mut *tx).await?;
                    std::panic::panic_any("on purpose");
                })
                .await
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(count(&db, ITEMS).await, 0, "{}", bench.name);
        insert(&db, 1).await.expect("the next borrower writes");
        assert_eq!(count(&db, ITEMS).await, 1, "{}", bench.name);
    }
}

// DB-32
#[tokio::test]
async fn a_transfer_moves_money_and_its_record_together_or_not_at_all() {
    for bench in Bench::every() {
        let db = bench.open().await;
        run(&db, "CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0))").await;
        run(&db, "CREATE TABLE transfers (source BIGINT NOT NULL, target BIGINT NOT NULL, amount BIGINT NOT NULL)")
            .await;
        run(&db, "INSERT INTO accounts (id, balance) VALUES (1, 1000), (2, 500)").await;

        transfer(&db, 1, 2, 200).await.unwrap();
        assert_eq!(state(&db).await, (800, 700, 1), "{}", bench.name);

        let error = transfer(&db, 1, 2, 900).await.unwrap_err();
        assert!(matches!(error, DbError::Constraint { .. }), "{error:?}");
        assert_eq!(state(&db).await, (800, 700, 1), "{}", bench.name);
    }
}

async fn transfer(db: &Db, source: i64, target: i64, amount: i64) -> Result<(), DbError> {
    db.transaction(async |tx| {
        sqlx::query("INSERT INTO transfers (source, target, amount) VALUES ($1, $2, $3)")
            .bind(source)
            .bind(target)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        let change = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
        sqlx::query(change).bind(amount).bind(target).execute(&mut *tx).await?;
        sqlx::query(change).bind(-amount).bind(source).execute(&mut *tx).await?;
        Ok(())
    })
    .await
}

async fn state(db: &Db) -> (i64, i64, i64) {
    (
        count(db, "SELECT balance FROM accounts WHERE id = 1").await,
        count(db, "SELECT balance FROM accounts WHERE id = 2").await,
        count(db, "SELECT COUNT(*) FROM transfers").await,
    )
}

// DB-34
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_tasks_of_a_hundred_increments_make_a_thousand() {
    for bench in Bench::every() {
        // On two cores shared with other work, waiting in turn may take longer than a caller would like.
        let config = DbConfig { acquire_timeout: Duration::from_secs(60), ..bench.config.clone() };
        let db = Db::connect(&config).await.unwrap();
        run(&db, "CREATE TABLE counters (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)").await;
        run(&db, "INSERT INTO counters (id, value) VALUES (1, 0)").await;
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    for _ in 0..100 {
                        // Reads first and writes later, so a lost update would show.
                        db.transaction(async |tx| -> Result<(), DbError> {
                            let value: i64 = sqlx::query_scalar("SELECT value FROM counters WHERE id = 1")
                                .fetch_one(&mut *tx)
                                .await?;
                            sqlx::query("UPDATE counters SET value = $1 WHERE id = 1")
                                .bind(value + 1)
                                .execute(&mut *tx)
                                .await?;
                            Ok(())
                        })
                        .await?;
                    }
                    Ok::<(), DbError>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().expect(bench.name);
        }
        assert_eq!(count(&db, "SELECT value FROM counters WHERE id = 1").await, 1000, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_says_that_nothing_was_applied() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        run(&db, "CREATE TABLE parts (item BIGINT NOT NULL REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)").await;
        let error = db
            .transaction(async |tx| -> Result<(), DbError> {
                sqlx::query("INSERT INTO parts (item) VALUES (99)").execute(&mut *tx).await?;
                Ok(())
            })
            .await
            .unwrap_err();
        assert!(matches!(error, DbError::Commit { outcome: Outcome::NotApplied, .. }), "{error:?}");
        assert_eq!(error.to_string(), "the commit failed; its changes were not applied");
        assert_eq!(count(&db, "SELECT COUNT(*) FROM parts").await, 0, "{}", bench.name);
        insert(&db, 1).await.expect("the next borrower writes");
        assert_eq!(count(&db, ITEMS).await, 1, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_itself_does_not_spoil_the_connection() {
    for bench in Bench::every() {
        let config = DbConfig { max_connections: 1, max_idle_connections: 1, ..bench.config.clone() };
        let db = Db::connect(&config).await.unwrap();
        run(&db, "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL)").await;
        insert(&db, 1).await.unwrap();
        let error = db
            .transaction(async |tx| -> Result<(), DbError> {
                sqlx::query("INSERT OR ROLLBACK INTO items (id, name) VALUES (1, 'again')").execute(&mut *tx).await?;
                Ok(())
            })
            .await
            .unwrap_err();
        assert!(error.is_unique_violation(), "{error:?}");
        db.transaction(async |tx| -> Result<(), DbError> {
            sqlx::query("INSERT INTO items (id, name) VALUES (2, 'two')").execute(&mut *tx).await?;
            Ok(())
        })
        .await
        .expect("the next transaction");
        assert_eq!(count(&db, ITEMS).await, 2, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_transaction_on_a_closed_handle_does_not_call_its_callback() {
    let db = Bench::memory().open().await;
    let _ = db.close(Deadline::after(Duration::from_secs(5))).await;
    let mut called = false;
    let outcome = db
        .transaction(async |_| -> Result<(), DbError> {
            called = true;
            Ok(())
        })
        .await;
    assert!(matches!(outcome, Err(DbError::Closed)), "{outcome:?}");
    assert!(!called);
}
