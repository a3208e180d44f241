//! What reads the config again, and hands it to the live values: all of them, or none.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use gone_kit::Reload;
use tokio::sync::watch;

use crate::asked::Asked;
use crate::error::{ConfigError, ConfigErrors, ErrorKind};
use crate::layer::Layer;
use crate::secrets::Secrets;
use crate::settings::{Settings, Snapshot};
use crate::source::Recipe;

/// A live value, whatever its type.
pub(crate) trait Cell: Send + Sync {
    /// Its key, dotted.
    fn key(&self) -> String;

    /// The generation of the last snapshot that it was compared with.
    fn generation(&self) -> u64;

    /// Whether files that were not there at first are not looked for because of it.
    fn without_new_files(&self) -> bool;

    fn compared_with(&self, generation: u64);

    /// Reads what it becomes in a new snapshot; none when that says the same as the old one.
    fn prepare(&self, old: Option<&Settings>, new: &Settings) -> Result<Option<Prepared>, ConfigError>;
}

/// Puts a value that was read and checked in its place.
pub(crate) type Prepared = Box<dyn FnOnce() + Send>;

/// Layers that belong together, under the name by which they are replaced.
pub(crate) type Named = (String, Vec<Arc<Layer>>);

/// All that a snapshot is made of.
#[derive(Clone, Default)]
pub(crate) struct Written {
    /// From the recipe, weakest first.
    pub(crate) base: Vec<Arc<Layer>>,
    /// The files that were there.
    pub(crate) files: Vec<PathBuf>,
    /// From elsewhere, in the order in which they came.
    pub(crate) pushed: Vec<Named>,
    /// Set at run time, by key.
    pub(crate) overrides: Vec<Named>,
}

impl Written {
    pub(crate) fn layers(&self) -> Vec<Arc<Layer>> {
        let later = self.pushed.iter().chain(&self.overrides).flat_map(|(_, layers)| layers);
        self.base.iter().chain(later).cloned().collect()
    }
}

/// Replaces what has that name, in its place, or adds it.
pub(crate) fn put(all: &mut Vec<Named>, name: &str, layers: Vec<Arc<Layer>>) {
    match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = layers,
        None => all.push((name.to_owned(), layers)),
    }
}

pub(crate) struct Hub {
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) secrets: Secrets,
    pub(crate) asked: Asked,
    /// Whether there was any file at first.
    began_with_files: bool,
    pub(crate) engine: Reload<Snapshot>,
    /// Of the current snapshot. Held for a whole reload.
    written: Mutex<Written>,
    /// Held for moments only.
    cells: Mutex<Cells>,
    /// Told when somebody begins to follow.
    pub(crate) followers: watch::Sender<()>,
}

#[derive(Default)]
struct Cells {
    all: Vec<Weak<dyn Cell>>,
    /// Those that are gone are taken out when there are this many.
    prune_at: usize,
}

