//! The part of the config section that is about services.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How services are registered and found: the table `registry` of a [`CoordConfig`](crate::CoordConfig).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RegistryConfig {
    /// How long a list that is suddenly empty is not believed, 0 to 10 min. Default 15 s.
    ///
    /// All instances of a service seldom end at once; more often the registry has lost its data, and they will be back. So
    /// those who went within a second of each other stay, if nobody is left, and so does who is missing when the list is read
    /// anew and is empty; those who come back join them. An instance that goes alone, the last one too, is gone at once.
    /// Those that were unregistered look the same as those that were lost: stop all instances at once, and they are shown for
    /// this time.
    #[serde(with = "gone_config::DurationText")]
    pub hold_empty: Duration,
    /// How long to wait, between unregistering and stopping what was registered, until all peers have heard of it,
    /// 0 to 1 min. Default 300 ms.
    #[serde(with = "gone_config::DurationText")]
    pub drain_delay: Duration,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self { hold_empty: Duration::from_secs(15), drain_delay: Duration::from_millis(300) }
    }
}
