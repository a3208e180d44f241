//! One of the two who want the lock: a process of its own, and a Gone application.

use std::process::ExitCode;
use std::time::Duration;

use gone::coord::Coord;
use gone::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How long the lock lasts without being renewed.
pub(crate) const TTL: Duration = Duration::from_secs(2);

/// What Alice says when she has looked at her lock for the last time before she writes.
pub(crate) const ABOUT_TO_WRITE: &str = "has looked: the lock is hers. She begins to write";

pub(crate) fn hold(name: &str) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(Gone::load(gone::coord::module).run(async |coord: Coord| work(name, coord).await)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn work(name: &str, coord: Coord) -> gone::Result<()> {
    let lock = coord.lock().acquire("ledger", TTL).await?;
    println!("has the lock, with the number {}", lock.fencing());
    write(name, lock.fencing()).await?;
    if name == "bob" {
        lock.unlock().await?;
        println!("gives the lock back");
        return Ok(());
    }
    lock.check()?;
    println!("{ABOUT_TO_WRITE}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    write(name, lock.fencing()).await?;
    match lock.check() {
        Ok(()) => println!("looks again: the lock is still hers"),
        Err(lost) => println!("looks again: {lost}"),
    }
    // What lies in the same store as the lock needs no number: the store itself sees who holds the lock.
    match lock.guarded().set("/ledger/last", name)?.commit().await {
        Ok(_) => println!("writes into etcd, too"),
        Err(refused) => println!("writes into etcd, too: {refused}"),
    }
    Ok(())
}

/// Writes to the ledger: with the number of the lock.
async fn write(name: &str, fencing: u64) -> gone::Result<()> {
    let mut ledger = BufReader::new(TcpStream::connect(std::env::var("LEDGER")?).await?);
    ledger.write_all(format!("{fencing} {name}\n").as_bytes()).await?;
    let mut answer = String::new();
    ledger.read_line(&mut answer).await?;
    println!("writes with {fencing}: {}", answer.trim());
    Ok(())
}
