//! Where the config is read from, and in which order the layers apply.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use crate::environment::{self, Environment};
use crate::error::{ConfigError, ConfigErrors, ErrorKind};
use crate::file;
use crate::handle::ConfigLayer;
use crate::hub::{Hub, Written as Read};
use crate::key::{CONFIG_VARIABLE, Key};
use crate::layer::Layer;
use crate::origin::Origin;
use crate::settings::Settings;
use crate::value::{Written, holds_mark, without_empty, without_marks, written};

/// The profile when nothing names one.
const DEVELOPMENT: &str = "development";
/// The base file when `GONE_CONFIG` names none.
const BASE_FILE: &str = "gone.toml";

/// Reads the config: names its layers, and merges them into [`Settings`].
///
/// The layers, weakest first:
///
/// 1. [`defaults`](Self::defaults) that providers bring for their sections;
/// 2. `gone.toml`;
/// 3. `gone.<profile>.toml`;
/// 4. environment variables: `GONE_SERVER__PORT` is the key `server.port`;
/// 5. [`set`](Self::set), by the program;
/// 6. [`remote`](Self::remote) layers, such as a config centre;
/// 7. what a [`ConfigHandle`](crate::ConfigHandle) sets while the application runs.
///
/// Tables are joined key by key; a list, or text, replaces what a weaker layer has.
///
/// Text in a file may refer to environment variables: `${NAME}`, or `${NAME:default}`, alone or inside longer text; `$${` stands
/// for `${`. A default goes to the next `}`. What a variable holds is text, read as a variable's own value would be, and
/// is not looked through again. One that is not set and has no default is an error.
///
/// The files are looked for in the working directory, or where `GONE_CONFIG` says: in the folder
/// that it names, or, when it names a file, that file is the base, and the profile's file stands
/// beside it (`app.toml`, `app.production.toml`). No file is needed, but what `GONE_CONFIG` names
/// must exist. The profile is `GONE_PROFILE`, or `development`. These two variables are no keys.
///
/// ```
/// use gone_config::ConfigSource;
///
/// let settings = ConfigSource::new()
///     .environment([("GONE_SERVER__PORT", "9000")])
///     .set("server.host", "localhost")
///     .read()?;
/// assert_eq!(settings.get::<u16>("server.port")?, Some(9000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ConfigSource {
    recipe: Arc<Recipe>,
    remotes: Vec<Arc<dyn RemoteLayer>>,
}

/// What is read, as far as it can be read again.
#[derive(Clone, Default)]
pub(crate) struct Recipe {
    folder: Option<PathBuf>,
    no_files: bool,
    environment: Option<Vec<(OsString, OsString)>>,
    profile: Option<String>,
    defaults: Vec<Defaults>,
    program: Vec<(String, Written)>,
}

/// What makes the defaults of a section for a profile.
type MakeDefaults = Arc<dyn Fn(&str) -> Written + Send + Sync>;

#[derive(Clone)]
struct Defaults {
    section: String,
    value: MakeDefaults,
}

/// A layer that is not at hand: fetched once, before anything is built, and pushed later when it changes.
///
/// It stands above all that the source reads itself. Afterwards whoever watches the remote puts the layer of the same name
/// through [`ConfigHandle::put`](crate::ConfigHandle::put), and live values follow. Implemented under
/// [`#[async_trait]`](macro@crate::async_trait), which this crate re-exports.
///
/// ```
/// use gone_config::{ConfigLayer, ConfigSource, RemoteLayer, Settings, async_trait};
///
/// /// The config of a shop, kept in a table.
/// struct Table;
///
/// # impl Table {
/// #     async fn rows(&self, _: &str) -> gone_core::Result<Vec<(String, String)>> {
/// #         Ok(vec![("log.level".to_owned(), "warn".to_owned())])
/// #     }
/// # }
/// #[async_trait]
/// impl RemoteLayer for Table {
///     async fn fetch(&self, local: &Settings) -> gone_core::Result<ConfigLayer> {
///         let shop: String = local.get("shop")?.unwrap_or_default();
///         let rows = self.rows(&shop).await?;
///         Ok(rows.iter().fold(ConfigLayer::new("table"), |layer, (key, value)| {
///             layer.set(key, value, format!("the row `{key}` of {shop}"))
///         }))
///     }
/// }
///
/// let source = ConfigSource::new().remote(Table);
/// # use gone_core::{AppBuilder, source as from};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// #     let app = AppBuilder::new().load(from(source.environment([("GONE_SHOP", "north")]))).boot().await?;
/// #     let settings = app.get::<std::sync::Arc<Settings>>()?;
/// #     assert_eq!(settings.get::<String>("log.level")?.as_deref(), Some("warn"));
/// #     app.stop().await
/// # })?;
/// # Ok::<(), gone_core::Error>(())
/// ```
#[async_trait]
pub trait RemoteLayer: Send + Sync + 'static {
    /// Fetches the layer; `local` holds what files, environment and program say, such as its address. Called within the
    /// budget of the boot; dropping the future must leave nothing behind.
    ///
    /// # Errors
    ///
    /// Why it cannot be had. The boot fails with it.
    async fn fetch(&self, local: &Settings) -> gone_core::Result<ConfigLayer>;
}

