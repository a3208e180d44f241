//! A certificate authority of the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::error::{BenchError, Result};

/// An authority, and a certificate by it for a server on loopback and for a client. Their files live as long as the last
/// clone. A second one is an authority that nobody has heard of.
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: Arc<TempDir>,
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of the private key.
    pub key: PathBuf,
}

/// How the certificates differ: the name of the files, and what the certificate is for.
const KINDS: [(&str, &str); 2] = [
    ("server", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n"),
    ("client", "extendedKeyUsage=clientAuth\n"),
];

impl Certificates {
    /// Makes all of them, valid from now on for ten days.
    ///
    /// # Errors
    ///
    /// `openssl` is not installed, or fails; then with what it says.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir().map_err(|error| BenchError::of("a folder for certificates", error))?;
        let own = |name: &str| folder.path().join(name).display().to_string();
        let (authority, authority_key) = (own("authority.pem"), own("authority.key"));
        openssl(&["req", "-x509", "-subj", "/CN=Gone test authority", "-days", "10"], &authority_key, &authority)?;
        for (name, extensions) in KINDS {
            let (request, extension_file) = (own("request"), own("extensions"));
            std::fs::write(&extension_file, extensions).map_err(|error| BenchError::of(&extension_file, error))?;
            let subject = format!("/CN={name}");
            openssl(&["req", "-new", "-subj", &subject], &own(&format!("{name}.key")), &request)?;
            let mut sign = vec!["x509", "-req", "-in", &request, "-CA", &authority, "-CAkey", &authority_key];
            let certificate = own(&format!("{name}.pem"));
            sign.extend(["-CAcreateserial", "-days", "10", "-extfile", &extension_file, "-out", &certificate]);
            run(&sign)?;
        }
        Ok(Self { folder: Arc::new(folder) })
    }

    /// The file of the authority's certificate: what a client, or a server that asks its clients, trusts.
    pub fn authority(&self) -> PathBuf {
        self.folder().join("authority.pem")
    }

    /// For a server at `127.0.0.1` or `localhost`.
    pub fn server(&self) -> Certificate {
        self.pair("server")
    }

    /// For a client; its common name is `client`.
    pub fn client(&self) -> Certificate {
        self.pair("client")
    }

    fn pair(&self, name: &str) -> Certificate {
        let file = |ending| self.folder().join(format!("{name}.{ending}"));
        Certificate { certificate: file("pem"), key: file("key") }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes something with a key of its own.
fn openssl(arguments: &[&str], key: &str, out: &str) -> Result<()> {
    let own_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", out];
    run(&[arguments, &own_key].concat())
}

fn run(arguments: &[&str]) -> Result<()> {
    let missing = "openssl does not start (`apt-get install openssl`, or let `cargo xtask test` do it)";
    let output = Command::new("openssl").args(arguments).output().map_err(|error| BenchError::of(missing, error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(BenchError::of("openssl", String::from_utf8_lossy(&output.stderr))),
    }
}
