//! The log's section while the application runs: its levels follow the config.

use gone_config::{Live, Section, SectionError};
use serde::{Deserialize, Serialize};

use crate::levels::LevelSettings;
use crate::{Clog, ClogConfig};

/// The section, checked as a whole: one that does not hold is refused with the config's other mistakes, and the last good one kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClogConfig", into = "ClogConfig")]
pub(crate) struct Checked(pub(crate) ClogConfig);

impl TryFrom<ClogConfig> for Checked {
    type Error = SectionError;

    fn try_from(config: ClogConfig) -> Result<Self, SectionError> {
        config.validate()?;
        Ok(Self(config))
    }
}

impl From<Checked> for ClogConfig {
    fn from(checked: Checked) -> Self {
        checked.0
    }
}

/// Puts the levels of each later section in the place of those that hold, until nobody has the section any more.
///
/// A future that is dropped leaves the levels as they are.
pub(crate) async fn follow(log: &Clog, section: &Live<Checked>) {
    let mut changes = section.changes();
    let mut holds = section.get();
    // It may have changed between the opening of the log and now.
    replace(log, &holds.0);
    while let Some(change) = changes.next().await {
        replace(log, &change.new.0);
        if with_levels_of(&change.new.0, &holds.0) != holds.0 {
            tracing::warn!(target: "gone_clog", "of the log's settings only the levels change while the application runs");
        }
        holds = change.new;
    }
}

fn replace(log: &Clog, config: &ClogConfig) {
    if let Err(error) = log.replace_levels(&LevelSettings::of(config)) {
        tracing::error!(target: "gone_clog", "the levels stay as they are: {error}");
    }
}

/// The settings, but for the levels, which are those of the other one.
fn with_levels_of(config: &ClogConfig, other: &ClogConfig) -> ClogConfig {
    let (level, levels, filter) = (other.level, other.levels.clone(), other.filter.clone());
    ClogConfig { level, levels, filter, ..config.clone() }
}
