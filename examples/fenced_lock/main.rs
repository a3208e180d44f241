//! A lock holder is stopped for longer than its lock lasts, another takes the lock, and the first wakes and goes on with what
//! it was about to do. A store that fences refuses it. With an etcd of its own and real processes.
//!
//! `cargo run -q --example fenced_lock`

#[cfg(feature = "coord-etcd")]
mod holder;
#[cfg(feature = "coord-etcd")]
mod story;

use std::process::ExitCode;

/// What this needs beside cargo, and the Debian packages that have it.
const NEEDED: [(&str, &str); 2] = [("etcd", "etcd-server"), ("protoc", "protobuf-compiler libprotobuf-dev")];

fn main() -> ExitCode {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> =
        NEEDED.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        eprintln!("this example runs an etcd and builds its client. Install them first:\n");
        eprintln!("    apt-get install --no-install-recommends {}", missing.join(" "));
        return ExitCode::from(2);
    }
    run()
}

#[cfg(feature = "coord-etcd")]
fn run() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => story::tell(),
        Some(name) => holder::hold(name),
    }
}

/// The client of etcd cannot be built without a `protoc`, and so nothing builds it unasked. Here it is asked for.
#[cfg(not(feature = "coord-etcd"))]
fn run() -> ExitCode {
    use std::os::unix::process::CommandExt;

    eprintln!("building with the feature coord-etcd");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let error = std::process::Command::new(cargo)
        .args(["run", "--quiet", "--example", "fenced_lock", "--features", "coord-etcd", "--manifest-path"])
        .arg(manifest)
        .exec();
    eprintln!("cargo does not start: {error}");
    ExitCode::FAILURE
}
