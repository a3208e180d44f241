//! Where a server lives: a folder and ports that no other test has.

use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::error::{BenchError, Result};
use crate::port::Port;

/// A folder of its own, removed with it or when our process is gone, and ports on loopback that no other server of a bench on
/// this machine is given.
pub struct Place {
    folder: TempDir,
    /// Removes the folder when we are gone: it holds a pipe from us.
    remover: Child,
    ports: Vec<Port>,
}

/// The server is gone before the second is over: its own guard sees to that.
const REMOVE: &str = r#"read -r nothing; sleep 1; rm -rf "$1""#;

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.remover.kill().and_then(|()| self.remover.wait());
    }
}

impl Place {
    /// A new place; the folder is the owner's, a user and a group, if it is not ours.
    pub(super) fn new(name: &str, ports: usize, owner: Option<(u32, u32)>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(&format!("gone-{name}-")).tempdir();
        let folder = folder.map_err(|error| BenchError::of("a folder for a server", error))?;
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group))
                .map_err(|error| BenchError::of(folder.path().display(), error))?;
        }
        let ports = (0..ports).map(|_| Port::new()).collect::<io::Result<_>>();
        let ports = ports.map_err(|error| BenchError::of("a free port", error))?;
        let mut remover = Command::new("sh");
        remover.args(["-c", REMOVE, "sh"]).arg(folder.path()).process_group(0);
        remover.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let remover = remover.spawn().map_err(|error| BenchError::of("`sh` does not start", error))?;
        Ok(Self { folder, remover, ports })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file or folder in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of the ports; the first is for the clients.
    ///
    /// # Panics
    ///
    /// If the [`Software`](super::Software) did not ask for so many.
    pub fn port(&self, index: usize) -> u16 {
        self.ports[index].address().port()
    }

    /// `127.0.0.1:port`, of one of the ports.
    pub fn address(&self, index: usize) -> String {
        self.ports[index].address().to_string()
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path("log")
    }
}

/// The numbers of a user and of its group, as `/etc/passwd` has them.
pub(super) fn ids_of(user: &str) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.first() == Some(&user))?;
    Some((line.get(2)?.parse().ok()?, line.get(3)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_share_a_port_or_a_folder() {
        let places: Vec<_> = (0..50).map(|_| Place::new("x", 3, None).unwrap()).collect();
        let ports: std::collections::BTreeSet<_> =
            places.iter().flat_map(|place| (0..3).map(|index| place.port(index))).collect();
        assert_eq!(ports.len(), 150);
        let folder = places[0].folder().to_owned();
        assert!(folder.is_dir());
        drop(places);
        assert!(!folder.exists());
    }
}
