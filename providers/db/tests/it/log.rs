use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gone_db::sqlx;
use gone_db::{Db, DbConfig, DbError, LogLevel};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::bench::{Bench, run};

/// What was logged, a line each: level, target, fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn with(&self, word: &str) -> Vec<String> {
        self.0.lock().unwrap().iter().filter(|line| line.contains(word)).cloned().collect()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut fields = Fields(format!("{} {}", event.metadata().level(), event.metadata().target()));
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
}

fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    (lines, guard)
}

async fn open(bench: &Bench, log_level: LogLevel, slow_threshold: Duration) -> Db {
    Db::connect(&DbConfig { log_level, slow_threshold, ..bench.config.clone() }).await.unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);
const SLOW: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT COUNT(*), $1 FROM n";

#[tokio::test]
async fn a_slow_statement_is_a_warning_with_its_threshold_and_without_its_values() {
    for bench in Bench::every() {
        let (lines, _guard) = listen();
        let db = open(&bench, LogLevel::Warn, Duration::from_millis(1)).await;
        sqlx::query(SLOW).bind("hunter2").fetch_one(&db).await.unwrap();
        sqlx::query(SLOW).bind("hunter2").fetch_all(&db).await.unwrap();
        db.transaction(async |tx| -> Result<(), DbError> {
            sqlx::query(SLOW).bind("hunter2").execute(&mut *tx).await?;
            Ok(())
        })
        .await
        .unwrap();
        let slow = lines.with("WITH RECURSIVE");
        assert_eq!(slow.len(), 3, "{}: {slow:#?}", bench.name);
        for line in slow {
            assert!(line.starts_with("WARN gone_db ") && line.contains("slow statement"), "{line}");
            assert!(line.contains("threshold_ms=1.0") && line.contains("elapsed_ms="), "{line}");
        }
        assert!(lines.with("hunter2").is_empty());
    }
}

#[tokio::test]
async fn a_quick_statement_is_not_logged_at_warn() {
    let (lines, _guard) = listen();
    let db = open(&Bench::memory(), LogLevel::Warn, HOUR).await;
    run(&db, "CREATE TABLE quick (id BIGINT)").await;
    db.transaction(async |tx| -> Result<(), DbError> {
        sqlx::query("INSERT INTO quick (id) VALUES (1)").execute(&mut *tx).await?;
        Ok(())
    })
    .await
    .unwrap();
    assert!(lines.with("gone_db").is_empty(), "{:#?}", lines.with("gone_db"));
    assert!(lines.with("sqlx::query").is_empty(), "{:#?}", lines.with("sqlx::query"));
}

#[tokio::test]
async fn every_statement_is_logged_at_info_once() {
    let (lines, _guard) = listen();
    let db = open(&Bench::memory(), LogLevel::Info, HOUR).await;
    run(&db, "CREATE TABLE each (id BIGINT)").await;
    db.transaction(async |tx| -> Result<(), DbError> {
        sqlx::query("INSERT INTO each (id) VALUES ($1)").bind(4711_i64).execute(&mut *tx).await?;
        Ok(())
    })
    .await
    .unwrap();
    let seen = lines.with("INFO gone_db ");
    let order = ["CREATE TABLE each", "BEGIN", "INSERT INTO each", "COMMIT"];
    assert_eq!(seen.len(), order.len(), "{seen:#?}");
    for (line, sql) in seen.iter().zip(order) {
        assert!(line.contains(sql), "{line}");
    }
    assert!(lines.with("4711").is_empty());
}

#[tokio::test]
async fn a_failed_statement_is_an_error_and_a_violated_constraint_is_not() {
    let (lines, _guard) = listen();
    let db = open(&Bench::memory(), LogLevel::Error, Duration::from_millis(1)).await;
    run(&db, "CREATE TABLE once (id BIGINT PRIMARY KEY)").await;
    for _ in 0..2 {
        let _ = sqlx::query("INSERT INTO once (id) VALUES (1)").execute(&db).await;
    }
    let missing = sqlx::query("SELECT id FROM once WHERE id = 2").fetch_one(&db).await;
    assert!(matches!(missing, Err(sqlx::Error::RowNotFound)));
    sqlx::query("SELEKT 1").execute(&db).await.unwrap_err();
    assert!(sqlx::query("SELEKT 2").fetch_optional(&db).await.is_err());
    let seen = lines.with("gone_db");
    assert_eq!(seen.len(), 2, "{seen:#?}");
    for (line, sql) in seen.iter().zip(["SELEKT 1", "SELEKT 2"]) {
        assert!(line.starts_with("ERROR gone_db ") && line.contains(sql), "{line}");
    }
}

#[tokio::test]
async fn silent_logs_nothing() {
    let (lines, _guard) = listen();
    let db = open(&Bench::memory(), LogLevel::Silent, Duration::from_millis(1)).await;
    sqlx::query(SLOW).bind(1_i64).fetch_one(&db).await.unwrap();
    sqlx::query("SELEKT 1").execute(&db).await.unwrap_err();
    assert!(lines.with("gone_db").is_empty(), "{:#?}", lines.with("gone_db"));
}

#[tokio::test]
async fn the_wait_for_a_connection_is_not_counted_as_a_slow_statement() {
    let (lines, _guard) = listen();
    let db = open(&Bench::memory(), LogLevel::Info, Duration::from_millis(400)).await;
    let mut waiting = Box::pin(sqlx::query("SELECT 'waited'").fetch_all(&db));
    db.transaction(async |_| -> Result<(), DbError> {
        let first = crate::bench::cut(waiting.as_mut(), 1, crate::bench::Cut::AtOnce).await;
        assert!(first.is_none());
        // The statement's clock is the machine's, so this wait is a real one.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    })
    .await
    .unwrap();
    waiting.await.unwrap();
    let seen = lines.with("'waited'");
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert!(seen[0].starts_with("INFO gone_db "), "{seen:#?}");
}
