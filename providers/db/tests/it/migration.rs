use gone_db::sqlx::migrate::MigrateError;
use gone_db::{DbError, Migration};

use crate::bench::{Bench, count, insert};

const FIRST: Migration = Migration::new(1, "items", "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL)");
const SECOND: Migration = Migration::new(
    2,
    "orders",
    "CREATE TABLE orders (id BIGINT PRIMARY KEY, item BIGINT NOT NULL REFERENCES items (id));
     CREATE INDEX orders_by_item ON orders (item)",
);

// DB-22
#[tokio::test]
async fn a_migration_creates_its_table() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.migrate(&[FIRST]).await.expect(bench.name);
        insert(&db, 1).await.expect(bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 1, "{}", bench.name);
    }
}

// DB-23
#[tokio::test]
async fn a_second_migration_is_added_to_the_first() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.migrate(&[FIRST]).await.expect(bench.name);
        insert(&db, 1).await.unwrap();
        db.migrate(&[SECOND, FIRST]).await.expect(bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 1, "{}: kept", bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM orders").await, 0, "{}: created", bench.name);
    }
}

#[tokio::test]
async fn a_list_that_lacks_what_was_applied_is_no_fault() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.migrate(&[FIRST]).await.expect(bench.name);
        db.migrate(&[SECOND]).await.expect(bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM orders").await, 0, "{}", bench.name);
    }
}

#[tokio::test]
async fn an_applied_migration_is_skipped() {
    for bench in Bench::every() {
        let db = bench.open().await;
        for _ in 0..3 {
            db.migrate(&[FIRST, SECOND]).await.expect(bench.name);
        }
        assert_eq!(count(&db, "SELECT COUNT(*) FROM _sqlx_migrations").await, 2, "{}", bench.name);
    }
}

#[tokio::test]
async fn an_applied_migration_with_other_sql_is_an_error_that_names_it() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.migrate(&[FIRST]).await.unwrap();
        let changed = Migration { sql: "CREATE TABLE items (id TEXT)".into(), ..FIRST };
        let error = db.migrate(&[changed]).await.unwrap_err();
        assert_eq!(error.to_string(), "migration 1 (items) failed");
        let DbError::Migration { version: Some(1), source, .. } = error else { panic!("{error:?}") };
        assert!(matches!(source, MigrateError::VersionMismatch(1)), "{source:?}");
        db.ping().await.expect("still usable");
    }
}

#[tokio::test]
async fn a_failing_migration_is_undone_and_those_before_it_stay() {
    for bench in Bench::every() {
        let db = bench.open().await;
        let broken = Migration::new(2, "broken", "CREATE TABLE half (id BIGINT); CREATE TABLE items (id BIGINT)");
        let error = db.migrate(&[FIRST, broken]).await.unwrap_err();
        assert!(
            matches!(&error, DbError::Migration { version: Some(2), name: Some(name), .. } if name == "broken"),
            "{error:?}"
        );
        let half = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'half'";
        assert_eq!(count(&db, half).await, 0, "{}", bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 0, "{}", bench.name);

        db.migrate(&[FIRST, SECOND]).await.expect("the repaired list");
    }
}

#[tokio::test]
async fn a_list_that_uses_a_version_twice_is_refused_before_anything_runs() {
    let db = Bench::memory().open().await;
    let twin = Migration { version: 1, ..SECOND };
    let error = db.migrate(&[FIRST, twin]).await.unwrap_err();
    assert!(matches!(error, DbError::MigrationList { version: 1, .. }), "{error:?}");
    let error = db.migrate(&[Migration { version: 0, ..FIRST }]).await.unwrap_err();
    assert!(matches!(error, DbError::MigrationList { version: 0, .. }), "{error:?}");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM sqlite_master").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_given_at_the_same_time_are_applied_once() {
    for bench in Bench::every() {
        let db = bench.open().await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.migrate(&[FIRST, SECOND]).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().expect(bench.name);
        }
        assert_eq!(count(&db, "SELECT COUNT(*) FROM _sqlx_migrations").await, 2, "{}", bench.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn handles_of_one_file_that_are_given_a_list_at_the_same_time_apply_it_once() {
    let list: Vec<Migration> = (1..=12)
        .map(|version| Migration {
            version,
            name: "table".into(),
            sql: format!("CREATE TABLE t{version} (id BIGINT)").into(),
        })
        .collect();
    for round in 0..10 {
        // As two processes have them: each with a pool and a turn of its own.
        let bench = Bench::file();
        let mut handles = Vec::new();
        for _ in 0..4 {
            handles.push(bench.open().await);
        }
        let tasks: Vec<_> = handles
            .iter()
            .map(|db| {
                let (db, list) = (db.clone(), list.clone());
                tokio::spawn(async move { db.migrate(&list).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        }
        assert_eq!(count(&handles[0], "SELECT COUNT(*) FROM _sqlx_migrations").await, 12);
    }
}
