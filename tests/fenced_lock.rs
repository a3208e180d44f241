//! The example `fenced_lock`, run as the README says.

use std::process::Command;

#[test]
#[ignore = "needs etcd: cargo xtask test"]
fn a_holder_that_was_stopped_is_refused_when_it_wakes() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut example = Command::new(cargo);
    example.args(["run", "--quiet", "--example", "fenced_lock"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = example.output().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{errors}");
    assert!(told.contains("alice  writes with 2: REFUSED, 3 was here"), "{told}");
    assert!(told.contains("`ledger` is no longer held: it was not renewed in time"), "{told}");
    assert!(told.ends_with("the ledger: alice, bob\n"), "{told}");

    // Without an etcd it says what to install.
    let examples = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples");
    let output = Command::new(examples.join("fenced_lock")).env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("apt-get install --no-install-recommends etcd-server protobuf-compiler"), "{errors}");
}