impl ConfigSource {
    /// The working directory and the process's environment, with nothing set by the program.
    pub fn new() -> Self {
        Self::default()
    }

    /// No files and no environment: only defaults and what the program sets. For tests.
    ///
    /// [`folder`](Self::folder) and [`environment`](Self::environment) add to it what they name.
    ///
    /// ```
    /// use gone_config::ConfigSource;
    ///
    /// let settings = ConfigSource::hermetic().set("server.port", 9000).read()?;
    /// assert_eq!(settings.get::<u16>("server.port")?, Some(9000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hermetic() -> Self {
        let mut source = Self::new();
        let recipe = source.recipe();
        recipe.no_files = true;
        recipe.environment = Some(Vec::new());
        source
    }

    fn recipe(&mut self) -> &mut Recipe {
        Arc::make_mut(&mut self.recipe)
    }

    /// Stands for the working directory: files are looked for here, and a relative `GONE_CONFIG`
    /// starts here.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.recipe().folder = Some(folder.into());
        self
    }

    /// Stands for the process's environment, in full: an empty one means no variables. When a
    /// name comes twice, that is the same error as two variables for one key.
    #[must_use]
    pub fn environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.recipe().environment = Some(variables.collect());
        self
    }

    /// Names the profile; `GONE_PROFILE` is then not looked at.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.recipe().profile = Some(profile.into());
        self
    }

    /// Adds the defaults of a section, below all files. Of two for one key the later one counts.
    ///
    /// The value is written with serde at once; a `None` in it sets nothing. The empty section is
    /// the root.
    #[must_use]
    pub fn defaults(self, section: impl Into<String>, value: impl Serialize) -> Self {
        // What fails here is told by `read`, together with all else.
        let value = written(value);
        self.push_defaults(section.into(), Arc::new(move |_| value.clone()))
    }

    /// Adds the defaults of a section, made for the profile that is read.
    ///
    /// The function is called once by every [`read`](Self::read).
    #[must_use]
    pub fn defaults_by_profile<T: Serialize>(
        self,
        section: impl Into<String>,
        value: impl Fn(&str) -> T + Send + Sync + 'static,
    ) -> Self {
        let value = move |profile: &str| written(value(profile));
        self.push_defaults(section.into(), Arc::new(value))
    }

    fn push_defaults(mut self, section: String, value: MakeDefaults) -> Self {
        self.recipe().defaults.push(Defaults { section, value });
        self
    }

    /// Sets a key, above all else. Of two for one key the later one counts; a `None` sets nothing.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.recipe().program.push((key.into(), written(value)));
        self
    }

    /// Adds a layer that is fetched when the application boots, above all others. [`read`](Self::read), and the plan of an
    /// application that is only checked, do without.
    #[must_use]
    pub fn remote(mut self, layer: impl RemoteLayer) -> Self {
        self.remotes.push(Arc::new(layer));
        self
    }

    pub(crate) fn remotes(&self) -> &[Arc<dyn RemoteLayer>] {
        &self.remotes
    }

    /// Reads all layers, and merges them.
    ///
    /// It blocks while it reads: two files at most, each of at most 1 MiB. Nothing is remembered:
    /// reading again sees what has changed.
    ///
    /// # Errors
    ///
    /// All that is wrong with files, variables and programmatic values, in one go. Whether the
    /// values fit the types that are wanted is seen when they are asked for.
    pub fn read(&self) -> Result<Settings, ConfigErrors> {
        let mut errors = Vec::new();
        let (profile, read) = self.recipe.read(None, &mut errors);
        if !errors.is_empty() {
            return Err(errors.into_iter().collect());
        }
        Ok(Arc::new(Hub::new(Arc::clone(&self.recipe), profile, read)).current())
    }
}

impl Recipe {
    /// Reads all layers, for the profile that is given, or else the one that is said.
    pub(crate) fn read(&self, profile: Option<String>, errors: &mut Vec<ConfigError>) -> (String, Read) {
        let Environment { layer: variables, profile: said, config } = match &self.environment {
            Some(variables) => environment::read(variables.iter().cloned(), errors),
            None => environment::read(std::env::vars_os(), errors),
        };
        let profile = profile.or_else(|| self.profile.clone()).or(said);
        let profile = profile.unwrap_or_else(|| DEVELOPMENT.to_owned());
        let mut read = Read::default();
        for Defaults { section, value } in &self.defaults {
            let origin = Origin::Defaults { section: section.clone() };
            let value = value(&profile).map(without_marks);
            collect(value_layer(section, value, origin), &mut read.base, errors);
        }
        if self.has_files() {
            self.read_files(&profile, config, &mut read, errors);
        }
        read.base.push(Arc::new(variables));
        for (key, value) in &self.program {
            let layer = value_layer(key, value.clone(), Origin::Program);
            collect(layer, &mut read.base, errors);
        }
        (profile, read)
    }

