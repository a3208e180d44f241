use std::time::Duration;

use gone_core::Deadline;
use gone_db::sqlx;
use gone_db::{Db, DbConfig, DbError, Migration};

use crate::bench::{Bench, Cut, count, cut, insert, run};

/// More polls than any of these futures needs when nothing holds it up.
const MOST_POLLS: usize = 40;

async fn one_connection(bench: &Bench) -> Db {
    let config = DbConfig { max_connections: 1, max_idle_connections: 1, ..bench.config.clone() };
    let db = Db::connect(&config).await.unwrap();
    run(&db, "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL)").await;
    run(&db, "CREATE TABLE probes (id BIGINT PRIMARY KEY)").await;
    db
}

async fn insert_in_transaction(db: &Db, id: i64) -> Result<(), DbError> {
    db.transaction(async |tx| {
        sqlx::query("INSERT INTO items (id, name) VALUES ($1, 'x')").bind(id).execute(&mut *tx).await?;
        let _: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM items").fetch_one(&mut *tx).await?;
        Ok(())
    })
    .await
}

/// Drops a transaction after each possible number of polls, and lets the next borrower of the same connection write.
async fn cut_everywhere(bench: &Bench, db: &Db) {
    let mut acknowledged = Vec::new();
    let mut finished = 0;
    for round in 0..10_i64 {
        for polls in 0..MOST_POLLS {
            for how in [Cut::AtOnce, Cut::WhenWoken] {
                let id = (round * MOST_POLLS as i64 + polls as i64) * 2 + matches!(how, Cut::WhenWoken) as i64;
                match cut(insert_in_transaction(db, id), polls, how).await {
                    Some(outcome) => {
                        outcome.unwrap();
                        acknowledged.push(id);
                        finished += 1;
                    }
                    None => assert!(polls < MOST_POLLS - 1, "never finished within {polls} polls"),
                }
                sqlx::query("INSERT INTO probes (id) VALUES ($1)")
                    .bind(id)
                    .execute(db)
                    .await
                    .expect("the next borrower");
            }
        }
    }
    assert!(finished > 0 && finished < 10 * MOST_POLLS * 2, "{}: {finished} finished", bench.name);
    for id in acknowledged {
        let here: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM items WHERE id = $1").bind(id).fetch_one(db).await.unwrap();
        assert_eq!(here, 1, "{}: {id} was acknowledged", bench.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_anywhere_leaves_none_open_and_loses_no_acknowledged_write() {
    let bench = Bench::file();
    let db = one_connection(&bench).await;
    cut_everywhere(&bench, &db).await;
    let (items, probes) =
        (count(&db, "SELECT COUNT(*) FROM items").await, count(&db, "SELECT COUNT(*) FROM probes").await);
    assert_eq!(probes, 10 * MOST_POLLS as i64 * 2);
    assert_eq!(db.stats().connections_max, 1);

    // What a stray transaction held would be gone with its connection.
    let report = db.close(Deadline::after(Duration::from_secs(5))).await;
    assert_eq!(report.still_running, 0);
    let db = bench.open().await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM probes").await, probes);
    assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, items);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_dropped_anywhere_does_not_cost_a_memory_database_its_data() {
    let bench = Bench::memory();
    let db = one_connection(&bench).await;
    cut_everywhere(&bench, &db).await;
    assert_eq!(count(&db, "SELECT COUNT(*) FROM probes").await, 10 * MOST_POLLS as i64 * 2);
}

#[tokio::test]
async fn a_transaction_dropped_inside_its_callback_is_rolled_back() {
    for bench in Bench::every() {
        let db = one_connection(&bench).await;
        let stuck = db.transaction(async |tx| -> Result<(), DbError> {
            sqlx::query("INSERT INTO items (id, name) VALUES (1, 'x')").execute(&mut *tx).await?;
            std::future::pending().await
        });
        tokio::time::timeout(Duration::from_millis(200), stuck).await.unwrap_err();
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 0, "{}", bench.name);
        insert(&db, 2).await.unwrap();
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 1, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_query_dropped_anywhere_gives_its_connection_back() {
    for bench in Bench::every() {
        let db = one_connection(&bench).await;
        let mut finished = false;
        for polls in 0..MOST_POLLS {
            for how in [Cut::AtOnce, Cut::WhenWoken] {
                finished |= cut(count(&db, "SELECT COUNT(*) FROM items"), polls, how).await.is_some();
                finished |= cut(insert(&db, polls as i64), polls, how).await.is_some();
                assert!(count(&db, "SELECT COUNT(*) FROM items").await <= MOST_POLLS as i64, "{}", bench.name);
                run(&db, "DELETE FROM items").await;
            }
        }
        assert!(finished, "{}", bench.name);
    }
}

#[tokio::test]
async fn a_ping_dropped_anywhere_leaves_the_pool_usable() {
    for bench in Bench::every() {
        let db = one_connection(&bench).await;
        for polls in 0..MOST_POLLS {
            for how in [Cut::AtOnce, Cut::WhenWoken] {
                let _ = cut(db.ping(), polls, how).await;
                db.ping().await.expect(bench.name);
            }
        }
        assert_eq!(count(&db, "SELECT COUNT(*) FROM items").await, 0, "{}", bench.name);
    }
}

#[tokio::test]
async fn migrations_whose_caller_is_gone_are_applied_to_the_end() {
    const LIST: [Migration; 2] = [
        Migration::new(1, "first", "CREATE TABLE first (id BIGINT PRIMARY KEY)"),
        Migration::new(2, "second", "CREATE TABLE second (id BIGINT PRIMARY KEY)"),
    ];
    for bench in Bench::every() {
        let db = bench.open().await;
        assert!(cut(db.migrate(&LIST), 1, Cut::AtOnce).await.is_none(), "{}", bench.name);
        // Waits its turn behind the first, and finds nothing left to do.
        db.migrate(&LIST).await.expect(bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM _sqlx_migrations").await, 2, "{}", bench.name);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM second").await, 0, "{}", bench.name);
    }
}

#[tokio::test]
async fn connecting_dropped_anywhere_leaves_a_file_that_can_be_opened() {
    let bench = Bench::file();
    for polls in 0..MOST_POLLS {
        for how in [Cut::AtOnce, Cut::WhenWoken] {
            let _ = cut(Db::connect(&bench.config), polls, how).await;
        }
    }
    bench.open().await.ping().await.unwrap();
}

#[tokio::test]
async fn closing_dropped_half_way_leaves_the_handle_closed() {
    for bench in Bench::every() {
        let db = bench.open().await;
        db.transaction(async |_| -> Result<(), DbError> {
            assert!(cut(db.close(Deadline::after(Duration::from_secs(5))), 1, Cut::AtOnce).await.is_none());
            assert!(db.is_closed());
            Ok(())
        })
        .await
        .expect("what was begun before may end");
        assert!(matches!(db.ping().await, Err(DbError::Closed)), "{}", bench.name);
    }
}
