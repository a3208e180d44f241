//! Many processes that want one lock, of which those that hold it are stopped again and again.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gone_coord::{Coord, CoordError, Lock};
use gone_kit::Outcome;
use gone_test_bench::Role;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::random::Random;
use super::store::{Account, Client, Said, Seen, serve};
use super::{Place, TTL, told};

/// How long a section takes between its beginning and its write.
const WORK: Duration = Duration::from_millis(5);

/// How often a holder is stopped, as long as there is time; it stays so for three ttls.
const STRIKES: Duration = Duration::from_secs(2);

/// How much is done at least: sections by each contender, and time.
#[derive(Clone, Copy)]
struct Size {
    contenders: usize,
    sections: usize,
    time: Duration,
}

/// One of the processes.
async fn contend() {
    let (place, number) = (Place::told(), told("NUMBER").parse().unwrap());
    let (sections, seconds) = (told("SECTIONS").parse::<usize>().unwrap(), told("SECONDS").parse().unwrap());
    let coord = place.connect().await;
    let mut store = Client::connect(&told("STORE"), number).await;
    let (mut account, mut done, begun) = (Account::default(), 0, Instant::now());
    while done < sections || begun.elapsed() < Duration::from_secs(seconds) {
        match coord.lock().acquire("a", TTL).await {
            Ok(lock) => section(&coord, &mut store, lock, &mut account).await,
            // Its session has ended while it waited, as it may where so many share two cores.
            Err(_) => {
                account.failed += 1;
                continue;
            }
        }
        done += 1;
    }
    store.say(Said::Done(account)).await;
}

/// What is done under the lock: the fenced store is written to, and a count in etcd goes up by one.
async fn section(coord: &Coord, store: &mut Client, lock: Lock, account: &mut Account) {
    let fencing = lock.fencing();
    store.say(Said::Open(fencing)).await;
    let count = match coord.config().get::<u64>("/count").await {
        Ok(count) => count,
        Err(CoordError::NotFound { .. }) => 0,
        Err(_) => {
            account.failed += 1;
            store.say(Said::Close(fencing)).await;
            return;
        }
    };
    sleep(WORK).await;
    // Nothing is asked of the lock here: this is the step that was begun before its holder was stopped.
    if !store.say(Said::Write(fencing)).await && lock.is_held() {
        store.say(Said::Fault(fencing)).await;
    }
    let written = async { lock.guarded().set("/count", &(count + 1))?.commit().await };
    match written.await {
        Ok(_) => account.written += 1,
        Err(CoordError::Lost { .. }) => {
            account.refused += 1;
            if lock.is_held() {
                store.say(Said::Fault(fencing)).await;
            }
        }
        Err(error) if error.outcome() == Outcome::Unknown => account.unknown += 1,
        Err(_) => account.failed += 1,
    }
    store.say(Said::Close(fencing)).await;
    let _ = lock.unlock().await;
}

async fn compete(test: &str, size: Size) {
    if Role::is("contender") {
        return contend().await;
    }
    let random = Random::printed();
    let place = Place::new(test).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (opened, mut openings) = mpsc::unbounded_channel();
    let store = serve(seen.clone(), opened).await;
    let (sections, seconds) = (size.sections.to_string(), size.time.as_secs().to_string());
    let contenders: Vec<Arc<Role>> = (0..size.contenders)
        .map(|number| {
            let number = number.to_string();
            let own = [("STORE", store.as_str()), ("NUMBER", &number), ("SECTIONS", &sections), ("SECONDS", &seconds)];
            let environment = [&place.environment()[..], &own].concat();
            Arc::new(Role::start(&format!("etcd::contenders::{test}"), "contender", &environment).unwrap())
        })
        .collect();

    let begun = Instant::now();
    let mut strikes = 0;
    let all_done = async {
        loop {
            // Ended first: who has ended has said so before.
            let ended = contenders.iter().filter(|contender| contender.has_ended()).count();
            let done = seen.lock().unwrap().done.len();
            assert!(ended <= done, "{ended} have ended, {done} in order");
            if done == size.contenders {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let striking = async {
        while begun.elapsed() < size.time {
            sleep(STRIKES).await;
            while openings.try_recv().is_ok() {}
            let Some(holder) = openings.recv().await else { break };
            sleep(Duration::from_millis(random.below(WORK.as_millis() as u64 / 2))).await;
            seen.lock().unwrap().stop(holder);
            let contender = contenders[holder].clone();
            contender.pause();
            strikes += 1;
            tokio::spawn(async move {
                sleep(3 * TTL).await;
                contender.resume();
            });
        }
        std::future::pending().await
    };
    let patience = 10 * size.time + Duration::from_secs(60);
    let ended = async {
        tokio::select! {
            () = all_done => {}
            () = striking => {}
        }
    };
    timeout(patience, ended).await.expect("they come to an end");

    let took = begun.elapsed();
    let count = place.connect().await.config().get::<u64>("/count").await.unwrap();
    let seen = seen.lock().unwrap();
    let sum = |of: fn(&Account) -> u64| seen.done.iter().map(of).sum::<u64>();
    let (written, refused) = (sum(|it| it.written), sum(|it| it.refused));
    let (unknown, failed) = (sum(|it| it.unknown), sum(|it| it.failed));
    println!(
        "{} contenders, {} sections in {took:.1?}; {strikes} holders were stopped; fenced store: {} writes accepted, {} stale \
         ones came and were refused; guarded writes: {written} done, {refused} refused, {unknown} unknown; {failed} failed",
        size.contenders, seen.sections, seen.accepted, seen.stale
    );
    assert_eq!(seen.faults, Vec::<String>::new());
    assert!(strikes > 0 && seen.stale > 0 && refused > 0, "the fault did not strike");
    assert!(seen.sections >= size.contenders * size.sections);
    // No update was lost and none was made up.
    assert!((written..=written + unknown).contains(&count), "the count is {count}");
}

// CRD-R1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs etcd: cargo xtask test"]
async fn no_stale_write_is_accepted() {
    let size = Size { contenders: 4, sections: 20, time: Duration::from_secs(8) };
    compete("no_stale_write_is_accepted", size).await;
}

// CRD-R1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "full size: cargo xtask soak"]
async fn full_size_no_stale_write_is_accepted() {
    let size = Size { contenders: 16, sections: 200, time: Duration::from_secs(60) };
    compete("full_size_no_stale_write_is_accepted", size).await;
}
