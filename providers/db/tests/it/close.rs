use std::time::{Duration, Instant};

use gone_core::Deadline;
use gone_db::sqlx;
use gone_db::{DbConfig, DbError};

use crate::bench::{Bench, count, insert};

const LIMIT: Duration = Duration::from_secs(5);

fn soon() -> Deadline {
    Deadline::after(LIMIT)
}

// DB-19
#[tokio::test]
async fn after_close_ping_says_closed() {
    for bench in Bench::every() {
        let db = bench.open().await;
        let clone = db.clone();
        let report = db.close(soon()).await;
        assert_eq!(report.still_running, 0, "{}", bench.name);
        assert!(matches!(clone.ping().await, Err(DbError::Closed)), "{}", bench.name);
        let error = DbError::from(sqlx::query("SELECT 1").execute(&clone).await.unwrap_err());
        assert!(matches!(error, DbError::Closed), "{error:?}");
        assert_eq!(db.stats().connections, 0, "{}", bench.name);
    }
}

#[tokio::test]
async fn closing_twice_is_harmless() {
    for bench in Bench::every() {
        let db = bench.open().await;
        for _ in 0..2 {
            assert_eq!(db.close(soon()).await.still_running, 0, "{}", bench.name);
        }
    }
}

#[tokio::test]
async fn close_waits_for_what_is_lent_out() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let closer = db.clone();
        let closing = db
            .transaction(async |tx| -> Result<_, DbError> {
                let closing = tokio::spawn(async move { closer.close(soon()).await });
                while !db.is_closed() {
                    tokio::task::yield_now().await;
                }
                sqlx::query("INSERT INTO items (id, name) VALUES (1, 'x')").execute(&mut *tx).await?;
                Ok(closing)
            })
            .await
            .expect("a transaction begun before the close ends well");
        assert_eq!(closing.await.unwrap().still_running, 0, "{}", bench.name);
        if bench.name == "file" {
            assert_eq!(count(&bench.open().await, "SELECT COUNT(*) FROM items").await, 1);
        }
    }
}

#[tokio::test]
async fn close_reports_what_is_still_lent_out_at_its_deadline() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.transaction(async |_| -> Result<(), DbError> {
            let start = Instant::now();
            let report = db.close(Deadline::after(Duration::from_millis(50))).await;
            assert_eq!(report.still_running, 1, "{}", bench.name);
            assert!(start.elapsed() < LIMIT, "{}", bench.name);
            Ok(())
        })
        .await
        .unwrap();
        // Given back in the meantime, or within this deadline.
        assert_eq!(db.close(soon()).await.still_running, 0, "{}", bench.name);
    }
}

#[tokio::test]
async fn close_sends_away_whoever_waits_for_a_connection() {
    let bench = Bench::file();
    let config = DbConfig { max_connections: 1, max_idle_connections: 1, ..bench.config.clone() };
    let db = gone_db::Db::connect(&config).await.unwrap();
    db.transaction(async |_| -> Result<(), DbError> {
        let mut waiting = Box::pin(db.ping());
        let first = crate::bench::cut(waiting.as_mut(), 1, crate::bench::Cut::AtOnce).await;
        assert!(first.is_none());
        let report = db.close(Deadline::after(Duration::ZERO)).await;
        assert_eq!(report.still_running, 1);
        assert!(matches!(waiting.await, Err(DbError::Closed)));
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn data_survives_close_and_reopen() {
    let bench = Bench::file();
    let db = bench.open_with_items().await;
    insert(&db, 1).await.unwrap();
    let _ = db.close(soon()).await;
    let db = bench.open().await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 1);
}
