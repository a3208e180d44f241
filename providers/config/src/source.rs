//! Where the config is read from, and in which order the layers apply.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use figment::value::Value;
use serde::Serialize;

use crate::environment::{self, Environment};
use crate::error::{ConfigError, ConfigErrors, ErrorKind};
use crate::file;
use crate::key::Key;
use crate::layer::Layer;
use crate::origin::Origin;
use crate::settings::Settings;
use crate::value::without_empty;

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
/// 5. [`set`](Self::set), by the program.
///
/// Tables are joined key by key; a list, or text, replaces what a weaker layer has.
///
/// The files are looked for in the working directory, or where `GONE_CONFIG` says: in the folder
/// that it names, or, when it names a file, that file is the base, and the profile's file stands
/// beside it (`app.toml`, `app.production.toml`). No file is needed, but what `GONE_CONFIG` names
/// must exist. The profile is `GONE_PROFILE`, or `development`. These two variables are no keys.
///
/// ```
/// use gone_config::{ConfigSource, Key};
///
/// let settings = ConfigSource::new()
///     .environment([("GONE_SERVER__PORT", "9000")])
///     .set("server.host", "localhost")
///     .read()?;
/// assert_eq!(settings.get::<u16>(&Key::parse("server.port")?)?, Some(9000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct ConfigSource {
    folder: Option<PathBuf>,
    environment: Option<Vec<(OsString, OsString)>>,
    profile: Option<String>,
    defaults: Vec<Defaults>,
    program: Vec<(String, Written)>,
}

/// A value as serde wrote it.
type Written = Result<Value, Box<figment::Error>>;
/// What makes the defaults of a section for a profile.
type MakeDefaults = Box<dyn Fn(&str) -> Written + Send + Sync>;

struct Defaults {
    section: String,
    value: MakeDefaults,
}

fn written(value: impl Serialize) -> Written {
    Value::serialize(value).map_err(Box::new)
}

impl ConfigSource {
    /// The working directory and the process's environment, with nothing set by the program.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stands for the working directory: files are looked for here, and a relative `GONE_CONFIG`
    /// starts here.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
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
        self.environment = Some(variables.collect());
        self
    }

    /// Names the profile; `GONE_PROFILE` is then not looked at.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
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
        self.push_defaults(section.into(), Box::new(move |_| value.clone()))
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
        self.push_defaults(section.into(), Box::new(value))
    }

    fn push_defaults(mut self, section: String, value: Box<dyn Fn(&str) -> Written + Send + Sync>) -> Self {
        self.defaults.push(Defaults { section, value });
        self
    }

    /// Sets a key, above all else. Of two for one key the later one counts; a `None` sets nothing.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Serialize) -> Self {
        self.program.push((key.into(), written(value)));
        self
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
        let Environment { layer: variables, profile, config } = match &self.environment {
            Some(variables) => environment::read(variables.iter().cloned(), &mut errors),
            None => environment::read(std::env::vars_os(), &mut errors),
        };
        let profile = self.profile.clone().or(profile);
        let profile = profile.unwrap_or_else(|| DEVELOPMENT.to_owned());
        let mut layers = Vec::new();
        for Defaults { section, value } in &self.defaults {
            let origin = Origin::Defaults { section: section.clone() };
            let layer = value_layer(section, value(&profile), origin);
            collect(layer, &mut layers, &mut errors);
        }
        self.read_files(&profile, config, &mut layers, &mut errors);
        layers.push(variables);
        for (key, value) in &self.program {
            let layer = value_layer(key, value.clone(), Origin::Program);
            collect(layer, &mut layers, &mut errors);
        }
        if errors.is_empty() { Ok(Settings::new(profile, layers)) } else { Err(errors.into_iter().collect()) }
    }

    fn read_files(
        &self,
        profile: &str,
        config: Option<OsString>,
        layers: &mut Vec<Layer>,
        errors: &mut Vec<ConfigError>,
    ) {
        let base = match self.base_file(config) {
            Ok(base) => base,
            Err(error) => return errors.push(error),
        };
        collect(file::read(&base), layers, errors);
        // The name becomes a part of a path, so it may hold nothing that leads elsewhere.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if profile.is_empty() || !profile.bytes().all(plain) {
            let profile = crate::key::shorten(profile);
            return errors.push(ConfigError::new(ErrorKind::BadProfile { profile }));
        }
        collect(file::read(&beside(&base, profile)), layers, errors);
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
            let variable = crate::key::CONFIG_VARIABLE.to_owned();
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
        let sections: Vec<&str> = self.defaults.iter().map(|it| it.section.as_str()).collect();
        let keys: Vec<&str> = self.program.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("ConfigSource")
            .field("folder", &self.folder)
            .field("profile", &self.profile)
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

fn value_layer(key: &str, value: Written, origin: Origin) -> Result<Option<Layer>, ConfigError> {
    let path = if key.is_empty() { Vec::new() } else { Key::parse(key)?.path() };
    let unserializable =
        |source| ConfigError::new(ErrorKind::Unserializable { source }).keyed(key).at(Some(origin.clone()));
    let value = value.map_err(|error| unserializable(error))?;
    let Some(value) = without_empty(value) else {
        return Ok(None);
    };
    match Layer::of(&path, value, origin.clone()) {
        Some(layer) => Ok(Some(layer)),
        None => Err(unserializable("the whole config can only be a table".into())),
    }
}

fn collect(layer: Result<Option<Layer>, ConfigError>, layers: &mut Vec<Layer>, errors: &mut Vec<ConfigError>) {
    match layer {
        Ok(Some(layer)) => layers.push(layer),
        Ok(None) => {}
        Err(error) => errors.push(error),
    }
}
