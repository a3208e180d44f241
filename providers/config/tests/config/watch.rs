//! Files that change while the application runs. Time is paused, so it stands still while files are read and runs ahead
//! while everybody waits.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gone_config::{Live, Settings};
use gone_core::{AppBuilder, Goner as _, Running};
use gone_macros::Goner;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{folder, source};

/// What a change must show within.
const BUDGET: Duration = Duration::from_secs(1);

#[derive(Goner)]
#[goner(crate = gone_core)]
struct Gate {
    #[gone("config,gate.level=info")]
    level: Live<String>,
}

async fn boot(folder: &Path) -> (Running, Arc<Gate>) {
    let app = AppBuilder::new().load(gone_core::source(source(folder))).fallback(gone_config::module);
    let app = app.load(Gate::goner()).boot().await.expect("sound");
    let gate = app.get::<Arc<Gate>>().expect("built");
    (app, gate)
}

fn settings(app: &Running) -> Arc<Settings> {
    app.get::<Arc<Settings>>().expect("offered")
}

fn write(folder: &TempDir, name: &str, level: &str) {
    std::fs::write(folder.path().join(name), format!("[gate]\nlevel = '{level}'\n")).expect("written");
}

/// Waits for the level, and says how long that took.
async fn until(gate: &Gate, level: &str) -> Duration {
    let started = Instant::now();
    let mut changes = gate.level.changes();
    while *gate.level.get() != level {
        let change = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
        change.unwrap_or_else(|_| panic!("{level} never came"));
    }
    started.elapsed()
}

// container C-99
#[tokio::test(start_paused = true)]
async fn a_file_that_is_written_shows_within_a_second_and_an_invalid_one_is_told_once() {
    let folder = folder([("gone.toml", "[gate]\nlevel = 'warn'\n")]);
    let (app, gate) = boot(folder.path()).await;
    assert_eq!(*gate.level.get(), "warn");
    let mut statuses = settings(&app).handle().statuses();

    std::fs::write(folder.path().join("gone.toml"), "[gate\n").expect("written");
    let status = statuses.next().await.expect("told");
    assert_eq!((status.refused, gate.level.get().as_str()), (1, "warn"));
    assert!(status.last_error.expect("refused").message.contains("gone.toml:1:6"));
    sleep(Duration::from_secs(30)).await;
    assert_eq!(settings(&app).handle().status().refused, 1, "once for each change");

    write(&folder, "gone.toml", "debug");
    let took = until(&gate, "debug").await;
    assert!(took <= BUDGET, "{took:?}");
    assert_eq!(settings(&app).handle().status().accepted, 1);
    app.stop().await.expect("a sound stop");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_not_there_yet_is_seen_and_one_that_vanishes_leaves_its_values() {
    let folder = folder([]);
    let (app, gate) = boot(folder.path()).await;
    let config = settings(&app).handle();
    write(&folder, "gone.development.toml", "debug");
    assert!(until(&gate, "debug").await <= BUDGET);

    let mut statuses = config.statuses();
    std::fs::remove_file(folder.path().join("gone.development.toml")).expect("removed");
    let status = statuses.next().await.expect("told");
    assert!(status.last_error.expect("refused").message.contains("was there and is gone"));
    sleep(Duration::from_secs(30)).await;
    assert_eq!((gate.level.get().as_str(), config.status().refused), ("debug", 1));
    write(&folder, "gone.development.toml", "trace");
    assert!(until(&gate, "trace").await <= BUDGET);
    app.stop().await.expect("a sound stop");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_replaced_by_rename_is_seen() {
    let folder = folder([("gone.toml", "[gate]\nlevel = 'warn'\n")]);
    let (app, gate) = boot(folder.path()).await;
    for level in ["a", "b", "c"] {
        write(&folder, ".gone.toml.swp", level);
        std::fs::rename(folder.path().join(".gone.toml.swp"), folder.path().join("gone.toml")).expect("renamed");
        assert!(until(&gate, level).await <= BUDGET);
    }
    app.stop().await.expect("a sound stop");
}

#[tokio::test(start_paused = true)]
async fn a_second_write_within_one_tick_of_the_clock_is_seen() {
    let folder = folder([("gone.toml", "[gate]\nlevel = 'a'\n")]);
    let (app, gate) = boot(folder.path()).await;
    write(&folder, "gone.toml", "b");
    until(&gate, "b").await;
    let file = std::fs::File::options().write(true).open(folder.path().join("gone.toml")).expect("opened");
    let modified = file.metadata().and_then(|it| it.modified()).expect("a time");
    write(&folder, "gone.toml", "c");
    file.set_modified(modified).expect("set");
    assert!(until(&gate, "c").await <= BUDGET);
    app.stop().await.expect("a sound stop");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_mounted_config_map_is_seen_when_its_link_is_swapped() {
    use std::os::unix::fs::symlink;
    let folder = folder([("..1/gone.toml", "[gate]\nlevel = 'a'\n"), ("..2/gone.toml", "[gate]\nlevel = 'b'\n")]);
    symlink("..1", folder.path().join("..data")).expect("linked");
    symlink("..data/gone.toml", folder.path().join("gone.toml")).expect("linked");
    let (app, gate) = boot(folder.path()).await;
    assert_eq!(*gate.level.get(), "a");
    symlink("..2", folder.path().join("..data_tmp")).expect("linked");
    std::fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).expect("renamed");
    std::fs::remove_dir_all(folder.path().join("..1")).expect("removed");
    assert!(until(&gate, "b").await <= BUDGET);
    app.stop().await.expect("a sound stop");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_flaps_is_not_read_all_the_time() {
    let folder = folder([("gone.toml", "[gate]\nlevel = 'a'\n")]);
    let (app, gate) = boot(folder.path()).await;
    let done = Arc::new(AtomicBool::new(false));
    let flapping = {
        let (path, done) = (folder.path().join("gone.toml"), Arc::clone(&done));
        tokio::spawn(async move {
            for count in 0_u32.. {
                if done.load(Ordering::SeqCst) {
                    return count;
                }
                std::fs::write(&path, format!("[gate]\nlevel = 'f{count}'\n")).expect("written");
                sleep(Duration::from_millis(10)).await;
            }
            0
        })
    };
    sleep(Duration::from_secs(20)).await;
    done.store(true, Ordering::SeqCst);
    let written = flapping.await.expect("no panic");
    let status = settings(&app).handle().status();
    println!("{written} times written, {} times read", status.accepted);
    assert!(status.accepted <= 40, "{} times in 20 seconds", status.accepted);
    assert!(status.accepted >= 20, "it is seen once a second all the same: {}", status.accepted);
    assert!(until(&gate, &format!("f{}", written - 1)).await <= BUDGET);
    app.stop().await.expect("a sound stop");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_looked_at_where_nobody_would_notice() {
    let folder = folder([("gone.toml", "a = 1\n")]);
    let app = AppBuilder::new().load(gone_core::source(source(folder.path()))).fallback(gone_config::module);
    let app = app.boot().await.expect("sound");
    std::fs::write(folder.path().join("gone.toml"), "a = 2\n").expect("written");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(settings(&app).handle().version(), 1);
    // From here on somebody would.
    let mut changes = settings(&app).handle().changes();
    let started = Instant::now();
    let change = changes.next().await.expect("the config is there");
    assert!(started.elapsed() <= BUDGET);
    assert_eq!(crate::value::<u8>(&change.new, "a"), 2);
    app.stop().await.expect("a sound stop");
}
