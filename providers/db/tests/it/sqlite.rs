//! What is SQLite's own: files, folders, journal, memory.

use std::time::Duration;

use gone_core::Deadline;
use gone_db::sqlx::{self, Row};
use gone_db::{Db, DbConfig, DbError, LogLevel};

use crate::bench::{Bench, count, insert, run};

fn at(url: String) -> DbConfig {
    DbConfig { url: url.into(), log_level: LogLevel::Silent, ..DbConfig::default() }
}

#[tokio::test]
async fn a_missing_file_is_created_with_its_parent_folders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b c/100%?#.db");
    let encoded = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    let db = Db::connect(&at(format!("sqlite:{encoded}"))).await.unwrap();
    run(&db, "CREATE TABLE t (id BIGINT)").await;
    let _ = db.close(Deadline::after(Duration::from_secs(5))).await;
    assert!(path.is_file());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "one file, its journal folded in");
}

#[tokio::test]
async fn a_relative_path_starts_at_the_working_directory() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    let db = Db::connect(&at(format!("sqlite:{name}/deep/x.db"))).await.unwrap();
    db.ping().await.unwrap();
    assert!(std::env::current_dir().unwrap().join(&name).join("deep/x.db").is_file());
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_through_a_link_and_dots_means_the_same_file_every_time() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("real/inner")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("real/inner"), folder.path().join("link")).unwrap();
    let db = Db::connect(&at(format!("sqlite:{}/link/../x.db", folder.path().display()))).await.unwrap();
    run(&db, "CREATE TABLE t (id BIGINT)").await;
    assert!(folder.path().join("real/x.db").is_file());
    assert!(!folder.path().join("x.db").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_created_is_an_error_that_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("taken"), "a file").unwrap();
    let path = folder.path().join("taken/x.db");
    let error = Db::connect(&at(format!("sqlite:{}", path.display()))).await.unwrap_err();
    assert!(matches!(error, DbError::CreateFolder { .. }), "{error:?}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_that_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    // A folder is no file; and a file that must exist does not.
    for path in [folder.path().display().to_string(), format!("{}/none.db?mode=rw", folder.path().display())] {
        let error = Db::connect(&at(format!("sqlite:{path}"))).await.unwrap_err();
        assert!(matches!(error, DbError::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains(path.split('?').next().unwrap()), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was created");
}

#[tokio::test]
async fn connections_have_wal_foreign_keys_and_normal_synchronous() {
    let bench = Bench::file();
    let db = bench.open().await;
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&db).await.unwrap();
    assert_eq!(journal, "wal");
    for (pragma, value) in [("PRAGMA foreign_keys", 1), ("PRAGMA synchronous", 1), ("PRAGMA busy_timeout", 5000)] {
        assert_eq!(count(&db, pragma).await, value, "{pragma}");
    }
}

#[tokio::test]
async fn a_file_opened_read_only_is_read_and_not_written() {
    let bench = Bench::file();
    let writer = bench.open_with_items().await;
    insert(&writer, 1).await.unwrap();
    let reader = Db::connect(&at(format!("{}?mode=ro", bench.config.url.as_str()))).await.unwrap();
    let seen = reader
        .transaction(async |tx| -> Result<i64, DbError> {
            Ok(sqlx::query_scalar("SELECT COUNT(*) FROM items").fetch_one(&mut *tx).await?)
        })
        .await;
    assert_eq!(seen.unwrap(), 1);
    assert!(matches!(insert(&reader, 2).await, Err(DbError::Query(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_many_at_once() {
    let bench = Bench::file();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let config = bench.config.clone();
            tokio::spawn(async move { Db::connect(&config).await?.ping().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn each_memory_handle_has_a_database_of_its_own() {
    let (one, other) = (Bench::memory().open_with_items().await, Bench::memory().open().await);
    insert(&one, 1).await.unwrap();
    assert!(sqlx::query("SELECT * FROM items").fetch_all(&other).await.is_err());
}

#[tokio::test]
async fn a_memory_database_outlives_every_age_limit() {
    let bench = Bench::memory();
    let second = Duration::from_secs(1);
    let config =
        DbConfig { idle_timeout: second, max_lifetime: second, max_idle_connections: 0, ..bench.config.clone() };
    let db = Db::connect(&config).await.unwrap();
    run(&db, "CREATE TABLE t (id BIGINT)").await;
    // The pool reads the machine's clock, so this second is a real one.
    tokio::time::sleep(second + Duration::from_millis(300)).await;
    for _ in 0..3 {
        assert_eq!(count(&db, "SELECT COUNT(*) FROM t").await, 0);
    }
    assert_eq!(db.stats().connections_max, 1);
}

#[tokio::test]
async fn a_memory_database_serves_many_callers_in_turn() {
    let db = Bench::memory().open_with_items().await;
    let tasks: Vec<_> = (0..50)
        .map(|id| {
            let db = db.clone();
            tokio::spawn(async move { insert(&db, id).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 50);
}

#[tokio::test]
async fn the_limits_that_the_first_page_names_are_errors_and_no_worse() {
    let db = Bench::memory().open().await;
    run(&db, "CREATE TABLE t (id INTEGER PRIMARY KEY, declared BOOLEAN, plain INTEGER)").await;
    let inserted = sqlx::query("INSERT INTO t (declared, plain) VALUES (?, ?) RETURNING id")
        .bind(true)
        .bind(true)
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(inserted.get::<i64, _>("id"), 1);

    let declared = sqlx::query("SELECT declared FROM t").fetch_one(&db).await;
    assert!(matches!(declared, Err(sqlx::Error::ColumnDecode { .. })), "{:?}", declared.err());
    assert_eq!(count(&db, "SELECT plain FROM t").await, 1);
    let done = sqlx::query("INSERT INTO t (plain) VALUES (2)").execute(&db).await.unwrap();
    assert_eq!(done.last_insert_id(), None);
}
