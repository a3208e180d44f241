use std::fmt;

/// One setting as it holds: what its source says of it. A secret is hidden.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Setting {
    /// Its key, in full.
    pub key: String,
    /// Its value as text, or what stands in the place of a secret.
    pub value: String,
    /// Where it was set.
    pub origin: String,
}

impl Setting {
    /// The key in full, the value as it may be shown, and where it was set.
    pub fn new(key: impl Into<String>, value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), origin: origin.into() }
    }
}

/// The settings of an application, by key: what holds, and where each value is from. `Display` is a line for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigDump(Vec<Setting>);

impl ConfigDump {
    pub(crate) fn new(mut settings: Vec<Setting>) -> Self {
        settings.sort();
        ConfigDump(settings)
    }

    /// The settings, by key.
    pub fn settings(&self) -> &[Setting] {
        &self.0
    }

    /// The setting of a key, in full; none if it is not set.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.0.iter().find(|it| it.key == key)
    }
}

impl fmt::Display for ConfigDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Setting { key, value, origin } in &self.0 {
            writeln!(f, "{key} = {value}  # {origin}")?;
        }
        Ok(())
    }
}
