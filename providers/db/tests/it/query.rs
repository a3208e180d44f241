use gone_db::sqlx::{self, Executor, Row};
use gone_db::{ConstraintKind, DbConfig, DbError, Dialect};
use std::time::Duration;

use crate::bench::{Bench, count, insert, run};

// DB-14
#[tokio::test]
async fn an_injected_handle_answers_queries_from_every_clone() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        insert(&db.clone(), 1).await.expect(bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 1, "{}", bench.name);
        assert_eq!(db.dialect(), Dialect::Sqlite);
    }
}

// DB-15
#[tokio::test]
async fn ping_succeeds_on_an_open_database() {
    for bench in Bench::every() {
        let db = bench.open().await;
        assert!(db.ping().await.is_ok(), "{}", bench.name);
    }
}

// DB-16
#[tokio::test]
async fn the_pool_tells_its_figures() {
    for bench in Bench::every() {
        let db = bench.open().await;
        let max = if bench.name == "memory" { 1 } else { 25 };
        db.transaction(async |_| -> Result<(), DbError> {
            // The connection that `connect` tried may still be on its way back.
            let settled = async {
                while db.stats().connections_in_use != 1 {
                    tokio::task::yield_now().await;
                }
            };
            let settled = tokio::time::timeout(Duration::from_secs(10), settled).await;
            let stats = db.stats();
            settled.unwrap_or_else(|_| panic!("{}: {stats:?}", bench.name));
            assert_eq!(stats.connections_max, max, "{}: {stats:?}", bench.name);
            assert_eq!(
                stats.connections,
                stats.connections_idle + stats.connections_in_use,
                "{}: {stats:?}",
                bench.name
            );
            Ok(())
        })
        .await
        .unwrap();
    }
}

// DB-31
#[tokio::test]
async fn a_row_is_created_read_updated_and_deleted() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let name = "SELECT name FROM items WHERE id = $1";

        let created =
            sqlx::query("INSERT INTO items (id, name) VALUES ($1, $2)").bind(7_i64).bind("first").execute(&db).await;
        assert_eq!(created.unwrap().rows_affected(), 1);
        let read = sqlx::query(name).bind(7_i64).fetch_one(&db).await.unwrap();
        assert_eq!(read.get::<String, _>("name"), "first");

        let updated =
            sqlx::query("UPDATE items SET name = $1 WHERE id = $2").bind("second").bind(7_i64).execute(&db).await;
        assert_eq!(updated.unwrap().rows_affected(), 1);
        let read: String = sqlx::query_scalar(name).bind(7_i64).fetch_one(&db).await.unwrap();
        assert_eq!(read, "second");

        let deleted = sqlx::query("DELETE FROM items WHERE id = $1").bind(7_i64).execute(&db).await;
        assert_eq!(deleted.unwrap().rows_affected(), 1);
        assert!(sqlx::query(name).bind(7_i64).fetch_optional(&db).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn every_kind_of_portable_value_comes_back_as_it_went() {
    for bench in Bench::every() {
        let db = bench.open().await;
        run(&db, "CREATE TABLE kinds (a SMALLINT, b INTEGER, c BIGINT, d REAL, e DOUBLE, f TEXT, g BLOB, h TEXT)")
            .await;
        sqlx::query("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(i16::MIN)
            .bind(i32::MAX)
            .bind(i64::MIN)
            .bind(1.5_f32)
            .bind(f64::MAX)
            .bind("ünï'; DROP TABLE kinds")
            .bind(vec![0_u8, 255])
            .bind(None::<String>)
            .execute(&db)
            .await
            .unwrap();
        let row = sqlx::query("SELECT * FROM kinds").fetch_one(&db).await.unwrap();
        assert_eq!(row.get::<i16, _>("a"), i16::MIN);
        assert_eq!(row.get::<i32, _>("b"), i32::MAX);
        assert_eq!(row.get::<i64, _>("c"), i64::MIN);
        assert_eq!(row.get::<f64, _>("d"), 1.5);
        assert_eq!(row.get::<f64, _>("e"), f64::MAX);
        assert_eq!(row.get::<String, _>("f"), "ünï'; DROP TABLE kinds");
        assert_eq!(row.get::<Vec<u8>, _>("g"), [0, 255]);
        assert_eq!(row.get::<Option<String>, _>("h"), None);
    }
}

#[tokio::test]
async fn many_rows_are_fetched_in_order() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        for id in 0..200 {
            insert(&db, id).await.unwrap();
        }
        let rows = sqlx::query("SELECT id FROM items ORDER BY id").fetch_all(&db).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
        assert_eq!(ids, (0..200).collect::<Vec<_>>(), "{}", bench.name);
    }
}

