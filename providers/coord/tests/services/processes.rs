//! Processes that serve and are called, and one of them goes: killed, or in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordConfig, Discovery, ServiceChannel};
use gone_core::Deadline;
use gone_test_bench::{Etcd, Role, Signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::echo::{Served, ask};

const TTL: Duration = Duration::from_secs(2);
const INSTANCES: usize = 3;
const CALLERS: usize = 4;

fn config(url: &str, root: &str) -> CoordConfig {
    CoordConfig { url: url.into(), root: root.to_owned(), ..CoordConfig::default() }
}

fn told(name: &str) -> String {
    std::env::var(name).expect("the first process tells it")
}

/// The part of a process that serves: until SIGTERM, then it leaves in order. Its lines: its instance; that it leaves.
async fn serve() {
    let coord = Coord::connect(&config(&told("URL"), &told("ROOT"))).await.expect("etcd is there");
    let served = Served::start("echo", &told("ID")).await;
    let mut term = signal(SignalKind::terminate()).expect("a signal");
    let _registration = coord.registry().register(served.info.clone(), TTL).await.expect("registered");
    Role::say("serving");
    term.recv().await;
    Role::say("leaving");
    // First this, while the server still answers.
    assert_eq!(coord.registry().withdraw().await, 0);
    served.stop().await;
    let _ = coord.close(Deadline::after(Duration::from_secs(5))).await;
    Role::say("gone");
}

/// Processes that serve, and callers who never rest.
struct Scene {
    /// It keeps the picture and the channel alive.
    _coord: Coord,
    picture: Discovery,
    channel: ServiceChannel,
    processes: BTreeMap<String, Role>,
    calls: Arc<Calls>,
    callers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Calls {
    answered: AtomicU64,
    failed: AtomicU64,
    over: AtomicBool,
}

impl Scene {
    async fn set(test: &str) -> Self {
        let url = format!("etcd://{}", Etcd::shared().await.address());
        let root = format!("/{}-{}", test.replace("::", "-"), std::process::id());
        let coord = Coord::connect(&config(&url, &root)).await.expect("etcd is there");
        let mut processes = BTreeMap::new();
        for number in 0..INSTANCES {
            let id = format!("echo-{number}");
            let environment = [("URL", url.as_str()), ("ROOT", root.as_str()), ("ID", id.as_str())];
            processes.insert(id.clone(), Role::start(test, "server", &environment).expect("a process"));
        }
        for process in processes.values_mut() {
            assert_eq!(process.line(Duration::from_secs(20)).await.expect("it serves"), "serving");
        }
        let picture = coord.registry().discovery("echo").await.expect("followed");
        let channel = coord.registry().channel("echo").await.expect("a channel");
        while channel.stats().instances < INSTANCES {
            sleep(Duration::from_millis(5)).await;
        }
        let calls = Arc::new(Calls::default());
        let caller = || {
            let (calls, channel) = (Arc::clone(&calls), channel.clone());
            tokio::spawn(async move {
                while !calls.over.load(Ordering::SeqCst) {
                    let count = match ask(&channel, "after 1").await {
                        Ok(_) => &calls.answered,
                        Err(status) => {
                            println!("a call failed: {status}");
                            &calls.failed
                        }
                    };
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let callers = (0..CALLERS).map(|_| caller()).collect();
        Self { _coord: coord, picture, channel, processes, calls, callers }
    }

    /// Waits until an instance is called no more.
    async fn until_not_called(&self, id: &str) {
        let shown = || self.picture.instances().list().iter().any(|instance| instance.id == id);
        while shown() || self.channel.stats().instances == INSTANCES {
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn failed(&self) -> u64 {
        self.calls.failed.load(Ordering::SeqCst)
    }

    /// Waits for more answers, so that what was to fail has failed.
    async fn calls_go_on(&self) {
        let before = self.calls.answered.load(Ordering::SeqCst);
        let more = async {
            while self.calls.answered.load(Ordering::SeqCst) < before + 100 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), more).await.expect("calls are answered");
    }

    async fn end(self) {
        self.calls.over.store(true, Ordering::SeqCst);
        for caller in self.callers {
            caller.await.expect("a caller");
        }
        println!("{} calls answered, {:?}", self.calls.answered.load(Ordering::SeqCst), self.channel.stats());
    }
}

/// Kills a process; gives how long it was still called, and how many calls failed.
async fn kill(test: &str) -> (Duration, u64) {
    let scene = Scene::set(test).await;
    scene.calls_go_on().await;
    assert_eq!(scene.failed(), 0);
    let began = Instant::now();
    scene.processes["echo-1"].kill9();
    let limit = Duration::from_secs(60);
    timeout(limit, scene.until_not_called("echo-1")).await.expect("it is called no more");
    let took = began.elapsed();
    let failed = scene.failed();
    scene.calls_go_on().await;
    assert_eq!(scene.failed(), failed, "afterwards no call fails");
    scene.end().await;
    (took, failed)
}

/// Lets a process leave in order; gives how long it was still called.
async fn leave(test: &str) -> Duration {
    let mut scene = Scene::set(test).await;
    scene.calls_go_on().await;
    let mut leaving = scene.processes.remove("echo-1").expect("it was started");
    leaving.signal(Signal::TERM);
    assert_eq!(leaving.line(Duration::from_secs(10)).await.expect("it hears"), "leaving");
    let began = Instant::now();
    timeout(Duration::from_secs(60), scene.until_not_called("echo-1")).await.expect("it is called no more");
    let took = began.elapsed();
    assert_eq!(leaving.line(Duration::from_secs(10)).await.expect("it ends"), "gone");
    scene.calls_go_on().await;
    assert_eq!(scene.failed(), 0, "no call fails");
    scene.end().await;
    took
}

mod etcd {
    use super::*;

    // CRD-R5
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn a_killed_process_is_called_no_more_after_its_ttl() {
        if Role::is("server") {
            return serve().await;
        }
        let (took, failed) = kill("processes::etcd::a_killed_process_is_called_no_more_after_its_ttl").await;
        println!("called for {took:?} more, with a ttl of {TTL:?}; {failed} calls failed");
        assert!(took <= 5 * (TTL + Duration::from_secs(1)), "{took:?}");
        // Each caller had one call under way; those who came after were not let down.
        assert!(failed <= CALLERS as u64, "{failed}");
    }

    // CRD-R5
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn a_process_that_leaves_is_called_no_more_at_once_and_no_call_fails() {
        if Role::is("server") {
            return serve().await;
        }
        let took = leave("processes::etcd::a_process_that_leaves_is_called_no_more_at_once_and_no_call_fails").await;
        println!("called for {took:?} more");
        assert!(took <= Duration::from_secs(2), "{took:?}");
    }

    // CRD-R5
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "full size: cargo xtask soak"]
    async fn full_size_processes_leave_and_are_killed_ten_times() {
        if Role::is("server") {
            return serve().await;
        }
        let test = "processes::etcd::full_size_processes_leave_and_are_killed_ten_times";
        for round in 0..10 {
            let took = leave(test).await;
            println!("round {round}: called for {took:?} after it left");
            assert!(took <= Duration::from_millis(200), "{took:?}");
            let (took, failed) = kill(test).await;
            println!("round {round}: called for {took:?} after it was killed; {failed} calls failed");
            assert!(took <= TTL + Duration::from_secs(1), "{took:?}");
            assert!(failed <= CALLERS as u64, "{failed}");
        }
    }
}
