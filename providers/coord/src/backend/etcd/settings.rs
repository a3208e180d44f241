//! What the backend has to know.

use std::path::PathBuf;
use std::time::Duration;

use gone_kit::{Clock, Secret};

/// Where etcd is, and how to speak with it. Checked before: at least one endpoint, all durations above zero.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `http://host:port` or `https://host:port`, each a member of one cluster.
    pub(crate) endpoints: Vec<String>,
    pub(crate) user: Option<(String, Secret<String>)>,
    pub(crate) tls: Tls,
    /// How long all that a new connection takes may take: TCP, TLS, the token, a first answer.
    pub(crate) dial_timeout: Duration,
    pub(crate) request_timeout: Duration,
    /// After how long without a byte TCP asks whether the other side is there, and how long it waits for the answer; in whole
    /// seconds.
    pub(crate) keep_alive_time: Duration,
    pub(crate) keep_alive_timeout: Duration,
    /// How often the server is asked for an answer while somebody waits for something, and how long that may take. A server
    /// that stands still is noticed within both together.
    pub(crate) probe_interval: Duration,
    pub(crate) probe_timeout: Duration,
    pub(crate) clock: Clock,
}

/// PEM files for `https`, read anew for each connection, so that renewed certificates are taken up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// Who may have signed the server's certificate; without it, those whom the web trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// The client's certificate and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}
