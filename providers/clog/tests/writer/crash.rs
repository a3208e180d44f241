//! Processes that end while they log. Each is this test binary once more.
#![cfg(unix)]

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gone_clog::Clog;

use crate::outputs::{LONG, Lines, Slow, directly_into, into_file, production};

const KIND: &str = "GONE_CLOG_TEST_CHILD";
const LOG: &str = "GONE_CLOG_TEST_LOG";

fn child(kind: &str, log: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::as_a_child", "--nocapture"])
        .env(KIND, kind)
        .env(LOG, log)
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a child does; nothing in the process of the tests.
#[test]
fn as_a_child() {
    let Ok(kind) = env::var(KIND) else { return };
    let log = env::var(LOG).unwrap();
    let path = Path::new(&log);
    if kind == "service" {
        service::serve(path);
        std::process::exit(0);
    }
    let clog = match &*kind {
        "direct" => Clog::open(directly_into(path)),
        "queued" => Clog::open(into_file(path)),
        // A tenth of a second for a thousand lines: what nobody waits for is not written in time.
        _ => {
            let file = std::fs::File::create(path).unwrap();
            Clog::with_writer(production(), Slow { file, per_line: Duration::from_micros(100) })
        }
    };
    let clog = clog.unwrap();
    clog.install();
    println!();
    match &*kind {
        // A line is acknowledged when its call has returned.
        "direct" => on_threads(|thread, n| {
            tracing::info!(thread, n, "direct");
            println!("ack {thread} {n}");
        }),
        // Lines are acknowledged by a flush that reports none as open, errors by their call.
        "queued" => on_threads(|thread, n| {
            if thread == 0 {
                tracing::error!(thread, n, "an error");
                println!("ack {thread} {n}");
            } else {
                tracing::info!(thread, n, "queued");
                if n % 100 == 99 && clog.flush(LONG).pending == 0 {
                    println!("ack {thread} {n}");
                }
            }
        }),
        "panic" => {
            let worker = thread::spawn(|| {
                for n in 0..1_000_u64 {
                    tracing::info!(thread = 0, n, "about to panic");
                }
                panic!("a worker panics");
            });
            assert!(worker.join().is_err());
            std::process::abort();
        }
        "error" => {
            for n in 0..999_u64 {
                tracing::info!(thread = 0, n, "before it");
            }
            tracing::error!(thread = 0, n = 999, "cannot go on");
            std::process::exit(3);
        }
        "guard" => {
            let _guard = clog.guard(LONG);
            for n in 0..1_000_u64 {
                tracing::info!(thread = 0, n, "within the guard");
            }
        }
        _ => panic!("no such kind: {kind}"),
    }
    std::process::exit(0);
}

/// Logs on four threads until the process ends.
fn on_threads(line: impl Fn(u64, u64) + Sync) {
    thread::scope(|scope| {
        for thread in 0..4 {
            let line = &line;
            scope.spawn(move || (0..u64::MAX).for_each(|n| line(thread, n)));
        }
    });
}

/// An application that logs into a queue, and acknowledges a line when its call has returned: its stop
/// writes the rest.
mod service {
    use std::path::Path;

    use gone_clog::Logger;
    use gone_config::ConfigSource;
    use gone_core::{AppBuilder, Goner, Result, Run, ShutdownToken, source};
    use gone_macros::Goner;

    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Worker {
        #[gone]
        log: Logger,
    }

    impl Run for Worker {
        async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
            let mut n = 0_u64;
            while !shutdown.is_cancelled() {
                self.log.with("thread", 0).with("n", n).info("at work");
                println!("ack 0 {n}");
                n += 1;
                tokio::task::yield_now().await;
            }
            Ok(())
        }
    }

    pub(super) fn serve(log: &Path) {
        let config = ConfigSource::new()
            .folder(log.parent().unwrap())
            .profile("production")
            .environment([("GONE_CLOG__SERVICE", "app")])
            .set("clog.output", log.to_str().unwrap());
        let builder = AppBuilder::new().fallback(gone_config::module).fallback(gone_clog::module);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        println!();
        runtime.block_on(builder.load(Worker::goner()).load(source(config)).serve()).unwrap();
    }
}

/// SIGTERM, with its default action but for a service, after so many acknowledged lines.
fn acknowledged_lines_are_on_disk(kind: &str, acknowledged: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let mut child = child(kind, &path);
    let mut last: [Option<u64>; 4] = [None; 4];
    let mut count = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The last line may be cut.
        let mut words = line.split(' ');
        if words.next() == Some("ack")
            && let (Some(Ok(thread)), Some(Ok(n))) =
                (words.next().map(str::parse::<usize>), words.next().map(str::parse))
        {
            last[thread] = last[thread].max(Some(n));
            count += 1;
            if count == acknowledged {
                let pid = rustix::process::Pid::from_child(&child);
                rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
            }
        }
    }
    let status = child.wait().unwrap();
    match kind {
        "service" => assert!(status.success(), "{status}"),
        _ => assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "{status}"),
    }
    // The process may have ended within a write.
    let text = std::fs::read_to_string(&path).unwrap();
    let whole = text.rfind('\n').map_or(0, |last| last + 1);
    let mut lines = Lines::default();
    lines.read(&text[..whole]);
    println!("{kind}: {count} acknowledgements, {last:?}; {} lines on disk", lines.count());
    assert!(count >= acknowledged);
    for (thread, last) in last.into_iter().enumerate() {
        if let Some(last) = last {
            let of_thread = &lines.by_thread[&(thread as u64)];
            assert!(of_thread.iter().copied().take(last as usize + 1).eq(0..=last), "thread {thread} up to {last}");
        }
    }
}

fn seed() -> u64 {
    static RUN: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = env::var("GONE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
    println!("GONE_SEED={seed}");
    seed.wrapping_add(RUN.fetch_add(1, Ordering::Relaxed))
}

// LOG-R4
#[test]
fn every_line_acknowledged_before_sigterm_is_on_disk() {
    let seed = seed();
    acknowledged_lines_are_on_disk("direct", 200 + seed % 3_000);
    acknowledged_lines_are_on_disk("queued", 50 + seed % 500);
    acknowledged_lines_are_on_disk("service", 200 + seed % 3_000);
}

#[test]
#[ignore = "full size: cargo xtask soak"]
fn full_size_every_line_acknowledged_before_sigterm_is_on_disk() {
    let mut seed = seed();
    for _ in 0..50 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        acknowledged_lines_are_on_disk("direct", 1 + (seed >> 33) % 20_000);
        acknowledged_lines_are_on_disk("queued", 1 + (seed >> 33) % 5_000);
        acknowledged_lines_are_on_disk("service", 1 + (seed >> 33) % 20_000);
    }
}

/// Runs a child to its end, which comes without a close, and reads what it logged.
fn logged_by(kind: &str) -> Lines {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let output = child(kind, &path).wait_with_output().unwrap();
    println!("{kind}: {}", output.status);
    Lines::of(&path)
}

// LOG-R4
#[test]
fn the_last_line_of_a_worker_that_panics_is_on_disk() {
    assert!(logged_by("panic").by_thread[&0].iter().copied().eq(0..1_000));
}

#[test]
fn an_error_before_a_process_exits_is_on_disk_with_all_before_it() {
    assert!(logged_by("error").by_thread[&0].iter().copied().eq(0..1_000));
}

#[test]
fn a_guard_flushes_at_the_end_of_its_scope() {
    assert!(logged_by("guard").by_thread[&0].iter().copied().eq(0..1_000));
}
