//! Several members, of which some are down, stand still, or go.

use gone_kit::Outcome;
use gone_test_bench::EtcdCluster;

use super::*;
use crate::CoordError;

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

// CRD-13
#[tokio::test]
async fn where_nobody_listens_opening_fails_and_names_the_address() {
    let addresses = [nobody(), nobody()];
    let begun = Instant::now();
    let failed = Etcd::open(settings(addresses.clone())).await.map(drop).expect_err("nobody is there");
    assert!(begun.elapsed() < 2 * SECOND);
    let text = failed.to_string();
    assert!(matches!(failed, CoordError::Unavailable { outcome: Outcome::NotApplied, .. }), "{failed:?}");
    assert!(addresses.iter().all(|address| text.contains(address)), "{text}");
}

#[tokio::test]
async fn who_does_not_answer_ends_opening_at_the_deadline() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let begun = Instant::now();
    let failed = Etcd::open(Settings { dial_timeout: SECOND, ..settings([address.clone()]) }).await.map(drop);
    assert!(begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    let text = failed.expect_err("nobody answers").to_string();
    assert!(text.contains(&format!("{address}: no answer within 1s")), "{text}");
}

/// The timers of the open connections to a port, by Linux: which one, and when it goes off.
fn timers(port: u16) -> Vec<(u8, Duration)> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let timer = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (_, to) = columns.get(2)?.split_once(':')?;
        let (kind, when) = columns.get(5)?.split_once(':')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        const ESTABLISHED: u64 = 1;
        (number(to)? == u64::from(port) && number(columns.get(3)?)? == ESTABLISHED).then_some(())?;
        Some((u8::try_from(number(kind)?).ok()?, Duration::from_millis(number(when)? * 10)))
    };
    table.lines().filter_map(timer).collect()
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn tcp_asks_after_a_server_that_is_silent() {
    const KEEP_ALIVE: u8 = 2;
    let server = server().await;
    let etcd = open(Settings { keep_alive_time: 100 * SECOND, ..settings([server.url()]) }).await;
    let port = server.address().rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("an address");
    let asks = |(kind, when): &(u8, Duration)| *kind == KEEP_ALIVE && (80 * SECOND..=100 * SECOND).contains(when);
    // etcd has a connection to itself, too.
    until(5 * SECOND, async || timers(port).iter().any(asks)).await;
    let _ = close(&etcd).await;
    until(5 * SECOND, async || !timers(port).iter().any(asks)).await;
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn one_dead_endpoint_blocks_no_start() {
    let server = server().await;
    let (silent, silent_url) = proxied(&server);
    silent.blackhole();
    for endpoints in [[nobody(), silent_url.clone(), server.url()], [server.url(), silent_url, nobody()]] {
        // Whom it asks first is drawn by chance.
        for _ in 0..5 {
            let begun = Instant::now();
            let etcd = open(settings(endpoints.clone())).await;
            etcd.commit("put", put("/a", "1")).await.unwrap();
            assert!(begun.elapsed() < 2 * SECOND, "{:?}", begun.elapsed());
            let _ = close(&etcd).await;
        }
    }
}

/// Reads, writes and a session while each member in turn is away.
async fn members_go(
    away: impl AsyncFn(&Server<gone_test_bench::Etcd>),
    back: impl AsyncFn(&Server<gone_test_bench::Etcd>),
) {
    let cluster = EtcdCluster::start(3, gone_test_bench::Etcd::new()).await.expect("a cluster");
    let urls: [String; 3] = cluster.urls().try_into().expect("three members");
    let etcd = open(Settings { request_timeout: 5 * SECOND, ..settings(urls) }).await;
    let session = etcd.open_session(10 * SECOND).await.unwrap();
    etcd.commit("put", put_under("/held", "x", session.id)).await.unwrap();
    let (mut reads, mut writes, mut unknown, mut longest) = (0, 0, 0, Duration::ZERO);
    for member in cluster.members() {
        away(member).await;
        let begun = Instant::now();
        while begun.elapsed() < 4 * SECOND {
            let asked = Instant::now();
            assert!(etcd.get("/held").await.expect("another member answers").is_some());
            longest = longest.max(asked.elapsed());
            reads += 1;
            match etcd.commit("put", put("/a", "1")).await {
                Ok(_) => writes += 1,
                Err(error) if error.outcome() == Outcome::Unknown => unknown += 1,
                Err(error) => panic!("what was not applied is tried again: {error:?}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        back(member).await;
        until(10 * SECOND, async || cluster.leader().await.is_some()).await;
        // The next one goes when this one has caught up.
        tokio::time::sleep(SECOND).await;
    }
    println!("{reads} reads, the longest {longest:?}; {writes} writes, {unknown} of unknown outcome");
    assert!(session.keeper.session().is_held());
    assert!(close(&etcd).await.is_clean());
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_member_that_is_killed_is_left_for_another() {
    members_go(async |member| member.kill9(), async |member| member.start().await.expect("it starts again")).await;
}

#[tokio::test]
#[ignore = "needs etcd: cargo xtask test"]
async fn a_member_that_stands_still_is_left_for_another() {
    members_go(async |member| member.pause(), async |member| member.resume()).await;
}
