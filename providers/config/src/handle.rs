//! Changing the config of a running application.

use std::fmt;
use std::sync::{Arc, Weak};

use gone_kit::{Change, Changes, ReloadStatus, Stat, StatusChanges};
use serde::Serialize;

use crate::error::{ConfigError, ConfigErrors};
use crate::hub::{Hub, put};
use crate::layer::Layer;
use crate::origin::Origin;
use crate::settings::{Settings, Snapshot};
use crate::source::value_layer;
use crate::value::written;

/// Changes the config of a running application: sets keys, puts layers, reads the files again.
///
/// Every change goes the same way: all layers are joined anew, every [`Live`](crate::Live) value is read and checked, and
/// either all take what is new or none does, and the change is taken back. Values that are not live, and conditions, stay as
/// they were at the start.
///
/// The calls block while the values are read (and, for [`reload`](Self::reload), two files): microseconds to a few
/// milliseconds. One change at a time; others wait for it, so no change may be made from within the `Deserialize` of a live
/// value. A clone is the same handle.
///
/// ```
/// use gone_config::{ConfigSource, Live};
///
/// let settings = ConfigSource::hermetic().set("log.level", "info").read()?;
/// let level: Live<String> = settings.get("log.level")?.expect("it is set");
/// let config = settings.handle();
///
/// config.set("log.level", "debug")?;
/// assert_eq!(*level.get(), "debug");
/// config.unset("log.level")?;
/// assert_eq!(*level.get(), "info");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ConfigHandle(Arc<Hub>);

impl ConfigHandle {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    /// What the config says now. It does not follow later changes.
    pub fn settings(&self) -> Settings {
        self.0.current()
    }

    /// Sets a key, above all layers, and gives the version of the config. A `None` sets nothing and unsets the key.
    ///
    /// # Errors
    ///
    /// What is wrong with the key, or why the new config is refused. The key then stays as it was.
    pub fn set(&self, key: &str, value: impl Serialize) -> Result<u64, ConfigErrors> {
        let layer = value_layer(key, written(value), Origin::Override).map_err(|error| self.refused(error))?;
        let layers = layer.into_iter().map(Arc::new).collect();
        self.0.rewrite(|next| put(&mut next.overrides, key, layers))
    }

    /// Takes back what [`set`](Self::set) said of a key; the layers below count again.
    ///
    /// # Errors
    ///
    /// Why the new config is refused.
    pub fn unset(&self, key: &str) -> Result<u64, ConfigErrors> {
        self.0.rewrite(|next| next.overrides.retain(|(known, _)| known != key))
    }

    /// Puts a layer from elsewhere above all that the source reads, and below [`set`](Self::set); it replaces the one of the
    /// same name, in its place. This is how a config centre is heard.
    ///
    /// # Errors
    ///
    /// What is wrong with the layer, or why the new config is refused. The layer of that name then stays as it was.
    pub fn put(&self, layer: ConfigLayer) -> Result<u64, ConfigErrors> {
        let ConfigLayer { name, values } = layer;
        let mut layers = Vec::new();
        let mut errors = Vec::new();
        for value in values {
            match value {
                Ok(Some(layer)) => layers.push(Arc::new(layer)),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(self.0.refused(errors));
        }
        self.0.rewrite(|next| put(&mut next.pushed, &name, layers))
    }

    /// Takes a layer away.
    ///
    /// # Errors
    ///
    /// Why the new config is refused.
    pub fn remove(&self, name: &str) -> Result<u64, ConfigErrors> {
        self.0.rewrite(|next| next.pushed.retain(|(known, _)| known != name))
    }

    /// Reads the files and the environment again, now. The profile stays.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, a file that was there and is gone, or why the new config is refused.
    pub fn reload(&self) -> Result<u64, ConfigErrors> {
        self.0.reread()
    }

    /// The version of the config: 1 at first, one more with each change of any key.
    pub fn version(&self) -> u64 {
        self.0.engine.version()
    }

    /// What became of the changes so far.
    pub fn status(&self) -> ReloadStatus {
        self.0.engine.status()
    }

    /// The status after each change from now on, accepted or refused.
    pub fn statuses(&self) -> StatusChanges {
        let statuses = self.0.engine.statuses();
        self.0.followers.send_replace(());
        statuses
    }

    /// The figures: `reload_version`, `reloads_accepted`, `reloads_refused`.
    pub fn stats(&self) -> [Stat; 3] {
        self.0.engine.stats()
    }

    /// The changes of the whole config from now on, for those who read it themselves.
    pub fn changes(&self) -> SettingsChanges {
        let changes = self.0.engine.changes();
        self.0.followers.send_replace(());
        SettingsChanges { changes, hub: Arc::downgrade(&self.0) }
    }

    fn refused(&self, error: ConfigError) -> ConfigErrors {
        self.0.refused(vec![error])
    }
}

impl fmt::Debug for ConfigHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigHandle").field("version", &self.version()).finish_non_exhaustive()
    }
}

/// The changes of the whole config, for one subscriber; the latest for a slow one. It does not keep the config.
#[derive(Debug)]
pub struct SettingsChanges {
    changes: Changes<Snapshot>,
    hub: Weak<Hub>,
}

/// A change of the whole config.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SettingsChange {
    /// What the config said when the last change was told.
    pub old: Settings,
    /// What it says now.
    pub new: Settings,
    /// The version of the new one: see [`ConfigHandle::version`].
    pub version: u64,
}

impl SettingsChanges {
    /// Waits for the next change; `None` once nobody has the config any more, neither [`Settings`] nor a [`ConfigHandle`].
    ///
    /// A dropped future loses nothing: the change is told by the next call.
    pub async fn next(&mut self) -> Option<SettingsChange> {
        let Change { old, new, version, .. } = self.changes.next().await?;
        let hub = self.hub.upgrade()?;
        let of = |snapshot| Settings::of(snapshot, Arc::clone(&hub));
        Some(SettingsChange { old: of(old), new: of(new), version })
    }
}

/// Keys and values from elsewhere, each with the place that it came from: for [`ConfigHandle::put`].
///
/// ```
/// use gone_config::{ConfigLayer, ConfigSource};
///
/// let settings = ConfigSource::hermetic().set("log.level", "info").read()?;
/// let config = settings.handle();
/// config.put(ConfigLayer::new("centre").set("log.level", "debug", "etcd /config/dev/global/log"))?;
/// let origin = config.settings().origin("log.level").expect("it is set");
/// assert_eq!(origin.to_string(), "etcd /config/dev/global/log");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConfigLayer {
    name: String,
    values: Vec<Result<Option<Layer>, ConfigError>>,
}

impl ConfigLayer {
    /// An empty layer; the name is that by which it is replaced.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new() }
    }

    /// Sets a key or, with a table for value, a section; the empty key is the root. Of two for one key the later one counts.
    ///
    /// `place` says where it came from, for messages: `etcd /config/dev/global/db`.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Serialize, place: impl Into<String>) -> Self {
        // What fails here is told by `put`.
        self.values.push(value_layer(key, written(value), Origin::Elsewhere { place: place.into() }));
        self
    }
}

impl fmt::Debug for ConfigLayer {
    /// Shows no value: any may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigLayer").field("name", &self.name).field("values", &self.values.len()).finish()
    }
}
