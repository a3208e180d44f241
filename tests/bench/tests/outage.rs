//! The matrix itself: a client of Redis that does no more than it must, so that all that is said of it is plain.

use std::time::Duration;

use gone_test_bench::{Cell, Client, Fault, Phase, Redis, Times, outage_matrix};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_millis(500);

/// One connection; a new one when it broke.
struct Plain {
    address: String,
    stream: Option<TcpStream>,
}

impl Plain {
    async fn ask(&mut self) -> Result<(), String> {
        let asked = async {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => TcpStream::connect(&self.address).await?,
            };
            stream.write_all(b"PING\r\n").await?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer).await?;
            std::io::Result::Ok((stream, answer))
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok((stream, answer))) if &answer == b"+PONG\r\n" => {
                self.stream = Some(stream);
                Ok(())
            }
            Ok(Ok(_)) => Err("nonsense".into()),
            Ok(Err(_)) => Err("broken".into()),
            Err(_) => Err("silence".into()),
        }
    }
}

impl Client for Plain {
    async fn start(address: &str) -> Result<Self, String> {
        let mut client = Self { address: address.to_owned(), stream: None };
        client.ask().await.map(|()| client)
    }

    async fn call(&mut self) -> String {
        self.ask().await.err().unwrap_or_else(|| "done".into())
    }

    /// It keeps nothing that could change.
    async fn reload(&mut self, _: Option<&str>, _: Duration) -> String {
        self.call().await
    }

    async fn stop(mut self) -> String {
        self.call().await
    }

    async fn recover(&mut self, _: &str) {
        while self.ask().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whatever the phase, this client does the same.
fn cells() -> Vec<Cell> {
    let ends: [(Fault, &[&str]); 6] = [
        (Fault::Refused, &["broken"]),
        (Fault::Blackhole, &["silence"]),
        (Fault::Paused, &["silence"]),
        (Fault::Killed, &["broken"]),
        (Fault::Slow, &["silence"]),
        (Fault::WrongData, &["nonsense"]),
    ];
    let phases = [Phase::Start, Phase::Call, Phase::Reload, Phase::Stop];
    let cell = |fault, ends, phase| Cell { fault, phase, ends, within: PATIENCE };
    ends.into_iter().flat_map(|(fault, ends)| phases.map(|phase| cell(fault, ends, phase))).collect()
}

async fn run(cells: &[Cell]) {
    let server = async || Redis::start().await.unwrap();
    outage_matrix::<Redis, Plain>(server, cells, PATIENCE, Times::Loose).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis: cargo xtask test"]
async fn each_fault_is_what_its_name_says() {
    run(&cells()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis: cargo xtask test"]
#[should_panic = "1 of 24 cells are wrong:\nslow call: it is `silence` where [\"done\"] is promised"]
async fn a_client_that_breaks_its_promise_is_found() {
    let mut cells = cells();
    for cell in cells.iter_mut().filter(|cell| (cell.fault, cell.phase) == (Fault::Slow, Phase::Call)) {
        cell.ends = &["done"];
    }
    run(&cells).await;
}

#[tokio::test]
#[should_panic = "cells for wrong data at stop"]
async fn a_cell_that_is_missing_is_found() {
    run(&cells()[..23]).await;
}