    /// Whether there may be files to read.
    pub(crate) fn has_files(&self) -> bool {
        !self.no_files || self.folder.is_some()
    }

    /// The files that may be read.
    pub(crate) fn paths(&self, profile: &str) -> Vec<PathBuf> {
        let config = self.variable(CONFIG_VARIABLE);
        match self.base_file(config) {
            Ok(base) => vec![beside(&base, profile), base],
            Err(_) => Vec::new(),
        }
    }

    /// The value of a variable that is no key.
    pub(crate) fn variable(&self, wanted: &str) -> Option<OsString> {
        match &self.environment {
            None => std::env::var_os(wanted),
            Some(variables) => {
                variables.iter().find(|(name, _)| name == OsStr::new(wanted)).map(|(_, value)| value.clone())
            }
        }
    }

    fn read_files(&self, profile: &str, config: Option<OsString>, read: &mut Read, errors: &mut Vec<ConfigError>) {
        let base = match self.base_file(config) {
            Ok(base) => base,
            Err(error) => return errors.push(error),
        };
        self.read_file(base.clone(), read, errors);
        // The name becomes a part of a path, so it may hold nothing that leads elsewhere.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if profile.is_empty() || !profile.bytes().all(plain) {
            let profile = crate::key::shorten(profile);
            return errors.push(ConfigError::new(ErrorKind::BadProfile { profile }));
        }
        self.read_file(beside(&base, profile), read, errors);
    }

    fn read_file(&self, path: PathBuf, read: &mut Read, errors: &mut Vec<ConfigError>) {
        match file::read(&path, &|name| self.variable(name)) {
            Ok(None) => {}
            Ok(Some(layer)) => {
                read.base.push(Arc::new(layer));
                read.files.push(path);
            }
            Err(found) => errors.extend(found),
        }
    }

    fn base_file(&self, config: Option<OsString>) -> Result<PathBuf, ConfigError> {
        let in_folder = |path: &Path| match &self.folder {
            Some(folder) => folder.join(path),
            None => path.to_owned(),
        };
        let Some(config) = config else {
            return Ok(in_folder(Path::new(BASE_FILE)));
        };
        let path = in_folder(Path::new(&config));
        if config.is_empty() {
            let variable = CONFIG_VARIABLE.to_owned();
            let reason = "it is empty; it names a folder or a file, or is not set".to_owned();
            return Err(ConfigError::new(ErrorKind::BadVariable { variable, reason }));
        }
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Ok(path.join(BASE_FILE)),
            Ok(_) => Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(ConfigError::new(ErrorKind::NotFound { path }))
            }
            Err(source) => Err(ConfigError::new(ErrorKind::File { path, source })),
        }
    }
}

impl fmt::Debug for ConfigSource {
    /// Shows what is set, but no value: any may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections: Vec<&str> = self.recipe.defaults.iter().map(|it| it.section.as_str()).collect();
        let keys: Vec<&str> = self.recipe.program.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("ConfigSource")
            .field("folder", &self.recipe.folder)
            .field("profile", &self.recipe.profile)
            .field("defaults", &sections)
            .field("set", &keys)
            .finish_non_exhaustive()
    }
}

/// `app.toml` and `production` make `app.production.toml`.
fn beside(base: &Path, profile: &str) -> PathBuf {
    let mut name = base.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{profile}"));
    if let Some(extension) = base.extension() {
        name.push(".");
        name.push(extension);
    }
    base.with_file_name(name)
}

pub(crate) fn value_layer(key: &str, value: Written, origin: Origin) -> Result<Option<Layer>, ConfigError> {
    let path = if key.is_empty() { Vec::new() } else { Key::parse(key)?.path() };
    let unserializable =
        |source| ConfigError::new(ErrorKind::Unserializable { source }).keyed(key).at(Some(origin.clone()));
    let value = value.map_err(|error| unserializable(error))?;
    if holds_mark(&value) {
        return Err(unserializable("a `Secret` is not written out: give what it exposes".into()));
    }
    let Some(value) = without_empty(value) else {
        return Ok(None);
    };
    match Layer::of(&path, value, origin.clone()) {
        Some(layer) => Ok(Some(layer)),
        None => Err(unserializable("the whole config can only be a table".into())),
    }
}

fn collect(layer: Result<Option<Layer>, ConfigError>, layers: &mut Vec<Arc<Layer>>, errors: &mut Vec<ConfigError>) {
    match layer {
        Ok(Some(layer)) => layers.push(Arc::new(layer)),
        Ok(None) => {}
        Err(error) => errors.push(error),
    }
}
