//! What can be wrong with the config section.

use gone_core::edit_distance;
use gone_kit::UnknownScheme;

/// The config section cannot be used: all that is wrong with it.
pub type ConfigError = gone_kit::Faults<ConfigFault>;

/// One value of the config section that cannot be used. Names the field, the value and what would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigFault {
    /// A value is out of its bounds.
    #[error("`{field}` is {value}; it must be {bounds}")]
    OutOfBounds {
        /// The field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        bounds: String,
    },
    /// A value has another form than it must have.
    #[error("`{field}` is {value}: {reason}")]
    Unfit {
        /// The field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        reason: &'static str,
    },
    /// A value is set that makes sense only together with another.
    #[error("`{field}` is set, and `{missing}`, which goes with it, is not")]
    Incomplete {
        /// The field that is set.
        field: &'static str,
        /// The field that is not.
        missing: &'static str,
    },
    /// The address cannot be read. Its text is not repeated: it may hold a password.
    #[error("`url` {reason}")]
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address has a scheme that no backend of this build answers to.
    #[error("`url`: {0}")]
    UnknownScheme(UnknownScheme),
    /// The address is `memory:`, and that is not allowed.
    #[error(
        "`url` is `memory:`, which is this process alone: locks and instance ids would not be those of the other \
         processes; name an etcd, or set `allow_memory = true` if there is only one process"
    )]
    MemoryNotAllowed,
    /// A profile that has no defaults.
    #[error("unknown profile {profile:?}{}; there are \"development\" and \"production\"", near.map_or(String::new(), |near| format!(" (did you mean {near:?}?)")))]
    UnknownProfile {
        /// What was asked for.
        profile: String,
        /// A profile with a name close to it.
        near: Option<&'static str>,
    },
}

impl ConfigFault {
    pub(super) fn unknown_profile(profile: &str, known: &[&'static str]) -> Self {
        let lower = profile.to_lowercase();
        let near = known.iter().copied().find(|known| edit_distance(&lower, known) <= 2);
        Self::UnknownProfile { profile: profile.to_owned(), near }
    }
}
