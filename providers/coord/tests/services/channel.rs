//! A channel over the live instances of a service.

use std::collections::BTreeMap;
use std::time::Duration;

use gone_coord::{ChannelOptions, OutlierPolicy, Registration, ServiceChannel, ServiceInfo};
use gone_test_bench::Proxy;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::At;
use crate::at::soon;
use crate::echo::{Asked, Served, ask};

const TTL: Duration = Duration::from_secs(5);

/// Serves and registers an instance of `echo`.
async fn serve(at: &At, id: &str) -> (Served, Registration) {
    let served = Served::start("echo", id).await;
    let registration = at.coord.registry().register(served.info.clone(), TTL).await.expect("registered");
    (served, registration)
}

/// Waits until the channel has so many instances.
async fn instances(channel: &ServiceChannel, count: usize) {
    let there = async {
        while channel.stats().instances != count {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the instances", there).await;
}

/// Who answers so many calls, one after the other.
async fn answers(channel: &ServiceChannel, calls: usize) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for _ in 0..calls {
        *answers.entry(ask(channel, "who").await.expect("an answer")).or_default() += 1;
    }
    answers
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.map(|(name, count)| (name.to_owned(), count)).into()
}

// REG-14
pub(crate) async fn calls_take_turns_and_follow_who_comes_and_goes(at: At) {
    let peer = at.other().await;
    let channel = peer.registry().channel("echo").await.unwrap();
    let (_one, _first) = serve(&at, "one").await;
    let (two, second) = serve(&at, "two").await;
    instances(&channel, 2).await;
    assert_eq!(answers(&channel, 100).await, counts([("one", 50), ("two", 50)]));
    let (_three, _third) = serve(&at, "three").await;
    instances(&channel, 3).await;
    assert_eq!(answers(&channel, 90).await, counts([("one", 30), ("three", 30), ("two", 30)]));
    second.unregister().await.unwrap();
    instances(&channel, 2).await;
    two.stop().await;
    assert_eq!(answers(&channel, 100).await, counts([("one", 50), ("three", 50)]));
    let stats = channel.stats();
    assert_eq!((stats.calls, stats.failures, stats.moved), (290, 0, 0));
}

// REG-15
pub(crate) async fn without_an_instance_a_call_is_unavailable_at_once(at: At) {
    let channel = at.coord.registry().channel("echo").await.unwrap();
    let began = Instant::now();
    let status = ask(&channel, "who").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "no instance of `echo` is registered"));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let (_one, _first) = serve(&at, "one").await;
    // Whoever asks for it gets the same channel.
    let same = at.coord.registry().channel("echo").await.unwrap();
    instances(&same, 1).await;
    assert_eq!(answers(&same, 2).await, counts([("one", 2)]));
    assert_eq!(channel.stats(), same.stats());
    assert_eq!(channel.stats().calls, 3);
}

// REG-16
pub(crate) async fn a_call_that_reached_nobody_is_given_to_another_instance(at: At) {
    let (_one, _first) = serve(&at, "one").await;
    let (_two, _second) = serve(&at, "two").await;
    // A port that nobody listens on, and stays so.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    let dead = ServiceInfo::new("echo", "dead", "127.0.0.1", port);
    let _dead = at.coord.registry().register(dead, TTL).await.unwrap();
    let channel = at.coord.registry().channel("echo").await.unwrap();
    instances(&channel, 3).await;
    let answers = answers(&channel, 200).await;
    assert_eq!(answers.values().sum::<usize>(), 200, "{answers:?}");
    let stats = channel.stats();
    println!("{stats:?}");
    // Five times, then it is left out.
    assert!(stats.moved >= 5 && stats.moved == stats.failures, "{stats:?}");
    assert!(stats.ejections >= 1 && stats.moved < 60, "{stats:?}");
}

