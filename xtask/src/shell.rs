//! Running cargo, and where things are.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::stuck;

pub(crate) type Result<T> = std::result::Result<T, String>;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}

/// Where what one command leaves for another lies.
pub(crate) fn state() -> Result<PathBuf> {
    let folder = root().join("target").join("xtask");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// The cargo that runs us.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(arguments).current_dir(root());
    for (name, value) in environment {
        command.env(name, value);
    }
    command
}

/// Runs cargo, its output going where ours goes.
pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("$ cargo {}", arguments.join(" "));
    let begun = Instant::now();
    let status = command(arguments, environment).status().map_err(|error| format!("cargo does not start: {error}"))?;
    println!("  {:.1} s", begun.elapsed().as_secs_f64());
    match status.success() {
        true => Ok(()),
        false => Err(format!("failed: cargo {}", arguments.join(" "))),
    }
}

/// Runs cargo, showing each line that it prints and handing it over; standard error comes in between. Says whether it went well;
/// what is stuck is killed, and did not.
pub(crate) fn cargo_lines(arguments: &[&str], mut line: impl FnMut(&str)) -> Result<bool> {
    println!("$ cargo {}", arguments.join(" "));
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    let errors = writer.try_clone().map_err(|error| error.to_string())?;
    let mut command = command(arguments, &[("CARGO_TERM_COLOR", "never")]);
    let mut child = command
        .stdout(writer)
        .stderr(errors)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    // Our ends of the pipe, or reading would never come to an end.
    drop(command);
    let (sender, lines) = mpsc::sync_channel(64);
    // It ends with the last of those that may write into the pipe.
    let read = thread::spawn(move || {
        let mut lines = BufReader::new(reader).split(b'\n').map_while(io::Result::ok);
        lines.try_for_each(|text| sender.send(text)).is_ok()
    });
    let stuck = stuck::watch(child.id(), &lines, stuck::SILENCE, |text| {
        let text = String::from_utf8_lossy(text);
        line(&text);
        println!("{text}");
    });
    if stuck || !read.join().is_ok_and(|to_the_end| to_the_end) {
        let _ = child.wait();
        return Ok(false);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(status.success())
}

/// What cargo prints; standard error goes where ours goes.
pub(crate) fn cargo_output(arguments: &[&str]) -> Result<String> {
    let output = command(arguments, &[]).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo does not start: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("failed: cargo {}", arguments.join(" "))),
    }
}
