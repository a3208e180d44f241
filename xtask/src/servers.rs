//! The programs that tests and builds need and cargo does not bring. What is missing is installed from Debian's packages.

use std::path::Path;
use std::process::Command;

use crate::shell::Result;

/// A Debian package, and how one sees that what it is wanted for is there, from wherever it came.
struct Package {
    name: &'static str,
    sign: Sign,
}

enum Sign {
    /// A program in the search path.
    Program(&'static str),
    /// A file or folder; the first that is there will do.
    Path(&'static [&'static str]),
}

const PACKAGES: [Package; 9] = [
    // The feature `etcd` is not built without these two.
    Package { name: "protobuf-compiler", sign: Sign::Program("protoc") },
    Package {
        name: "libprotobuf-dev",
        sign: Sign::Path(&[
            "/usr/include/google/protobuf/descriptor.proto",
            "/usr/local/include/google/protobuf/descriptor.proto",
        ]),
    },
    Package { name: "etcd-server", sign: Sign::Program("etcd") },
    Package { name: "etcd-client", sign: Sign::Program("etcdctl") },
    Package { name: "redis-server", sign: Sign::Program("redis-server") },
    Package { name: "postgresql", sign: Sign::Path(&["/usr/lib/postgresql"]) },
    Package { name: "mariadb-server", sign: Sign::Path(&["/usr/sbin/mariadbd"]) },
    // The bench's own certificates; and servers that refuse root are run by another user.
    Package { name: "openssl", sign: Sign::Program("openssl") },
    Package { name: "util-linux", sign: Sign::Program("setpriv") },
];

/// Run as root, with the packages. Where the machine has no policy of its own for what an installed package may start, it is
/// given one for as long as this takes: nothing is started, stopped or restarted. A fresh machine knows no packages, and an
/// old list names versions that are gone, so the list is fetched when installing fails.
const INSTALL: &str = r#"
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit
fi
install() {
    apt-get --option=DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@"
}
export DEBIAN_FRONTEND=noninteractive
install "$@" || { apt-get update && install "$@"; }
"#;

impl Package {
    fn is_there(&self) -> bool {
        match self.sign {
            Sign::Program(program) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
            }
            Sign::Path(paths) => paths.iter().any(|path| Path::new(path).exists()),
        }
    }
}

/// Installs what is missing, and nothing if nothing is. No server is started, and none that runs is touched.
pub(crate) fn install() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let mut command = as_root().map_err(|reason| {
        format!("{reason}; install these, then run this again: apt-get install {}", missing.join(" "))
    })?;
    println!("$ apt-get install {}", missing.join(" "));
    let status = command.args(["sh", "-c", INSTALL, "sh"]).args(&missing).status();
    if !status.map_err(|error| format!("installing does not start: {error}"))?.success() {
        return Err(format!("these could not be installed: {}", missing.join(" ")));
    }
    match self::missing() {
        rest if rest.is_empty() => Ok(()),
        rest => Err(format!("installed, and still not found: {}", rest.join(" "))),
    }
}

fn missing() -> Vec<&'static str> {
    PACKAGES.iter().filter(|package| !package.is_there()).map(|package| package.name).collect()
}

/// What runs its arguments as root, or why nothing can.
fn as_root() -> std::result::Result<Command, &'static str> {
    let output_of = |program: &str, argument: &[&str]| {
        Command::new(program).args(argument).output().ok().filter(|output| output.status.success())
    };
    output_of("apt-get", &["--version"]).ok_or("there is no apt-get here")?;
    if output_of("id", &["-u"]).is_some_and(|output| output.stdout == b"0\n") {
        return Ok(Command::new("env"));
    }
    output_of("sudo", &["-n", "true"]).ok_or("we are not root, and sudo is not there or asks for a password")?;
    let mut sudo = Command::new("sudo");
    sudo.arg("-n");
    Ok(sudo)
}
