//! etcd.

use std::io;
use std::process::Command;

use super::probe::{ask, http_get};
use super::{Certificates, Place, Server, Software, blocking};
use crate::error::{BenchError, Result};

/// The ports of a member.
const CLIENTS: usize = 0;
const PEERS: usize = 1;
const METRICS: usize = 2;

/// etcd, one node unless it is a member of an [`EtcdCluster`](super::EtcdCluster), nothing forced to disk.
#[derive(Clone, Debug, Default)]
pub struct Etcd {
    tls: Option<Tls>,
    root_password: Option<String>,
    flags: Vec<String>,
    /// Its name and all members' peer URLs, as `--initial-cluster` wants them.
    pub(super) member: Option<(String, String)>,
}

#[derive(Clone, Debug)]
struct Tls {
    certificates: Certificates,
    ask_clients: bool,
}

impl Etcd {
    /// Nothing but the defaults: plain connections, no users.
    pub fn new() -> Self {
        Self::default()
    }

    /// Clients connect by TLS and see [`Certificates::server`].
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.tls = Some(Tls { certificates: certificates.clone(), ask_clients: false });
        self
    }

    /// As [`tls`](Self::tls), and clients must show a certificate of the same authority, such as [`Certificates::client`].
    #[must_use]
    pub fn mutual_tls(mut self, certificates: &Certificates) -> Self {
        self.tls = Some(Tls { certificates: certificates.clone(), ask_clients: true });
        self
    }

    /// Clients must name a user: there is `root` with this password, who may do everything, and no other.
    #[must_use]
    pub fn root_password(mut self, password: &str) -> Self {
        self.root_password = Some(password.to_owned());
        self
    }

    /// One more flag for the server, such as `--quota-backend-bytes=1000000` or `--auth-token-ttl=2`.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Starts one and waits until it answers. A dropped future leaves nothing running.
    ///
    /// # Errors
    ///
    /// As [`Server::new`]; or the users could not be made.
    pub async fn start(self) -> Result<Server<Self>> {
        blocking(move || {
            let server = Server::new_blocking(self)?;
            server.make_users()?;
            Ok(server)
        })
        .await
    }

    /// One with the defaults, for all tests of this binary: each keeps to keys of its own, and none stops it.
    ///
    /// # Panics
    ///
    /// When it does not start, with the reason.
    pub async fn shared() -> &'static Server<Self> {
        static SHARED: tokio::sync::OnceCell<Server<Etcd>> = tokio::sync::OnceCell::const_new();
        match SHARED.get_or_try_init(|| Self::new().start()).await {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// Where a member of a cluster is reached by the others.
pub(super) fn peer_url(place: &Place) -> String {
    format!("http://{}", place.address(PEERS))
}

impl Software for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn package(&self) -> &'static str {
        "etcd-server"
    }

    fn ports(&self) -> usize {
        3
    }

    fn command(&self, place: &Place) -> Command {
        let clients = format!("{}://{}", self.scheme(), place.address(CLIENTS));
        let peers = peer_url(place);
        let (name, cluster) = self.member.clone().unwrap_or_else(|| ("t".into(), format!("t={peers}")));
        let mut command = Command::new("etcd");
        command.args(["--name", &name, "--initial-cluster", &cluster, "--data-dir"]).arg(place.path("data"));
        command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        command.args(["--listen-metrics-urls", &format!("http://{}", place.address(METRICS))]);
        command.args(["--unsafe-no-fsync", "--logger", "zap", "--log-level", "warn"]);
        if let Some(Tls { certificates, ask_clients }) = &self.tls {
            let server = certificates.server();
            command.arg("--cert-file").arg(server.certificate).arg("--key-file").arg(server.key);
            if *ask_clients {
                command.arg("--client-cert-auth").arg("--trusted-ca-file").arg(certificates.authority());
            }
        }
        command.args(&self.flags);
        // Debian's etcd reads its options from these too, and what the machine's own one is told is not for ours.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ETCD")) {
            command.env_remove(name);
        }
        command
    }

    /// It has a leader and reads through it, and takes connections at the clients' port.
    fn answers(&self, place: &Place) -> io::Result<bool> {
        let health = http_get(&place.address(METRICS), "/health")?;
        Ok(health.contains(r#""health":"true""#) && ask(&place.address(CLIENTS), b"", 0).is_ok())
    }
}

impl Server<Etcd> {
    /// `http://127.0.0.1:port`, or `https:`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.software().scheme(), self.address())
    }

    /// Its figures, as Prometheus reads them.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub async fn metrics(&self) -> Result<String> {
        let address = self.place().address(METRICS);
        blocking(move || http_get(&address, "/metrics").map_err(|error| BenchError::of("etcd's metrics", error))).await
    }

    /// One of its figures, by its name and, if it has any, its labels in braces; 0 if it is not there.
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let metrics = self.metrics().await?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        Ok(value.unwrap_or_default())
    }

    /// Runs `etcdctl` against it, as root if there are users, and hands back what it prints.
    ///
    /// # Errors
    ///
    /// It is not installed, or fails; then with what it says.
    pub async fn etcdctl(&self, arguments: &[&str]) -> Result<String> {
        let server = self.clone();
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        blocking(move || {
            let user = server.software().root_password.as_ref().map(|password| format!("root:{password}"));
            server.control(user, &arguments)
        })
        .await
    }

    fn control(&self, user: Option<String>, arguments: &[String]) -> Result<String> {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.url(), "--command-timeout", "10s"]);
        if let Some(Tls { certificates, .. }) = &self.software().tls {
            let client = certificates.client();
            command.arg("--cacert").arg(certificates.authority());
            command.arg("--cert").arg(client.certificate).arg("--key").arg(client.key);
        }
        command.args(user.map(|user| format!("--user={user}"))).args(arguments);
        let missing = "etcdctl does not start (`apt-get install etcd-client`, or let `cargo xtask test` do it)";
        let output = command.output().map_err(|error| BenchError::of(missing, error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(BenchError::of(format!("etcdctl {}", arguments.join(" ")), text(&output.stderr))),
        }
    }

    fn make_users(&self) -> Result<()> {
        let Some(password) = &self.software().root_password else { return Ok(()) };
        let root = format!("root:{password}");
        for arguments in [&["user", "add", &root][..], &["user", "grant-role", "root", "root"], &["auth", "enable"]] {
            let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
            self.control(None, &arguments)?;
        }
        Ok(())
    }
}
