//! The config section: defaults by profile, and the check of every value.

mod address;
mod error;

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use gone_kit::{Secret, redact_url};
use serde::{Deserialize, Serialize};

use crate::RegistryConfig;

pub(crate) use address::Address;
pub use error::{ConfigError, ConfigFault};

/// The profiles that have defaults.
const PROFILES: [&str; 2] = ["development", "production"];

/// Settings of one connection to a coordination service.
///
/// A section of a configuration file: keys are the field names, every one may be left out, an unknown one is refused.
/// Durations are text (`"5s"`, `"1m30s"`, `"250ms"`) or an integer of milliseconds. What is out of bounds is an error of
/// [`validate`](Self::validate), never corrected in silence.
///
/// `Debug` shows no password. Serialized, the password is hidden too.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CoordConfig {
    /// Where the service is. The scheme chooses the backend.
    ///
    /// `memory:` is this process alone, and each connection its own; those to `memory:<name>` share what is stored under that
    /// name for as long as one of them is open. `etcd://host:2379,host:2379` is an etcd cluster, `etcds://…` one over TLS;
    /// the port is 2379 unless said. Credentials have fields of their own.
    ///
    /// Default `memory:`, in production `etcd://etcd1:2379,etcd2:2379,etcd3:2379`.
    pub url: String,
    /// Whether `memory:` may be used. Locks and ids are then those of one process, and nothing outlives it.
    ///
    /// Default `true`, in production `false`.
    pub allow_memory: bool,
    /// Stands before every key in the store, and in no key that is given or returned: for several applications on one etcd,
    /// or for data that another program keeps under a root. It is empty, or begins with a slash and does not end with one.
    ///
    /// Default empty.
    pub root: String,
    /// How long [`Coord::connect`](crate::Coord::connect) may take, 100 ms to 10 min. Default 5 s, in production 10 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub dial_timeout: Duration,
    /// How long one request may take, retries included, 10 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub request_timeout: Duration,
    /// How long a connection may be silent before TCP asks whether the other side is there, 1 s to 1 h. Default 30 s.
    ///
    /// That is for a connection on which nothing is open; what is open is looked after by
    /// [`probe_interval`](Self::probe_interval), which finds a dead server sooner.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub keep_alive_time: Duration,
    /// How long that may stay unanswered before the connection is given up, 2 s to 10 min; a fraction of a second does not
    /// count. Default 10 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub keep_alive_timeout: Duration,
    /// How often the server is asked for an answer while a watch is open or a call waits, 100 ms to 1 min. Default 500 ms.
    ///
    /// A server that neither answers nor refuses (a paused machine, a cut cable) is noticed within this and
    /// [`probe_timeout`](Self::probe_timeout): 2.9 s by default.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub probe_interval: Duration,
    /// How long that answer may take before the connection is given up, 100 ms to 1 min: more than a slow answer takes.
    /// Default 2.4 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub probe_timeout: Duration,
    /// How often a watch compares what it knows with the store, 1 s to 24 h, each time sooner by up to a half so that they do
    /// not all do so at once. Default 5 min.
    ///
    /// It finds what the stream of changes did not tell: etcd before 3.5 can lose a deletion around a compaction.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub watch_relist: Duration,
    /// How long an instance id stays taken after its holder has died, 1 s to 1 h, in whole seconds. Default 30 s.
    #[serde(with = "gone_config::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "gone_config::schema::DurationText"))]
    pub instance_id_ttl: Duration,
    /// How services are registered and found.
    pub registry: RegistryConfig,
    /// The user, where the service asks for one; goes with [`password`](Self::password). Default none.
    pub username: Option<String>,
    /// The password. Default none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub password: Option<Secret<String>>,
    /// Certificates, for `etcds:`. Default none: the server's certificate is checked against the usual authorities.
    pub tls: Option<TlsConfig>,
}

/// The certificates of a TLS connection, as PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// The authority that the server's certificate must be signed by. Default: the usual authorities.
    pub ca_file: Option<PathBuf>,
    /// The certificate that this client shows; goes with [`key_file`](Self::key_file). Default none.
    pub cert_file: Option<PathBuf>,
    /// The key of that certificate. Default none.
    pub key_file: Option<PathBuf>,
}

#[cfg(feature = "schema")]
gone_config::config_section!("coord", CoordConfig, instances);

impl CoordConfig {
    /// The defaults of a profile, `"development"` or `"production"`.
    ///
    /// # Errors
    /// [`ConfigFault::UnknownProfile`].
    pub fn for_profile(profile: &str) -> Result<Self, ConfigError> {
        match profile {
            "development" => Ok(Self::default()),
            "production" => Ok(Self {
                url: "etcd://etcd1:2379,etcd2:2379,etcd3:2379".to_owned(),
                allow_memory: false,
                dial_timeout: Duration::from_secs(10),
                ..Self::default()
            }),
            _ => Err(ConfigFault::unknown_profile(profile, &PROFILES).into()),
        }
    }

