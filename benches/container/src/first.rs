//! The first boot of a process: this program as a child of its own, again and again, since a process has only one.

use std::process::{Command, Stdio};

use tokio::runtime::Runtime;

use crate::budgets;

/// The argument that makes this program such a child.
pub(crate) const ARGUMENT: &str = "first-boot";
/// The floor of the budgets.
pub(crate) const HAND: &str = "by-hand";

/// What the child says of it, in nanoseconds.
pub(crate) fn first_boot(what: &str) -> f64 {
    let child = |what: &str| {
        let own = std::env::current_exe()?;
        // Some write a line of their own to standard error.
        Command::new(own).args([ARGUMENT, what]).stderr(Stdio::null()).output()
    };
    let output = child(what).unwrap_or_else(|error| panic!("{what}: the child does not start: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().last().and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("{what}: the child said {text:?}"))
}

/// The child: the runtime is there before, as in a program that has one.
pub(crate) fn child(what: &str, runtime: &Runtime) {
    let took = budgets::boot_here(what, runtime);
    #[cfg(feature = "peers")]
    let took = took.or_else(|| crate::peers::boot_here(what, runtime));
    match took {
        Some(took) => println!("{took}"),
        None => panic!("nothing is called {what}"),
    }
}
