//! x
use gone_db::{Db, DbConfig, DbError, LogLevel, sqlx};
use std::time::Instant;
use sqlx::Executor;
#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/x.db", dir.path().display());
    let one = DbConfig { url: url.clone(), log_level: LogLevel::Warn, ..Default::default() };
    let db = Db::connect(&one).await.unwrap();
    sqlx::query("CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)").execute(&db).await.unwrap();
    sqlx::query("INSERT INTO t VALUES (1,'x')").execute(&db).await.unwrap();
    let opts = || sqlx::any::AnyPoolOptions::new().after_connect(|c, _| Box::pin(async move { c.execute("PRAGMA synchronous=NORMAL").await?; Ok(()) }));
    let any = opts().connect(&url).await.unwrap();
    const N: u32 = 3000;
    for _ in 0..7 {
        let t = Instant::now();
        for _ in 0..N { sqlx::query("SELECT v FROM t WHERE id=?").bind(1_i64).fetch_one(&db).await.unwrap(); }
        let a = t.elapsed() / N;
        let t = Instant::now();
        for _ in 0..N { sqlx::query("SELECT v FROM t WHERE id=?").bind(1_i64).fetch_one(&any).await.unwrap(); }
        let b = t.elapsed() / N;
        let t = Instant::now();
        for _ in 0..N/3 { db.transaction(async |tx| -> Result<(), DbError> { sqlx::query("UPDATE t SET v='y' WHERE id=1").execute(&mut *tx).await?; Ok(()) }).await.unwrap(); }
        let d = t.elapsed() / (N/3);
        let t = Instant::now();
        for _ in 0..N/3 { let mut tx = any.begin_with("BEGIN IMMEDIATE").await.unwrap(); sqlx::query("UPDATE t SET v='y' WHERE id=1").execute(&mut *tx).await.unwrap(); tx.commit().await.unwrap(); }
        let e = t.elapsed() / (N/3);
        println!("point: db {a:?} any {b:?} | tx: db {d:?} any {e:?} ratio {:.2}", d.as_secs_f64()/e.as_secs_f64());
    }
}