    /// Checks every value against its bounds, and the address against the backends that are compiled in. No I/O.
    ///
    /// # Errors
    /// All that is wrong, in the order of the fields.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.checked().map(drop)
    }

    /// As [`validate`](Self::validate), with what the address says.
    pub(crate) fn checked(&self) -> Result<Address, ConfigError> {
        const SECOND: Duration = Duration::from_secs(1);
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const TENTH: Duration = Duration::from_millis(100);

        let mut faults = Vec::new();
        let address = Address::parse(&self.url).map_err(|fault| faults.push(fault)).ok();
        if matches!(address, Some(Address::Memory { .. })) && !self.allow_memory {
            faults.push(ConfigFault::MemoryNotAllowed);
        }
        if !self.root.is_empty() && (!self.root.starts_with('/') || self.root.ends_with('/')) {
            let reason = "it must be empty, or begin with a slash and not end with one";
            faults.push(ConfigFault::Unfit { field: "root", value: self.root.clone(), reason });
        }
        let mut within = |field, value: Duration, bounds: RangeInclusive<Duration>| {
            if !bounds.contains(&value) {
                let bounds = format!("{:?} to {:?}", bounds.start(), bounds.end());
                faults.push(ConfigFault::OutOfBounds { field, value: format!("{value:?}"), bounds });
            }
        };
        within("dial_timeout", self.dial_timeout, TENTH..=10 * MINUTE);
        within("request_timeout", self.request_timeout, TENTH / 10..=10 * MINUTE);
        within("keep_alive_time", self.keep_alive_time, SECOND..=HOUR);
        within("keep_alive_timeout", self.keep_alive_timeout, 2 * SECOND..=10 * MINUTE);
        within("probe_interval", self.probe_interval, TENTH..=MINUTE);
        within("probe_timeout", self.probe_timeout, TENTH..=MINUTE);
        within("watch_relist", self.watch_relist, SECOND..=24 * HOUR);
        within("instance_id_ttl", self.instance_id_ttl, SECOND..=HOUR);
        within("registry.hold_empty", self.registry.hold_empty, Duration::ZERO..=10 * MINUTE);
        within("registry.drain", self.registry.drain, Duration::ZERO..=MINUTE);
        if self.instance_id_ttl.subsec_nanos() != 0 {
            let value = format!("{:?}", self.instance_id_ttl);
            faults.push(ConfigFault::Unfit { field: "instance_id_ttl", value, reason: "it must be whole seconds" });
        }
        self.check_credentials(address.as_ref(), &mut faults);
        match address {
            Some(address) if faults.is_empty() => Ok(address),
            _ => Err(faults.into()),
        }
    }

    fn check_credentials(&self, address: Option<&Address>, faults: &mut Vec<ConfigFault>) {
        let mut pair = |first, second, has_first: bool, has_second: bool| match (has_first, has_second) {
            (true, false) => faults.push(ConfigFault::Incomplete { field: first, missing: second }),
            (false, true) => faults.push(ConfigFault::Incomplete { field: second, missing: first }),
            _ => {}
        };
        pair("username", "password", self.username.is_some(), self.password.is_some());
        let Some(tls) = &self.tls else { return };
        pair("tls.cert_file", "tls.key_file", tls.cert_file.is_some(), tls.key_file.is_some());
        if matches!(address, Some(Address::Etcd { tls: false, .. })) {
            let reason = "it is for a connection over TLS: write `etcds:` in `url`";
            faults.push(ConfigFault::Unfit { field: "tls", value: "set".to_owned(), reason });
        }
    }
}

/// The defaults of the profile `development`.
impl Default for CoordConfig {
    fn default() -> Self {
        Self {
            url: "memory:".to_owned(),
            allow_memory: true,
            root: String::new(),
            dial_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(5),
            keep_alive_time: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(10),
            probe_interval: Duration::from_millis(500),
            probe_timeout: Duration::from_millis(2_400),
            watch_relist: Duration::from_secs(5 * 60),
            instance_id_ttl: Duration::from_secs(30),
            registry: RegistryConfig::default(),
            username: None,
            password: None,
            tls: None,
        }
    }
}

impl fmt::Debug for CoordConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart in full, so that a new field is shown or hidden on purpose.
        let Self {
            url,
            allow_memory,
            root,
            dial_timeout,
            request_timeout,
            keep_alive_time,
            keep_alive_timeout,
            probe_interval,
            probe_timeout,
            watch_relist,
            instance_id_ttl,
            registry,
            username,
            password,
            tls,
        } = self;
        f.debug_struct("CoordConfig")
            .field("url", &redact_url(url))
            .field("allow_memory", allow_memory)
            .field("root", root)
            .field("dial_timeout", dial_timeout)
            .field("request_timeout", request_timeout)
            .field("keep_alive_time", keep_alive_time)
            .field("keep_alive_timeout", keep_alive_timeout)
            .field("probe_interval", probe_interval)
            .field("probe_timeout", probe_timeout)
            .field("watch_relist", watch_relist)
            .field("instance_id_ttl", instance_id_ttl)
            .field("registry", registry)
            .field("username", username)
            .field("password", password)
            .field("tls", tls)
            .finish()
    }
}
