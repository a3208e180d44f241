//! What the config engine does, through its public face. No test reads or sets a variable of the
//! process: environments and folders are handed in.

mod answers;
mod boot;
mod durations;
mod errors;
mod handle;
mod layers;
mod live;
mod references;
mod reload;
mod secrets;
mod section;
mod sections;
mod tags;
mod values;
mod watch;

use std::path::Path;

use gone_config::{ConfigError, ConfigSource, ErrorKind, Settings};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// A source over an empty folder with these variables.
fn variables<const N: usize>(variables: [(&str, &str); N]) -> Settings {
    let folder = folder([]);
    source(folder.path()).environment(variables).read().expect("the variables are sound")
}

/// A source over this `gone.toml` and no variables.
fn toml(text: &str) -> Settings {
    let folder = folder([("gone.toml", text)]);
    source(folder.path()).read().expect("the file is sound")
}

fn source(folder: &Path) -> ConfigSource {
    ConfigSource::new().folder(folder).environment([("PATH", "/bin"); 1])
}

fn folder<const N: usize>(files: [(&str, &str); N]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn get<T: DeserializeOwned>(settings: &Settings, key: &str) -> Result<Option<T>, ConfigError> {
    settings.get(key)
}

/// The value of a key that is set and sound.
fn value<T: DeserializeOwned>(settings: &Settings, key: &str) -> T {
    get(settings, key).expect("sound").expect("set")
}

/// Reads one text as a `T`, as a variable would bring it.
fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    get(&variables([("GONE_KEY", text)]), "key").map(|value| value.expect("set"))
}

/// The reason why one text is no `T`.
fn why_not<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    let error = from_text::<T>(text).expect_err("the text is bad");
    match error.kind() {
        ErrorKind::Invalid { reason: Some(reason) } => reason.clone(),
        other => panic!("another kind of error: {other:?}"),
    }
}