impl Cells {
    fn alive(&self) -> Vec<Arc<dyn Cell>> {
        self.all.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Hub {
    pub(crate) fn new(recipe: Arc<Recipe>, profile: String, written: Written) -> Self {
        let secrets = Secrets::default();
        secrets.of_layers(&written.base);
        let began_with_files = !written.files.is_empty();
        let first = Snapshot::new(profile, written.layers(), 1);
        Self {
            recipe,
            secrets,
            asked: Asked::default(),
            began_with_files,
            engine: Reload::new(first),
            written: Mutex::new(written),
            cells: Mutex::default(),
            followers: watch::Sender::new(()),
        }
    }

    /// What the config says now.
    pub(crate) fn current(self: &Arc<Self>) -> Settings {
        Settings::of(self.engine.get(), Arc::clone(self))
    }

    /// Whether anybody would notice a change, or wants to.
    pub(crate) fn is_followed(&self) -> bool {
        let follows =
            |cell: &Weak<dyn Cell>| cell.upgrade().is_some_and(|it| self.began_with_files || !it.without_new_files());
        self.engine.subscribers() > 0 || self.cells().all.iter().any(follows)
    }

    /// Follows a cell for as long as it is alive, and brings it up to date if it was read from an older snapshot.
    pub(crate) fn follow(self: &Arc<Self>, cell: Arc<dyn Cell>) {
        {
            let mut cells = self.cells();
            if cells.all.len() >= cells.prune_at {
                cells.all.retain(|cell| cell.strong_count() > 0);
                cells.prune_at = (2 * cells.all.len()).max(64);
            }
            cells.all.push(Arc::downgrade(&cell));
        }
        self.followers.send_replace(());
        loop {
            let current = self.current();
            if cell.generation() >= current.generation() {
                return;
            }
            let prepared = prepare(&*cell, None, &current);
            let cells = self.cells();
            if self.engine.version() != current.generation() {
                continue;
            }
            cell.compared_with(current.generation());
            let refused = match prepared {
                Ok(Some(put_in_place)) => {
                    put_in_place();
                    None
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            drop(cells);
            if let Some(error) = refused {
                tracing::warn!(
                    target: "gone_config",
                    %error,
                    "a live value that is read late keeps what was said at the start"
                );
            }
            return;
        }
    }

    /// Reads the files and the environment again.
    pub(crate) fn reread(self: &Arc<Self>) -> Result<u64, ConfigErrors> {
        let mut written = self.written();
        let profile = self.engine.get().profile.clone();
        let mut errors = Vec::new();
        let (_, fresh) = self.recipe.read(Some(profile), &mut errors);
        for path in written.files.iter().filter(|path| !fresh.files.contains(path)) {
            // A file that cannot be read is told of already.
            if errors.is_empty() {
                errors.push(ConfigError::new(ErrorKind::Vanished { path: path.clone() }));
            }
        }
        if !errors.is_empty() {
            return Err(self.refused(errors));
        }
        let next = Written { base: fresh.base, files: fresh.files, ..written.clone() };
        self.replace(&mut written, next)
    }

    /// Changes what was written apart from files and environment.
    pub(crate) fn rewrite(self: &Arc<Self>, change: impl FnOnce(&mut Written)) -> Result<u64, ConfigErrors> {
        let mut written = self.written();
        let mut next = written.clone();
        change(&mut next);
        self.replace(&mut written, next)
    }

    fn replace(self: &Arc<Self>, written: &mut Written, next: Written) -> Result<u64, ConfigErrors> {
        let old = self.current();
        let generation = old.generation() + 1;
        let snapshot = Snapshot::new(old.profile().to_owned(), next.layers(), generation);
        self.secrets.of_layers(&next.layers());
        if snapshot.says_the_same(&old) {
            // Lines may have moved; the next change brings the new places.
            *written = next;
            return Ok(old.generation());
        }
        let new = Settings::of(Arc::new(snapshot), Arc::clone(self));
        let mut seen: HashSet<*const ()> = HashSet::new();
        let mut compared: Vec<Arc<dyn Cell>> = Vec::new();
        let mut prepared: Vec<(String, Prepared)> = Vec::new();
        let mut errors = Vec::new();
        loop {
            let cells = self.cells();
            // Cells that the new values hold themselves are of this generation already.
            let fresh: Vec<_> = cells
                .alive()
                .into_iter()
                .filter(|cell| cell.generation() < generation && !seen.contains(&address(cell)))
                .collect();
            if fresh.is_empty() && errors.is_empty() {
                let version = self.engine.accept(Arc::clone(new.snapshot()));
                let keys: Vec<String> = prepared.iter().map(|(key, _)| key.clone()).collect();
                for (_, put_in_place) in prepared {
                    put_in_place();
                }
                for cell in &compared {
                    cell.compared_with(generation);
                }
                drop(cells);
                *written = next;
                tracing::info!(target: "gone_config", version, changed = ?keys, "the config was reloaded");
                return Ok(version);
            }
            drop(cells);
            if fresh.is_empty() {
                return Err(self.refused(errors));
            }
            for cell in fresh {
                match prepare(&*cell, Some(&old), &new) {
                    Ok(None) => {}
                    Ok(Some(put_in_place)) => prepared.push((cell.key(), put_in_place)),
                    Err(error) => errors.push(error),
                }
                seen.insert(address(&cell));
                compared.push(cell);
            }
        }
    }

    pub(crate) fn refused(&self, errors: Vec<ConfigError>) -> ConfigErrors {
        let errors: ConfigErrors = errors.into_iter().collect();
        self.engine.refuse(&errors);
        tracing::warn!(
            target: "gone_config",
            version = self.engine.version(),
            %errors,
            "a reload of the config was refused; the last good values stay"
        );
        errors
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        // It is written as a whole at the end of a reload.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cells(&self) -> MutexGuard<'_, Cells> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address(cell: &Arc<dyn Cell>) -> *const () {
    Arc::as_ptr(cell).cast()
}

/// The type's own code reads the value: a panic there is an error like any other.
fn prepare(cell: &dyn Cell, old: Option<&Settings>, new: &Settings) -> Result<Option<Prepared>, ConfigError> {
    catch_unwind(AssertUnwindSafe(|| cell.prepare(old, new))).unwrap_or_else(|_| {
        let reason = Some("its type panicked while it was read".to_owned());
        let key = cell.key();
        let origin = new.origin(&key);
        Err(ConfigError::new(ErrorKind::Invalid { reason }).keyed(key).at(origin))
    })
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("version", &self.engine.version()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{ConfigSource, Live};

    #[test]
    fn what_is_read_for_a_check_and_thrown_away_leaves_nothing_behind() {
        let settings = ConfigSource::hermetic().set("port", 1).read().expect("sound");
        let kept: Option<Live<u16>> = settings.get("port").expect("sound");
        for _ in 0..10_000 {
            settings.get::<Live<u16>>("port").expect("sound");
        }
        let known = settings.hub().cells().all.len();
        assert!(known <= 64, "{known} are remembered, and 1 is alive");
        assert!(settings.hub().is_followed());
        drop(kept);
        assert!(!settings.hub().is_followed());
    }

    #[test]
    fn what_a_component_follows_has_no_files_looked_for_that_were_not_there() {
        for there in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            if there {
                std::fs::write(folder.path().join("gone.toml"), "[log]\nlevel = 1\n").expect("written");
            }
            let source = ConfigSource::new().folder(folder.path()).environment([("GONE_LOG__OTHER", "1")]);
            let settings = source.set("log.level", 2).read().expect("sound");
            let level = settings.get::<Live<u8>>("log.level").expect("sound").expect("set").without_new_files();
            assert_eq!(settings.hub().is_followed(), there);
            // It changes by whatever else changes the config, and another one has the files looked for.
            settings.handle().set("log.level", 3).expect("sound");
            assert_eq!(*level.get(), 3);
            let _other: Option<Live<u8>> = settings.get("log.level").expect("sound");
            assert!(settings.hub().is_followed());
        }
    }
}
