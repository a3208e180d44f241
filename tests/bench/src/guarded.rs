//! A process that cannot outlive the one that started it.
//!
//! A shell starts it and holds a pipe from us. When the pipe closes, because we are done or because we are gone, however that
//! came about, the shell kills the process. Nothing in us has to run for that.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{BenchError, Result};

/// The arguments are the command. A process that has ended may have lost its number to another one, which is told by its
/// parent.
const SHELL: &str = r#"
sh -c 'echo $$; exec "$@" OUTPUT' sh "$@" </dev/null &
server=$!
exec >&-
read -r nothing
if read -r id name state parent rest <"/proc/$server/stat" && [ "$parent" = "$$" ]; then
    for file in /proc/[0-9]*/stat; do
        read -r id name state parent rest <"$file" && [ "$parent" = "$server" ] && kill -KILL "$id"
    done
    kill -KILL "$server"
fi 2>/dev/null
wait
"#;

/// Where what the process prints goes.
pub(crate) enum Output {
    /// Both streams, to a file.
    Log(File),
    /// Standard output comes to us, standard error goes where ours goes.
    Lines,
}

/// A running process. It is killed when this is dropped.
pub(crate) struct Guarded {
    pid: Pid,
    shell: Child,
    /// When it is closed the shell ends the process.
    hold: Option<ChildStdin>,
}

/// Whom a signal is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process.
    Alone,
    /// Its children too: a database's backends go on when only their parent is stopped.
    Children,
}

impl Guarded {
    /// Starts a command. The lines of [`Output::Lines`] can be read from what is handed back.
    pub(crate) fn start(command: &Command, output: Output) -> Result<(Self, BufReader<ChildStdout>)> {
        let (redirect, errors) = match output {
            Output::Log(file) => (">&2", Stdio::from(file)),
            Output::Lines => ("", Stdio::inherit()),
        };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SHELL.replace("OUTPUT", redirect)).arg("sh");
        shell.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        // Of its own group, so that a Ctrl-C at the terminal ends us and not the shell before it has cleaned up.
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut shell = shell.spawn().map_err(|error| BenchError::of("`sh` does not start", error))?;
        let hold = shell.stdin.take();
        let mut lines = BufReader::new(shell.stdout.take().ok_or_else(|| BenchError::new("the shell has no output"))?);
        let mut line = String::new();
        let _ = lines.read_line(&mut line);
        let pid = line.trim_end().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| BenchError::new("the shell started nothing"))?;
        Ok((Self { pid, shell, hold }, lines))
    }

    pub(crate) fn id(&self) -> u32 {
        number(self.pid)
    }

    /// Whether the process itself has ended, by whatever cause.
    pub(crate) fn has_ended(&self) -> bool {
        status(self.id()).is_none_or(|it| it.parent != self.shell.id() || matches!(it.state, 'Z' | 'X'))
    }

    /// Sends a signal. One that has ended is left alone.
    pub(crate) fn signal(&self, signal: Signal, reach: Reach) {
        for id in self.reached(reach) {
            // The only error is that it has just ended.
            let _ = kill_process(id, signal);
        }
    }

    /// Stops the process from doing anything, and waits until that is so.
    pub(crate) fn pause(&self, reach: Reach) {
        self.signal(Signal::STOP, reach);
        self.await_state(reach, true);
    }

    /// Lets it go on, and waits until it does.
    pub(crate) fn resume(&self, reach: Reach) {
        self.signal(Signal::CONT, reach);
        self.await_state(reach, false);
    }

    /// At most a second: a process in the middle of a disk access may take its time.
    fn await_state(&self, reach: Reach, stopped: bool) {
        let until = Instant::now() + Duration::from_secs(1);
        let as_wanted = |id: &Pid| status(number(*id)).is_none_or(|it| (it.state == 'T') == stopped || it.state == 'Z');
        while !self.reached(reach).iter().all(as_wanted) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The process first, then its children.
    fn reached(&self, reach: Reach) -> Vec<Pid> {
        if self.has_ended() {
            return Vec::new();
        }
        let mut reached = vec![self.pid];
        if reach == Reach::Children {
            reached.extend(children(self.id()));
        }
        reached
    }

    /// Waits until the process has ended; whether it did.
    pub(crate) fn await_end(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while !self.has_ended() {
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.hold.take());
        let _ = self.shell.wait();
    }
}

struct Status {
    state: char,
    parent: u32,
}

/// What Linux says of a process: `pid (name) state parent …`, where the name may hold anything.
fn status(id: u32) -> Option<Status> {
    let mut text = Vec::new();
    File::open(format!("/proc/{id}/stat")).ok()?.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some(Status { state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

fn children(of: u32) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.flatten().filter_map(|it| Pid::from_raw(it.file_name().to_str()?.parse().ok()?));
    ids.filter(|id| status(number(*id)).is_some_and(|it| it.parent == of)).collect()
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(command: &str) -> (Guarded, BufReader<ChildStdout>) {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        Guarded::start(&shell, Output::Lines).unwrap()
    }

    #[test]
    fn it_is_paused_goes_on_and_ends() {
        let (process, _) = start("exec sleep 1000");
        assert!(!process.has_ended());
        process.pause(Reach::Alone);
        assert_eq!(status(process.id()).unwrap().state, 'T');
        process.resume(Reach::Alone);
        assert_ne!(status(process.id()).unwrap().state, 'T');
        process.signal(Signal::KILL, Reach::Alone);
        assert!(process.await_end(Duration::from_secs(5)));
        // Nobody to reach, and no harm.
        process.signal(Signal::KILL, Reach::Children);
    }

    #[test]
    fn it_ends_with_its_guard_and_so_do_its_children_even_paused() {
        let (process, mut lines) = start("sleep 1000 & echo $!; wait");
        let mut child = String::new();
        lines.read_line(&mut child).unwrap();
        let (id, child) = (process.id(), child.trim().parse().unwrap());
        process.pause(Reach::Children);
        assert_eq!((status(id).unwrap().state, status(child).unwrap().state), ('T', 'T'));
        drop(process);
        assert!(status(id).is_none());
        // Somebody else's orphan by now: it is killed, and reaped when they get to it.
        let until = Instant::now() + Duration::from_secs(5);
        while status(child).is_some_and(|it| it.state != 'Z') {
            assert!(Instant::now() < until, "the child is still there");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn its_lines_are_read_from_the_first_to_the_last() {
        let (process, lines) = start("echo first; echo last");
        let lines: Vec<_> = lines.lines().map(std::result::Result::unwrap).collect();
        assert_eq!(lines, ["first", "last"]);
        assert!(process.await_end(Duration::from_secs(5)));
    }
}
