//! Looks whether the config files have changed, and has them read again.
//!
//! Files are looked at by their metadata, a few times a second. That follows what a watch on inodes or folders misses or makes
//! hard: files that are replaced by rename, that lie behind symlinks which are swapped, that are not there yet, or on a file
//! system that tells nobody.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gone_core::ShutdownToken;
use tokio::time::sleep;

use crate::file::FILE_LIMIT;
use crate::hub::Hub;

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(400);
/// How long they must have been the same before they are read: an editor may write in several steps.
const SETTLED: Duration = Duration::from_millis(100);
/// After so many steps they are read all the same, so that a change shows within a second.
const STEPS: usize = 4;
/// The time of a file that was written this short ago may not tell the next write from this one.
const FRESH: Duration = Duration::from_secs(2);

/// Watches until told to end; looks at nothing for as long as nobody would notice.
pub(crate) async fn watch(hub: Arc<Hub>, shutdown: ShutdownToken) {
    if !hub.recipe.has_files() {
        return;
    }
    shutdown.run_until_cancelled(follow(&hub)).await;
}

async fn follow(hub: &Arc<Hub>) {
    let mut followers = hub.followers.subscribe();
    let mut seen: Option<Vec<Stamp>> = None;
    loop {
        while !hub.is_followed() {
            // The hub is kept by the caller, so its end is not seen here.
            let _ = followers.changed().await;
            seen = None;
        }
        let Some(mut now) = look(hub).await else { return };
        if seen.as_ref().is_none_or(|seen| !same(seen, &now)) {
            // At first: what was written between the start and now.
            for _ in 0..STEPS {
                sleep(SETTLED).await;
                let Some(again) = look(hub).await else { return };
                let settled = same(&again, &now);
                now = again;
                if settled {
                    break;
                }
            }
            let reread = Arc::clone(hub);
            // What is wrong was logged and counted. A watch that is dropped meanwhile leaves this one reading to its end.
            let _ = tokio::task::spawn_blocking(move || reread.reread()).await;
            seen = Some(now);
        }
        sleep(PERIOD).await;
    }
}

/// What the files look like; none when the runtime is going down.
async fn look(hub: &Arc<Hub>) -> Option<Vec<Stamp>> {
    let hub = Arc::clone(hub);
    let look = move || {
        let profile = hub.engine.get().profile.clone();
        hub.recipe.paths(&profile).into_iter().map(Stamp::of).collect()
    };
    tokio::task::spawn_blocking(look).await.ok()
}

fn same(one: &[Stamp], other: &[Stamp]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(other))
}

/// What tells one state of a file from another.
struct Stamp {
    path: PathBuf,
    state: Option<State>,
}

#[derive(Clone)]
struct State {
    modified: Option<SystemTime>,
    length: u64,
    file: (u64, u64),
    /// Of what it holds, while its time alone does not tell.
    content: Option<u64>,
}

impl Stamp {
    fn of(path: PathBuf) -> Self {
        let state = std::fs::metadata(&path).ok().map(|metadata| {
            let modified = metadata.modified().ok();
            // A time in the future tells nothing either.
            let fresh = modified.and_then(|at| at.elapsed().ok()).is_none_or(|age| age < FRESH);
            let content = if fresh { content(&path) } else { None };
            State { modified, length: metadata.len(), file: identity(&metadata), content }
        });
        Self { path, state }
    }

    fn same(&self, other: &Self) -> bool {
        let same_state = match (&self.state, &other.state) {
            (Some(one), Some(other)) => one.same(other),
            (None, None) => true,
            _ => false,
        };
        same_state && self.path == other.path
    }
}

impl State {
    fn same(&self, other: &Self) -> bool {
        // Once the time tells alone, what it held is not looked at any more.
        let same_content = match (self.content, other.content) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        same_content && (self.modified, self.length, self.file) == (other.modified, other.length, other.file)
    }
}

#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}

fn content(path: &Path) -> Option<u64> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(FILE_LIMIT + 1).read_to_end(&mut bytes).ok()?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_old_is_the_same_and_one_that_holds_something_else_is_not() {
        let fresh = State { modified: Some(SystemTime::UNIX_EPOCH), length: 5, file: (1, 2), content: Some(7) };
        assert!(fresh.same(&State { content: None, ..fresh.clone() }));
        assert!(!fresh.same(&State { content: Some(8), ..fresh.clone() }), "written twice within a tick of the clock");
        assert!(!fresh.same(&State { length: 6, ..fresh.clone() }));
        assert!(!fresh.same(&State { file: (1, 3), ..fresh.clone() }), "replaced by rename");
        assert!(!fresh.same(&State { modified: SystemTime::UNIX_EPOCH.checked_add(FRESH), ..fresh.clone() }));
    }
}
