//! The outage matrix: what becomes of a client whose server is away, for each way of being away and each phase of its life.

use std::fmt;
use std::time::{Duration, Instant};

use crate::{Proxy, Server, Software};

/// A way of being away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are reset, and new ones refused.
    Refused,
    /// Bytes go, and none come through.
    Blackhole,
    /// The server stands still (SIGSTOP).
    Paused,
    /// The server is gone (kill -9).
    Killed,
    /// Its answers come two seconds late.
    Slow,
    /// Its answers are other bytes.
    WrongData,
}

/// A phase in the life of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It connects, while the server is away.
    Start,
    /// It was connected; it is asked for something.
    Call,
    /// It was connected; what it has read is to change.
    Reload,
    /// It was connected, and is closed.
    Stop,
}

const FAULTS: [Fault; 6] =
    [Fault::Refused, Fault::Blackhole, Fault::Paused, Fault::Killed, Fault::Slow, Fault::WrongData];
const PHASES: [Phase; 4] = [Phase::Start, Phase::Call, Phase::Reload, Phase::Stop];

/// What is promised of one phase under one fault.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// The fault.
    pub fault: Fault,
    /// The phase.
    pub phase: Phase,
    /// How the phase ends: the very words that the [`Client`] gives. Where it is a matter of chance, such as whether a request
    /// was on its way when the connection broke, there are several.
    pub ends: &'static [&'static str],
    /// Within what time it has ended.
    pub within: Duration,
}

/// How strictly times are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// A phase may take five times what is promised, and two seconds in any case: for a machine that does other things too.
    Loose,
    /// As promised, but for what it takes to wake a task.
    Exact,
}

impl Times {
    fn ceiling(self, within: Duration) -> Duration {
        match self {
            Self::Exact => within + Duration::from_millis(50),
            Self::Loose => (5 * within).max(Duration::from_secs(2)),
        }
    }
}

/// A client under test. Its phases say in a word or two how they ended; so is an error told by its kind.
#[expect(async_fn_in_trait, reason = "the matrix runs on the task of its test")]
pub trait Client: Sized {
    /// Connects to a server at `127.0.0.1:port`.
    ///
    /// # Errors
    ///
    /// How it failed.
    async fn start(address: &str) -> std::result::Result<Self, String>;

    /// Asks the server for something.
    async fn call(&mut self) -> String;

    /// Changes what the client has read, at the server itself, where that can be reached (`direct`), and says what the client
    /// knows as soon as it knows the change, or after `within`.
    async fn reload(&mut self, direct: Option<&str>, within: Duration) -> String;

    /// Closes it.
    async fn stop(self) -> String;

    /// Waits until all is well on a sound network: before the server goes away, and when it is back.
    async fn recover(&mut self, direct: &str);
}

