//! What happens, and in which order: an etcd, a ledger that fences, Alice and Bob.

use std::process::{ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gone_test_bench::Etcd;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::sleep;

use crate::holder::{ABOUT_TO_WRITE, TTL};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(crate) fn tell() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(story()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether it ended as it should.
async fn story() -> Result<bool> {
    let etcd = Etcd::new().start().await?;
    let ledger = Ledger::open().await?;
    let url = format!("etcd://{}", etcd.address());
    let begun = Instant::now();
    say(
        begun,
        "",
        &format!("the lock lasts {TTL:?} without being renewed; the ledger takes no number below one it has seen"),
    );

    let mut alice = Person::start("alice", &url, &ledger.address, begun)?;
    while alice.next().await?.is_some_and(|line| line != ABOUT_TO_WRITE) {}
    alice.signal("STOP").await?;
    say(begun, "", "Alice's process is stopped, as a machine that is paused or swaps stops it");

    say(begun, "", "Bob wants the lock, too, and waits");
    let mut bob = Person::start("bob", &url, &ledger.address, begun)?;
    while bob.next().await?.is_some() {}

    sleep((3 * TTL).saturating_sub(begun.elapsed())).await;
    say(begun, "", "Alice's process goes on where it was stopped: she has looked, and writes");
    alice.signal("CONT").await?;
    while alice.next().await?.is_some() {}

    let writes = ledger.writes.lock().map_err(|_| "the ledger has panicked")?.clone();
    println!("\nthe ledger: {}", writes.join(", "));
    Ok(writes == ["alice", "bob"])
}

fn say(begun: Instant, who: &str, what: &str) {
    println!("{:5.2} s  {who:5}  {what}", begun.elapsed().as_secs_f64());
}

/// One of the two, seen from here.
struct Person {
    name: &'static str,
    begun: Instant,
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Person {
    fn start(name: &'static str, etcd: &str, ledger: &str, begun: Instant) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(name)
            .env("GONE_COORD__URL", etcd)
            .env("GONE_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fenced_lock"))
            .env("LEDGER", ledger)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("it has no output")?;
        Ok(Self { name, begun, process, lines: BufReader::new(stdout).lines() })
    }

    /// The next thing that happens to them; it is printed. `None`: they are done.
    async fn next(&mut self) -> Result<Option<String>> {
        let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await??;
        if let Some(line) = &line {
            say(self.begun, self.name, line);
        }
        Ok(line)
    }

    async fn signal(&self, signal: &str) -> Result<()> {
        let process = self.process.id().ok_or("it has ended")?;
        let done = Command::new("sh").arg("-c").arg(format!("kill -{signal} {process}")).status().await?;
        done.success().then_some(()).ok_or_else(|| "kill has failed".into())
    }
}

/// A store that keeps the highest number it has seen, and refuses a write with a lower one.
struct Ledger {
    address: String,
    writes: Arc<Mutex<Vec<String>>>,
}

impl Ledger {
    async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let ledger = Self { address: listener.local_addr()?.to_string(), writes: Arc::default() };
        let (writes, mut highest) = (ledger.writes.clone(), 0);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                let _ = stream.read_line(&mut line).await;
                let Some((fencing, name)) = line.trim().split_once(' ') else { continue };
                let Ok(fencing) = fencing.parse::<u64>() else { continue };
                let answer = match fencing < highest {
                    true => format!("REFUSED, {highest} was here\n"),
                    false => {
                        highest = fencing;
                        writes.lock().expect("nobody panics with it").push(name.to_owned());
                        "taken\n".to_owned()
                    }
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Ok(ledger)
    }
}
