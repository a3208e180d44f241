//! What never ends: it is killed once nothing was printed for long enough, so that a run always comes to an end.

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// No crate takes that long to compile, and no test to say that it ended.
pub(crate) const SILENCE: Duration = Duration::from_secs(8 * 60);

/// Hands each line over until there are no more. After `silence` without one, kills what the process `of` runs, again and again, but
/// not `of` itself: cargo then tells what it was, and goes on with what is left to run. Says whether it had to.
pub(crate) fn watch(of: u32, lines: &Receiver<Vec<u8>>, silence: Duration, mut line: impl FnMut(&[u8])) -> bool {
    let mut had_to = false;
    loop {
        match lines.recv_timeout(silence) {
            Ok(text) => line(&text),
            Err(RecvTimeoutError::Disconnected) => return had_to,
            Err(RecvTimeoutError::Timeout) => {
                had_to = true;
                let stuck = below(of);
                println!("nothing was printed for {silence:?}: killed {}", names(&stuck));
                for id in stuck {
                    if let Some(id) = Pid::from_raw(id.cast_signed()) {
                        // It may have ended by itself in the meantime.
                        let _ = kill_process(id, Signal::KILL);
                    }
                }
            }
        }
    }
}

/// The processes that a process began, and those that they began.
fn below(id: u32) -> BTreeSet<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((id, parent(id)?))
        })
        .collect();
    let mut below = BTreeSet::new();
    let mut next = vec![id];
    while let Some(parent) = next.pop() {
        let children = all.iter().filter(|it| it.1 == parent).map(|it| it.0);
        next.extend(children.filter(|child| below.insert(*child)));
    }
    below
}

/// Of `id (name) state parent …`; the name may hold spaces and brackets.
fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn names(ids: &BTreeSet<u32>) -> String {
    let name = |id: &u32| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        format!("{} ({id})", name.trim_end())
    };
    ids.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_silent_command_runs_is_killed_and_the_command_goes_on() {
        // The first is stuck, with a child of its own; what comes after it is run all the same.
        let script = "sh -c 'echo begun; sleep 1000; echo never'; echo after";
        let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || out.split(b'\n').try_for_each(|line| sender.send(line.unwrap())));

        let (begun, mut read) = (Instant::now(), Vec::new());
        let line = |line: &[u8]| read.push(String::from_utf8_lossy(line).into_owned());
        assert!(watch(child.id(), &lines, Duration::from_millis(500), line));
        assert_eq!(read, ["begun", "after"]);
        assert!(begun.elapsed() < Duration::from_secs(100));
        assert!(child.wait().unwrap().success());
        reader.join().unwrap().unwrap();
    }

    #[test]
    fn who_prints_now_and_then_is_left_alone() {
        let (sender, lines) = mpsc::channel();
        sender.send(b"one".to_vec()).unwrap();
        drop(sender);
        let mut read = 0;
        assert!(!watch(std::process::id(), &lines, Duration::from_secs(60), |_| read += 1));
        assert_eq!(read, 1);
    }
}