/// Runs all cells, each with a new client, the faults side by side with a server of its own each, prints what was measured, and
/// checks after each cell that the fault struck, and that the client is well within `recovers` when the server is back.
///
/// A dropped future leaves nothing running.
///
/// # Panics
///
/// If a cell of the twenty-four is missing or stands twice, and with all cells that did not end as they should.
pub async fn outage_matrix<S: Software, C: Client>(
    server: impl AsyncFn() -> Server<S>,
    cells: &[Cell],
    recovers: Duration,
    times: Times,
) {
    for (fault, phase) in FAULTS.iter().flat_map(|fault| PHASES.iter().map(move |phase| (*fault, *phase))) {
        let count = cells.iter().filter(|cell| (cell.fault, cell.phase) == (fault, phase)).count();
        assert_eq!(count, 1, "cells for {fault} at {phase}");
    }
    let of = async |fault: Fault| {
        let server = server().await;
        let mut wrong = Vec::new();
        for cell in cells.iter().filter(|cell| cell.fault == fault) {
            let bench =
                Bench { server: &server, proxy: Proxy::start(&server.address()).expect("a port for the proxy") };
            if let Err(why) = bench.run::<C>(cell, recovers, times).await {
                println!("{} {}: WRONG: {why}", cell.fault, cell.phase);
                wrong.push(format!("{} {}: {why}", cell.fault, cell.phase));
            }
        }
        wrong
    };
    let [a, b, c, d, e, f] = FAULTS;
    let (a, b, c, d, e, f) = tokio::join!(of(a), of(b), of(c), of(d), of(e), of(f));
    let wrong = [a, b, c, d, e, f].concat();
    assert!(wrong.is_empty(), "{} of {} cells are wrong:\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}

/// A server, and the network before it.
struct Bench<'a, S: Software> {
    server: &'a Server<S>,
    proxy: Proxy,
}

impl<S: Software> Bench<'_, S> {
    async fn run<C: Client>(&self, cell: &Cell, recovers: Duration, times: Times) -> std::result::Result<(), String> {
        let address = self.proxy.address();
        let mut client = None;
        if cell.phase != Phase::Start {
            let mut started = C::start(&address).await.map_err(|how| format!("on a sound network it is {how}"))?;
            started.recover(&self.server.address()).await;
            client = Some(started);
        }
        self.strike(cell.fault);
        let begun = Instant::now();
        let (client, ended) = self.live(client, cell).await;
        let took = begun.elapsed();
        let struck = self.has_struck(cell);
        self.heal(cell.fault).await?;
        let back = Instant::now();
        if cell.phase != Phase::Stop {
            let mut client = match client {
                Some(client) => client,
                None => C::start(&address).await.map_err(|how| format!("the server is back, and it is {how}"))?,
            };
            let direct = self.server.address();
            let well = tokio::time::timeout(times.ceiling(recovers), client.recover(&direct)).await;
            well.map_err(|_| format!("not well {:?} after the server is back", back.elapsed()))?;
        }
        println!(
            "{:<10} {:<6} {ended:<24} in {took:<9.1?} of {:?}; well {:.1?} after",
            cell.fault.to_string(),
            cell.phase.to_string(),
            cell.within,
            back.elapsed()
        );
        if !cell.ends.contains(&ended.as_str()) {
            return Err(format!("it is `{ended}` where {:?} is promised", cell.ends));
        }
        if took > times.ceiling(cell.within) {
            return Err(format!("it took {took:?} where {:?} is promised", cell.within));
        }
        if !struck {
            return Err("the fault did not strike".into());
        }
        Ok(())
    }

    /// The phase itself; the client, if there is one afterwards.
    async fn live<C: Client>(&self, client: Option<C>, cell: &Cell) -> (Option<C>, String) {
        match (client, cell.phase) {
            (None, _) => match C::start(&self.proxy.address()).await {
                Ok(client) => (Some(client), "done".to_owned()),
                Err(how) => (None, how),
            },
            (Some(client), Phase::Stop) => (None, client.stop().await),
            (Some(mut client), Phase::Reload) => {
                let is_reached = !matches!(cell.fault, Fault::Paused | Fault::Killed);
                let direct = is_reached.then(|| self.server.address());
                // So that it has said it by then.
                let known = client.reload(direct.as_deref(), cell.within * 9 / 10).await;
                (Some(client), known)
            }
            (Some(mut client), Phase::Start | Phase::Call) => {
                let ended = client.call().await;
                (Some(client), ended)
            }
        }
    }

    fn strike(&self, fault: Fault) {
        match fault {
            Fault::Refused => self.proxy.cut(),
            Fault::Blackhole => self.proxy.blackhole(),
            Fault::Paused => self.server.pause(),
            Fault::Killed => self.server.kill9(),
            Fault::Slow => self.proxy.delay(Duration::from_secs(2)),
            Fault::WrongData => self.proxy.garble(),
        }
    }

    async fn heal(&self, fault: Fault) -> std::result::Result<(), String> {
        match fault {
            Fault::Paused => self.server.resume(),
            Fault::Killed => self.server.start().await.map_err(|error| format!("the server is not back: {error}"))?,
            Fault::Refused | Fault::Blackhole | Fault::Slow | Fault::WrongData => self.proxy.heal(),
        }
        Ok(())
    }

    /// What the proxy does is counted. A server that is stopped or gone is so; nobody counts whom the kernel refuses.
    fn has_struck(&self, cell: &Cell) -> bool {
        let struck = self.proxy.struck();
        match cell.fault {
            Fault::Refused => cell.phase == Phase::Start || struck.cut > 0,
            Fault::Blackhole => struck.blackholed > 0,
            Fault::Slow => struck.delayed > 0,
            Fault::WrongData => struck.garbled > 0,
            Fault::Paused | Fault::Killed => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::Blackhole => "blackhole",
            Self::Paused => "paused",
            Self::Killed => "killed",
            Self::Slow => "slow",
            Self::WrongData => "wrong data",
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Call => "call",
            Self::Reload => "reload",
            Self::Stop => "stop",
        })
    }
}