// REG-17
pub(crate) async fn an_instance_that_fails_is_left_out_for_a_while_and_comes_back(at: At) {
    let (one, _first) = serve(&at, "one").await;
    let (two, _second) = serve(&at, "two").await;
    let mut policy = OutlierPolicy::default();
    policy.base_ejection = Duration::from_millis(300);
    let options = ChannelOptions::default().outliers(policy);
    let channel = at.coord.registry().channel_with("echo", options).await.unwrap();
    instances(&channel, 2).await;
    // An answer that says that the request was wrong is none of the instance's faults.
    for _ in 0..20 {
        assert_eq!(ask(&channel, "internal").await.unwrap_err().code(), Code::Internal);
    }
    assert_eq!((channel.stats().failures, channel.stats().ejected), (0, 0));
    let mut refused = 0;
    while channel.stats().ejected == 0 {
        refused += usize::from(ask(&channel, "unavailable of two").await.is_err());
        assert!(refused <= 5, "it should be left out by now");
    }
    assert_eq!(refused, 5, "an answer is an answer: the call may have been carried out, and is not tried again");
    let (before, began) = (two.calls(), Instant::now());
    assert_eq!(answers(&channel, 50).await, counts([("one", 50)]));
    assert_eq!(two.calls(), before);
    // The other one is the half that stays, however it fails.
    for _ in 0..20 {
        ask(&channel, "unavailable of one").await.unwrap_err();
    }
    assert_eq!(channel.stats().ejected, 1);
    let back = async {
        while ask(&channel, "who").await.unwrap() != "two" {
            sleep(Duration::from_millis(5)).await;
        }
    };
    soon("its coming back", back).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
    assert!(one.calls() > 0);
}

// REG-18
pub(crate) async fn a_call_that_was_begun_on_an_instance_that_goes_is_answered(at: At) {
    let (one, first) = serve(&at, "one").await;
    let channel = at.coord.registry().channel("echo").await.unwrap();
    instances(&channel, 1).await;
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, "after 300").await }
    });
    while one.calls() == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    first.unregister().await.unwrap();
    instances(&channel, 0).await;
    one.stop().await;
    assert_eq!(slow.await.unwrap().unwrap(), "one");
}

// REG-18
pub(crate) async fn a_call_that_was_carried_out_is_not_tried_again(at: At) {
    let (mut served, mut networks, mut registrations) = (Vec::new(), Vec::new(), Vec::new());
    for id in ["one", "two"] {
        let one = Served::start("echo", id).await;
        let network = Proxy::start(&one.info.authority().to_string()).unwrap();
        let port = network.address().rsplit(':').next().unwrap().parse().unwrap();
        let info = ServiceInfo::new("echo", id, "127.0.0.1", port);
        registrations.push(at.coord.registry().register(info, TTL).await.unwrap());
        served.push(one);
        networks.push(network);
    }
    let calls = || served.iter().map(Served::calls).sum::<u64>();
    let channel = at.coord.registry().channel("echo").await.unwrap();
    instances(&channel, 2).await;
    answers(&channel, 2).await;
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, "after 10000").await }
    });
    while calls() < 3 {
        sleep(Duration::from_millis(5)).await;
    }
    networks.iter().for_each(Proxy::reset);
    let status = soon("the end of the call", slow).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!((calls(), channel.stats().moved), (3, 0));
}

pub(crate) async fn a_channel_of_ones_own_ends_with_its_last_clone(at: At) {
    let (one, _first) = serve(&at, "one").await;
    let channel = at.coord.registry().channel_with("echo", ChannelOptions::default()).await.unwrap();
    instances(&channel, 1).await;
    let clone = channel.clone();
    drop(channel);
    assert_eq!(answers(&clone, 1).await, counts([("one", 1)]));
    drop(clone);
    // A server that stops waits for its clients to go.
    soon("the end of the connection", one.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_a_call_costs_little_more_than_on_a_plain_channel() {
    let at = At::memory("cost").await;
    let (one, _first) = serve(&at, "one").await;
    let channel = at.coord.registry().channel("echo").await.unwrap();
    instances(&channel, 1).await;
    let plain = ChannelOptions::plain(&one.info).unwrap().connect().await.unwrap();
    // One call of each in turn, so that what else the machine does strikes all alike.
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..20_000 {
        times[0].push(took(&channel).await);
        times[1].push(took(&plain).await);
        times[2].push(took(&plain).await);
    }
    let [ours, theirs, again] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let same = again.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "a call takes {ours:?}, on a plain channel {theirs:?}: {ratio:.3} times; the plain one against itself {same:.3}"
    );
    match (same - 1.0).abs() <= 0.05 {
        true => assert!(ratio <= 1.05, "{ratio:.3}"),
        false => println!("undecided: the plain one differs from itself by more than the margin"),
    }
}

/// How long a call takes.
async fn took(channel: &impl Asked) -> Duration {
    let began = Instant::now();
    ask(channel, "who").await.unwrap();
    began.elapsed()
}
