//! An etcd that dies and comes back, under processes that are registered and look each other up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordConfig, Discovery, Registration, RegistrationStatus, ServiceEvent, ServiceInfo};
use gone_test_bench::{Etcd, Server};
use tokio::time::{sleep, timeout};

/// Over how long those who register again are spread.
const JITTER: Duration = Duration::from_secs(1);

async fn connect(server: &Server<Etcd>) -> Coord {
    let config = CoordConfig { url: format!("etcd://{}", server.address()).into(), ..CoordConfig::default() };
    Coord::connect(&config).await.expect("etcd is there")
}

async fn register(coord: &Coord, count: u16, ttl: Duration) -> Vec<Registration> {
    let mut registrations = Vec::new();
    for number in 1..=count {
        let info = ServiceInfo::new("users", format!("users-{number:03}"), "10.0.0.7", number);
        registrations.push(coord.registry().register(info, ttl).await.expect("registered"));
    }
    registrations
}

fn all(registrations: &[Registration], status: RegistrationStatus) -> bool {
    registrations.iter().all(|registration| registration.status() == status)
}

async fn until(what: &str, within: Duration, reached: impl Fn() -> bool) {
    let reached = async {
        while !reached() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(within, reached).await.unwrap_or_else(|_| panic!("{what}: not within {within:?}"));
}

/// A thread that looks an instance up all the time; gives how often it did, if it always found one.
fn look_up(picture: &Discovery, over: &Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    let (picture, over) = (picture.clone(), Arc::clone(over));
    std::thread::spawn(move || {
        let mut times = 0;
        while !over.load(Ordering::SeqCst) {
            assert!(picture.pick().is_some(), "nothing was found after {times} times");
            times += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
        times
    })
}

/// Kills etcd for a while; gives how long after its return all registrations were back.
async fn outlive(away: Duration, ttl: Duration) -> Duration {
    let server = Etcd::new().start().await.expect("etcd");
    let (ours, peer) = (connect(&server).await, connect(&server).await);
    let registrations = register(&ours, 3, ttl).await;
    let picture = peer.registry().discovery("users").await.expect("followed");
    assert_eq!(picture.instances().list().len(), 3);
    let over = Arc::new(AtomicBool::new(false));
    let looking = look_up(&picture, &over);

    server.kill9();
    let killed = Instant::now();
    until("the loss is noticed", ttl + Duration::from_secs(3), || all(&registrations, RegistrationStatus::Restoring))
        .await;
    sleep(away.saturating_sub(killed.elapsed())).await;
    let status = picture.status();
    println!("while etcd is away: {status:?}");
    assert!(!status.connected && status.age > Duration::ZERO);
    assert_eq!(peer.registry().stats().services_stale, 1);
    assert_eq!(ours.registry().stats().registrations_missing, 3);

    server.start().await.expect("etcd is back");
    let back = Instant::now();
    until("all are registered again", Duration::from_secs(30), || all(&registrations, RegistrationStatus::Registered))
        .await;
    let took = back.elapsed();
    // The picture is heard again, and what it shows is what is stored: each once, under the new session.
    until("the picture is heard", Duration::from_secs(10), || picture.status().connected).await;
    sleep(2 * ttl).await;
    assert!(all(&registrations, RegistrationStatus::Registered), "they stay, as what is left of the old session ends");
    let stored: Vec<_> =
        peer.registry().discover("users").await.expect("etcd answers").into_iter().map(|it| it.port).collect();
    assert_eq!(stored, [1, 2, 3]);
    let shown: Vec<_> = picture.instances().list().iter().map(|it| it.port).collect();
    assert_eq!(shown, stored);
    let stats = ours.registry().stats();
    assert_eq!((stats.registrations_lost, stats.registrations_restored, stats.registrations_missing), (3, 3, 0));
    over.store(true, Ordering::SeqCst);
    println!("looked up {} times, and always found", looking.join().expect("always found"));
    took
}

mod etcd {
    use super::*;

    // CRD-R4
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn discovery_answers_while_etcd_is_dead_and_registrations_come_back_with_it() {
        let took = outlive(Duration::from_secs(3), Duration::from_secs(2)).await;
        println!("registered again {took:?} after etcd was back");
        assert!(took <= 5 * (Duration::from_secs(2) + JITTER), "{took:?}");
    }

    // CRD-R4
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "full size: cargo xtask soak"]
    async fn full_size_discovery_answers_while_etcd_is_dead_for_ten_seconds() {
        for round in 0..5 {
            let took = outlive(Duration::from_secs(10), Duration::from_secs(5)).await;
            println!("round {round}: registered again {took:?} after etcd was back");
            assert!(took <= Duration::from_secs(2) + JITTER, "{took:?}");
        }
    }

    // REG-20
    // REG-21
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn a_hundred_who_lost_their_session_come_back_spread_and_under_one_session() {
        let ttl = Duration::from_secs(2);
        let server = Etcd::new().start().await.expect("etcd");
        let (ours, peer) = (connect(&server).await, connect(&server).await);
        let registrations = register(&ours, 100, ttl).await;
        let mut events = peer.registry().watch("users").await.expect("watched");
        server.kill9();
        until("the loss is noticed", ttl + Duration::from_secs(3), || {
            all(&registrations, RegistrationStatus::Restoring)
        })
        .await;
        server.start().await.expect("etcd is back");
        let mut back = Vec::new();
        while back.len() < 100 {
            match timeout(Duration::from_secs(20), events.next()).await.expect("they come back").expect("open") {
                ServiceEvent::Put(info) => back.push((info.port, Instant::now())),
                other => panic!("a key was gone between: {other:?}"),
            }
        }
        let spread = back[99].1 - back[0].1;
        let busiest = back
            .iter()
            .map(|(_, at)| {
                back.iter().filter(|(_, other)| *other >= *at && *other - *at < Duration::from_millis(100)).count()
            })
            .max();
        println!("a hundred came back within {spread:?}, at most {busiest:?} of them in 100 ms");
        assert!(spread >= Duration::from_millis(300) && busiest.is_some_and(|busiest| busiest < 70), "{spread:?}");
        until("all are registered", Duration::from_secs(10), || all(&registrations, RegistrationStatus::Registered))
            .await;
        assert_eq!(ours.stats().sessions, 1);
        let mut ports: Vec<_> = back.iter().map(|(port, _)| *port).collect();
        ports.sort_unstable();
        assert!(ports.into_iter().eq(1..=100), "each of them once");
    }
}
