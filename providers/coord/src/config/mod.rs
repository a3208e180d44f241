//! The config section: defaults by profile, and the check of every value.

mod address;

use std::path::PathBuf;
use std::time::Duration;

use gone_config::{Faults, Section, SectionFault, Settings};
use gone_kit::{BackendUrl, Secret};
use serde::{Deserialize, Serialize};

use crate::RegistryConfig;

pub(crate) use address::Address;
/// The variable that names the members of an etcd cluster where the config says nothing: `etcd1:2379,etcd2:2379`.
const ENDPOINTS: &str = "COORD_ETCD_ENDPOINTS";

const MEMORY_NOT_ALLOWED: &str = "`memory:` is this process alone, and locks and instance ids would not be those of the other processes; name an \
     etcd, or set `allow_memory = true` if there is only one process";

/// Settings of one connection to a coordination service.
///
/// A section of a configuration file: keys are the field names, every one may be left out, an unknown one is refused.
/// Durations are text (`"5s"`, `"1m30s"`, `"250ms"`) or an integer of milliseconds. What is out of bounds is an error of
/// [`validate`](Section::validate), never corrected in silence.
///
/// `Debug` shows no password. Serialized, the password is hidden too.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    pub url: BackendUrl,
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
    #[serde(with = "gone_config::DurationText")]
    pub dial_timeout: Duration,
    /// How long one request may take, retries included, 10 ms to 10 min. Default 5 s.
    #[serde(with = "gone_config::DurationText")]
    pub request_timeout: Duration,
    /// How long a connection may be silent before TCP asks whether the other side is there, 1 s to 1 h. Default 30 s.
    ///
    /// That is for a connection on which nothing is open; what is open is looked after by
    /// [`probe_interval`](Self::probe_interval), which finds a dead server sooner.
    #[serde(with = "gone_config::DurationText")]
    pub keep_alive_time: Duration,
    /// How long that may stay unanswered before the connection is given up, 2 s to 10 min; a fraction of a second does not
    /// count. Default 10 s.
    #[serde(with = "gone_config::DurationText")]
    pub keep_alive_timeout: Duration,
    /// How often the server is asked for an answer while a watch is open or a call waits, 100 ms to 1 min. Default 500 ms.
    ///
    /// A server that neither answers nor refuses (a paused machine, a cut cable) is noticed within this and
    /// [`probe_timeout`](Self::probe_timeout): 2.9 s by default.
    #[serde(with = "gone_config::DurationText")]
    pub probe_interval: Duration,
    /// How long that answer may take before the connection is given up, 100 ms to 1 min: more than a slow answer takes.
    /// Default 2.4 s.
    #[serde(with = "gone_config::DurationText")]
    pub probe_timeout: Duration,
    /// How often a watch compares what it knows with the store, 1 s to 24 h, each time sooner by up to a half so that they do
    /// not all do so at once. Default 5 min.
    ///
    /// It finds what the stream of changes did not tell: etcd before 3.5 can lose a deletion around a compaction.
    #[serde(with = "gone_config::DurationText")]
    pub watch_relist: Duration,
    /// How long an instance id stays taken after its holder has died, 1 s to 1 h, in whole seconds. Default 30 s.
    #[serde(with = "gone_config::DurationText")]
    pub instance_id_ttl: Duration,
    /// How services are registered and found.
    pub registry: RegistryConfig,
    /// The user, where the service asks for one; goes with [`password`](Self::password). Default none.
    pub username: Option<String>,
    /// The password. Default none.
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

impl Section for CoordConfig {
    const NAME: &'static str = "coord";

    fn production() -> Self {
        Self {
            url: "etcd://etcd1:2379,etcd2:2379,etcd3:2379".into(),
            allow_memory: false,
            dial_timeout: Duration::from_secs(10),
            ..Self::default()
        }
    }

    /// The cluster of the variable `COORD_ETCD_ENDPOINTS`, where it is set.
    fn adjust(&mut self, settings: &Settings) {
        if let Some(endpoints) = settings.variable(ENDPOINTS).filter(|endpoints| !endpoints.is_empty()) {
            self.url = format!("etcd://{endpoints}").into();
        }
    }

    fn check(&self, faults: &mut Faults) {
        const SECOND: Duration = Duration::from_secs(1);
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(60 * 60);
        const TENTH: Duration = Duration::from_millis(100);

        let address = Address::parse(&self.url).map_err(|fault| faults.push(fault)).ok();
        if matches!(address, Some(Address::Memory { .. })) && !self.allow_memory {
            faults.push(SectionFault::hidden("url", MEMORY_NOT_ALLOWED));
        }
        if !self.root.is_empty() && (!self.root.starts_with('/') || self.root.ends_with('/')) {
            let reason = "it must be empty, or begin with a slash and not end with one";
            faults.push(SectionFault::unfit("root", &self.root, reason));
        }
        faults.within("dial_timeout", self.dial_timeout, TENTH..=10 * MINUTE);
        faults.within("request_timeout", self.request_timeout, TENTH / 10..=10 * MINUTE);
        faults.within("keep_alive_time", self.keep_alive_time, SECOND..=HOUR);
        faults.within("keep_alive_timeout", self.keep_alive_timeout, 2 * SECOND..=10 * MINUTE);
        faults.within("probe_interval", self.probe_interval, TENTH..=MINUTE);
        faults.within("probe_timeout", self.probe_timeout, TENTH..=MINUTE);
        faults.within("watch_relist", self.watch_relist, SECOND..=24 * HOUR);
        faults.within("instance_id_ttl", self.instance_id_ttl, SECOND..=HOUR);
        faults.within("registry.hold_empty", self.registry.hold_empty, Duration::ZERO..=10 * MINUTE);
        faults.within("registry.drain_delay", self.registry.drain_delay, Duration::ZERO..=MINUTE);
        if self.instance_id_ttl.subsec_nanos() != 0 {
            let value = format!("{:?}", self.instance_id_ttl);
            faults.push(SectionFault::unfit("instance_id_ttl", value, "it must be whole seconds"));
        }
        together(faults, ("username", self.username.is_some()), ("password", self.password.is_some()));
        let Some(tls) = &self.tls else { return };
        together(faults, ("tls.cert_file", tls.cert_file.is_some()), ("tls.key_file", tls.key_file.is_some()));
        if matches!(address, Some(Address::Etcd { tls: false, .. })) {
            let reason = "it is for a connection over TLS: write `etcds:` in `url`";
            faults.push(SectionFault::hidden("tls", reason));
        }
    }
}

/// Two settings that make sense only together.
fn together(faults: &mut Faults, one: (&'static str, bool), other: (&'static str, bool)) {
    let (set, missing) = match (one.1, other.1) {
        (true, false) => (one.0, other.0),
        (false, true) => (other.0, one.0),
        _ => return,
    };
    faults.push(SectionFault::hidden(set, format!("it is set, and `{missing}`, which goes with it, is not")));
}

/// The defaults of the profile `development`.
impl Default for CoordConfig {
    fn default() -> Self {
        Self {
            url: "memory:".into(),
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