#[tokio::test]
async fn a_statement_is_prepared_for_its_columns() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        let statement = (&db).prepare(sqlx::SqlStr::from_static("SELECT id, name FROM items")).await.unwrap();
        assert_eq!(sqlx::Statement::columns(&statement).len(), 2);
    }
}

#[tokio::test]
async fn a_violated_constraint_tells_its_kind_and_keeps_its_source() {
    for bench in Bench::every() {
        let db = bench.open_with_items().await;
        run(&db, "CREATE TABLE parts (item BIGINT NOT NULL REFERENCES items (id))").await;
        insert(&db, 1).await.unwrap();
        for (sql, expected) in [
            ("INSERT INTO items (id, name) VALUES (1, 'other')", ConstraintKind::Unique),
            ("INSERT INTO items (id, name) VALUES (2, 'item 1')", ConstraintKind::Unique),
            ("INSERT INTO items (id, name) VALUES (2, NULL)", ConstraintKind::NotNull),
            ("INSERT INTO items (id, name) VALUES (-1, 'x')", ConstraintKind::Check),
            ("INSERT INTO parts (item) VALUES (99)", ConstraintKind::ForeignKey),
        ] {
            let error = DbError::from(sqlx::query(sql).execute(&db).await.unwrap_err());
            assert!(matches!(error, DbError::Constraint { kind, .. } if kind == expected), "{sql}: {error:?}");
            assert_eq!(error.is_unique_violation(), expected == ConstraintKind::Unique, "{sql}");
            let source = std::error::Error::source(&error).and_then(|it| it.downcast_ref::<sqlx::Error>());
            assert!(source.is_some_and(|it| it.as_database_error().is_some()), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_statement_that_makes_no_sense_is_a_query_error() {
    let db = Bench::memory().open().await;
    let error = DbError::from(sqlx::query("SELEKT 1").execute(&db).await.unwrap_err());
    assert!(matches!(error, DbError::Query(_)), "{error:?}");
}

#[tokio::test]
async fn waiting_too_long_for_a_connection_is_a_typed_error() {
    for bench in Bench::every() {
        let config = DbConfig {
            max_connections: 1,
            max_idle_connections: 1,
            // Long enough to open a connection on a busy machine.
            acquire_timeout: Duration::from_millis(500),
            ..bench.config.clone()
        };
        let db = gone_db::Db::connect(&config).await.unwrap();
        db.transaction(async |_| -> Result<(), DbError> {
            let error = db.ping().await.unwrap_err();
            let DbError::AcquireTimeout { stats: Some(stats), .. } = &error else { panic!("{error:?}") };
            assert_eq!((stats.connections_in_use, stats.connections_max), (1, 1));
            assert_eq!(error.to_string(), "no database connection became free in time (1 of 1 in use)");

            let error = DbError::from(sqlx::query("SELECT 1").execute(&db).await.unwrap_err());
            assert!(matches!(error, DbError::AcquireTimeout { .. }), "{error:?}");
            Ok(())
        })
        .await
        .unwrap();
        db.ping().await.expect("free again");
    }
}

#[tokio::test]
async fn no_more_idle_connections_are_kept_than_allowed() {
    let bench = Bench::file();
    let config = DbConfig { max_connections: 8, max_idle_connections: 2, ..bench.config.clone() };
    let db = gone_db::Db::connect(&config).await.unwrap();
    // Eight transactions open at once, none of which takes the write lock for long.
    let readers = (0..8).map(|_| {
        let db = db.clone();
        tokio::spawn(async move { sqlx::query(SLOW).fetch_one(&db).await.map(drop) })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap().unwrap();
    }
    // Those that came back together may have been kept; each further use that comes back alone gives one up. A connection comes back
    // a moment after its query has ended.
    let settled = async {
        loop {
            while db.stats().connections_in_use > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if db.stats().connections <= 2 {
                break;
            }
            db.ping().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), settled).await.expect("two connections at the most");
}

const SLOW: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT COUNT(*) FROM n";
