//! UID-R3: a process that stands still for longer than its lease, while another takes its number.

use std::time::Duration;

use gone_coord::CoordConfig;
use gone_uid::UidConfig;

use crate::at::config;

/// How long an instance id stays taken.
const TTL: Duration = Duration::from_secs(1);

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// There is one number, for whoever has it.
fn one_number() -> UidConfig {
    UidConfig { max_instance_id: 1, floor_period: Duration::from_secs(1), ..config() }
}

fn short(config: CoordConfig) -> CoordConfig {
    CoordConfig { instance_id_ttl: TTL, ..config }
}

mod memory {
    use gone_uid::UidError;

    use super::*;
    use crate::at::At;

    /// A runtime whose only thread stands still is as good as a process that was stopped: nothing on it runs.
    // UID-R3
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_runtime_that_stood_still_makes_no_id_after_its_lease() {
        let at = At(short(At::memory("standstill").await.0));
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (wake, woken) = std::sync::mpsc::channel::<()>();
        let holder = std::thread::spawn({
            let at = at.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let uid = at.open(&one_number()).await.unwrap();
                    let last = uid.snowflake().await.unwrap();
                    stop.send(()).unwrap();
                    woken.recv().unwrap();
                    (last, uid.try_snowflake(), uid.try_snowflake())
                })
            }
        });
        tokio::task::spawn_blocking(move || stopped.recv().unwrap()).await.unwrap();
        let next = tokio::time::timeout(PATIENCE, async {
            loop {
                match at.open(&one_number()).await {
                    Ok(uid) => break uid,
                    Err(UidError::Coord(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        let next = next.await.unwrap();
        let first = next.snowflake().await.unwrap();
        wake.send(()).unwrap();
        let (last, again, and_again) = tokio::task::spawn_blocking(move || holder.join().unwrap()).await.unwrap();
        assert!(last < first);
        for refused in [again, and_again] {
            assert!(matches!(refused, Err(UidError::Lost { instance: 1, .. })), "{refused:?}");
        }
    }
}

#[cfg(feature = "etcd")]
mod etcd {
    use std::fs::File;
    use std::io::{BufWriter, Write};
    use std::path::Path;

    use gone_coord::CoordError;
    use gone_test_bench::Role;
    use gone_uid::{Uid, UidError};
    use tempfile::TempDir;

    use super::*;
    use crate::at::{At, all_differ, now_ms, soon};

    /// Ids of one burst. Few enough to keep them all, many enough that a stop often comes within one.
    const BURST: usize = 20;

    /// Makes ids all the time and writes each down, with the time at which it had it; says when it loses its number and when it
    /// has one again. It does not stop by itself.
    async fn hold(at: At, file: &Path) {
        let mut file = BufWriter::new(File::create(file).unwrap());
        let uid = at.open(&one_number()).await.unwrap();
        let mut held = false;
        loop {
            for _ in 0..BURST {
                match uid.try_snowflake() {
                    Ok(id) => {
                        let had = now_ms();
                        file.write_all(&id.to_le_bytes()).unwrap();
                        file.write_all(&had.to_le_bytes()).unwrap();
                        if !held {
                            held = true;
                            Role::say("held");
                        }
                    }
                    Err(UidError::SequenceFull) => {}
                    Err(UidError::Lost { .. }) => {
                        if held {
                            held = false;
                            Role::say("lost");
                        }
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            file.flush().unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Ids and the times at which they were had.
    fn read(file: &Path) -> Vec<(i64, u64)> {
        let bytes = std::fs::read(file).unwrap();
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        bytes.chunks_exact(16).map(|both| (number(&both[..8]) as i64, number(&both[8..]))).collect()
    }

    async fn take_over(at: &At) -> Uid {
        loop {
            match at.open(&one_number()).await {
                Ok(uid) => return uid,
                Err(UidError::Coord(error)) if matches!(*error, CoordError::Exhausted { .. }) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// When the holder stood still, and until when the other had its number.
    struct Still {
        from: u64,
        woken: u64,
        to: u64,
    }

    async fn stop_and_wake(test: &str, rounds: usize) {
        if Role::is("holder") {
            let told = |name: &str| std::env::var(name).unwrap();
            let at = At(short(CoordConfig { url: told("URL").into(), root: told("ROOT"), ..CoordConfig::default() }));
            return hold(at, Path::new(&told("FILE"))).await;
        }
        let at = At(short(At::etcd(test).await.0));
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ids");
        let environment = [("URL", at.0.url.as_str()), ("ROOT", &at.0.root), ("FILE", path.to_str().unwrap())];
        let mut holder = Role::start(&format!("standstill::etcd::{test}"), "holder", &environment).unwrap();
        assert_eq!(holder.line(PATIENCE).await.unwrap(), "held");
        let (mut ours, mut stills) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            tokio::time::sleep(Duration::from_millis(30)).await;
            holder.pause();
            let from = now_ms();
            let uid = tokio::time::timeout(PATIENCE, take_over(&at)).await.unwrap();
            ours.extend(uid.reserve(1_000).await.unwrap());
            let woken = now_ms();
            holder.resume();
            assert_eq!(holder.line(PATIENCE).await.unwrap(), "lost", "it asked for an id, and there was none");
            // While it is awake and has no number.
            for _ in 0..50 {
                ours.push(uid.snowflake().await.unwrap());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stills.push(Still { from, woken, to: now_ms() });
            assert!(uid.close(soon()).await.is_clean());
            assert_eq!(holder.line(PATIENCE).await.unwrap(), "held");
        }
        holder.kill9();

        let theirs = read(&path);
        let parser = Uid::open(&one_number(), None).await.unwrap();
        let made = |id: i64| parser.parse(id).unwrap().unix_ms();
        let mut within = 0;
        for still in &stills {
            let stray = theirs.iter().find(|(id, _)| (still.from + 1..still.to).contains(&made(*id)));
            assert_eq!(stray, None, "made while another had the number, from {} to {}", still.from, still.to);
            // One that was made before the stop, and had after it: its call was under way.
            let late: Vec<_> = theirs.iter().filter(|(_, had)| (still.woken..still.to).contains(had)).collect();
            assert!(late.len() <= 1, "{late:?}");
            within += late.len();
        }
        let count = theirs.len();
        let all = all_differ([ours, theirs.into_iter().map(|(id, _)| id).collect()]);
        println!("{rounds} rounds, {all} ids, {count} of them the holder's, {within} stops within a call, none twice");
    }

    // UID-R3
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn a_stopped_process_makes_no_id_after_its_lease() {
        stop_and_wake("a_stopped_process_makes_no_id_after_its_lease", 4).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "full size: cargo xtask soak"]
    async fn full_size_a_stopped_process_makes_no_id_after_its_lease() {
        stop_and_wake("full_size_a_stopped_process_makes_no_id_after_its_lease", 100).await;
    }
}
