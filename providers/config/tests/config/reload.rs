//! Reloads while others read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, OnceLock};
use std::thread::ThreadId;
use std::time::{SystemTime, UNIX_EPOCH};

use gone_config::{ConfigSource, ErrorKind, Live};
use tracing_subscriber::prelude::*;

use crate::{folder, get, source};

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    left: u64,
    right: u64,
}

/// What was logged for our target, by the thread that did.
///
/// One for the process: while there is no other, a callsite asks the thread that meets it first whether it is of interest.
#[derive(Default)]
struct Logged(Mutex<Vec<(ThreadId, String)>>);

impl Logged {
    fn start() -> &'static Self {
        static LOGGED: OnceLock<Logged> = OnceLock::new();
        static SET: Once = Once::new();
        let logged = LOGGED.get_or_init(Self::default);
        SET.call_once(|| tracing_subscriber::registry().with(logged).init());
        logged
    }

    /// What this thread logged last.
    fn last(&self) -> String {
        let all = self.0.lock().expect("no panic");
        let own = all.iter().rfind(|(thread, _)| *thread == std::thread::current().id());
        own.expect("something was logged").1.clone()
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for &'static Logged {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0.push_str(&format!(" {field}={value:?}"));
            }
        }
        if event.metadata().target() == "gone_config" {
            let mut text = Text(event.metadata().level().to_string());
            event.record(&mut text);
            self.0.lock().expect("no panic").push((std::thread::current().id(), text.0));
        }
    }
}

// container C-99
#[tokio::test]
async fn an_invalid_file_leaves_the_old_value_and_is_told_and_a_valid_one_is_seen_as_old_and_new() {
    let logged = Logged::start();
    let folder = folder([("gone.toml", "[pair]\nleft = 1\nright = 1\n")]);
    let path = folder.path().join("gone.toml");
    let settings = source(folder.path()).read().expect("sound");
    let pair: Live<Pair> = settings.section("pair").expect("sound");
    let (mut changes, mut statuses) = (pair.changes(), settings.handle().statuses());

    for (text, what) in
        [("[pair]\nleft = 2\nright = 'x'\n", "`pair.right`: bad value `x`"), ("[pair\n", "not valid TOML")]
    {
        std::fs::write(&path, text).expect("written");
        let refused = settings.handle().reload().expect_err("invalid");
        assert!(refused.to_string().contains(what), "{refused}");
        assert_eq!((pair.get().left, pair.get().right, pair.version()), (1, 1, 1));
        let status = statuses.next().await.expect("an event");
        assert!(status.last_error.expect("refused").message.contains(what));
        let event = logged.last();
        assert!(event.starts_with("WARN") && event.contains(what) && event.contains("refused"), "{event}");
    }
    assert_eq!(settings.handle().status().refused, 2);

    std::fs::write(&path, "[pair]\nleft = 2\nright = 2\n").expect("written");
    assert_eq!(settings.handle().reload().expect("valid"), 2);
    let change = changes.next().await.expect("changed");
    assert_eq!((change.old.left, change.old.right, change.new.left, change.new.right), (1, 1, 2, 2));
    let event = logged.last();
    assert!(event.starts_with("INFO") && event.contains(r#"changed=["pair"]"#), "{event}");
}

/// A small generator: what comes next is known by the seed.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
        let seed = std::env::var("GONE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(now);
        println!("GONE_SEED={seed}");
        Self(seed | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Ends the other threads, also when this one fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

// container C-99
#[test]
fn readers_and_subscribers_never_see_parts_of_two_values_whatever_is_refused_between() {
    const CHANGES: u64 = 3_000;
    let mut random = Random::seeded();
    let settings = ConfigSource::hermetic().set("pair.left", 0).set("pair.right", 0).read().expect("sound");
    let pair: Live<Pair> = settings.section("pair").expect("sound");
    let config = settings.handle();
    let done = AtomicBool::new(false);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let mut changes = pair.changes();
    let subscriber = runtime.spawn(async move {
        let (mut last, mut count) = (0, 0_u64);
        while let Some(change) = changes.next().await {
            assert_eq!((change.old.left, change.old.right), (last, last), "the chain is broken");
            assert_eq!(change.new.left, change.new.right, "torn");
            (last, count) = (change.new.left, count + 1);
        }
        (last, count)
    });
    let (mut refused, mut accepted, mut late) = (0, 0, 0);
    let kept: Mutex<Vec<Live<Pair>>> = Mutex::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Acquire) {
                let seen = pair.get();
                assert_eq!(seen.left, seen.right, "torn");
                assert!(seen.left >= last, "{} after {last}", seen.left);
                last = seen.left;
            }
        });
        // Reads late, and while others change it: always from the first snapshot.
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let before = pair.get().left;
                let late: Live<Pair> = settings.section("pair").expect("the first snapshot is sound");
                assert!(late.get().left >= before, "{} was read after {before}", late.get().left);
            }
        });
        // Reads what is current, and keeps it: whenever it began to follow, it must not be left behind.
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let late: Live<Pair> = config.settings().section("pair").expect("what was accepted is sound");
                let mut kept = kept.lock().expect("no panic");
                if kept.len() == 50 {
                    kept.clear();
                }
                kept.push(late);
            }
        });
        let _ends = Ends(&done);
        for change in 1..=CHANGES {
            let result = match random.below(3) {
                0 => config.set("pair", serde_json::json!({"left": change, "right": "x"})),
                _ => config.set("pair", serde_json::json!({"left": change, "right": change})),
            };
            match result {
                Ok(_) => {
                    accepted += 1;
                    let kept = kept.lock().expect("no panic");
                    assert!(kept.iter().all(|late| late.get().left == change), "one was left behind by {change}");
                    late += kept.len();
                }
                Err(_) => refused += 1,
            }
        }
    });
    let last = pair.get().left;
    assert_eq!((config.status().accepted, config.status().refused), (accepted, refused));
    drop((pair, config, kept));
    let (told, count) = runtime.block_on(subscriber).expect("no panic");
    println!("{accepted} accepted, {refused} refused, {count} told, {late} looked at that were read late");
    assert_eq!(told, last, "the last change is told");
}

