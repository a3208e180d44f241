//! The section `flags`.

use std::time::Duration;

use gone_config::{BackendUrl, Faults, Scheme, Section, SectionFault};
use serde::{Deserialize, Serialize};

/// The schemes of [`FlagsConfig::url`].
pub(crate) const SCHEMES: [Scheme; 2] = [Scheme::always("memory"), Scheme::feature("redis", cfg!(feature = "redis"))];

/// Settings of one set of flags.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct FlagsConfig {
    /// Where the flags are: `memory:` keeps them while the handle lives, `redis://host:port` shares them. Default `memory:`.
    pub url: BackendUrl,
    /// The key in Redis that has the flags, 1 to 512 characters. Default `flags`.
    pub key: String,
    /// How long connecting and each call may take, 10 ms to 1 min. Default 5 s, in production 1 s.
    #[serde(with = "gone_config::DurationText")]
    pub request_timeout: Duration,
}

impl Default for FlagsConfig {
    fn default() -> Self {
        Self { url: "memory:".into(), key: "flags".to_owned(), request_timeout: Duration::from_secs(5) }
    }
}

impl Section for FlagsConfig {
    const NAME: &'static str = "flags";

    fn production() -> Self {
        Self { request_timeout: Duration::from_secs(1), ..Self::default() }
    }

    fn check(&self, faults: &mut Faults) {
        match faults.scheme("url", &self.url, &SCHEMES) {
            Some(("memory", rest)) if !rest.is_empty() => {
                faults.push(SectionFault::hidden("url", "nothing stands behind `memory:`"));
            }
            Some(("redis", rest)) if !rest.starts_with("//") => {
                faults.push(SectionFault::hidden("url", "it needs two slashes: `redis://host:6379`"));
            }
            _ => {}
        }
        faults.length("key", &self.key, 1..=512);
        faults.within("request_timeout", self.request_timeout, Duration::from_millis(10)..=Duration::from_secs(60));
    }
}