#[test]
fn a_file_that_is_gone_keeps_the_last_good_values_until_it_is_back() {
    let folder = folder([("gone.toml", "a = 1\n"), ("gone.development.toml", "b = 1\n")]);
    let settings = source(folder.path()).read().expect("sound");
    let b: Live<u8> = get(&settings, "b").expect("sound").expect("set");
    let path = folder.path().join("gone.development.toml");
    std::fs::remove_file(&path).expect("removed");
    let refused = settings.handle().reload().expect_err("gone");
    assert!(matches!(refused.iter().next().expect("one").kind(), ErrorKind::Vanished { path: gone } if *gone == path));
    settings.handle().set("a", 2).expect("what was read last still counts");
    assert_eq!(*b.get(), 1);
    std::fs::write(&path, "b = 2\n").expect("written");
    settings.handle().reload().expect("it is back");
    assert_eq!(*b.get(), 2);
}

#[test]
fn the_profile_and_values_that_are_not_live_stay() {
    let folder = folder([("gone.toml", "a = 1\n"), ("gone.test.toml", "b = 1\n")]);
    let settings = source(folder.path()).profile("test").read().expect("sound");
    std::fs::write(folder.path().join("gone.toml"), "a = 2\n").expect("written");
    settings.handle().reload().expect("sound");
    assert_eq!(get::<u8>(&settings, "a").expect("sound"), Some(1));
    let now = settings.handle().settings();
    assert_eq!((now.profile(), get::<u8>(&now, "a").expect("sound")), ("test", Some(2)));
    assert_eq!(get::<u8>(&now, "b").expect("sound"), Some(1));
}
