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

/// `$1` says whether the children of the process are killed with it; the rest is the command. A process that has ended may
/// have lost its number to another one, which is told by its parent.
const SHELL: &str = r#"
reach=$1
shift
sh -c 'echo $$; exec "$@" OUTPUT' sh "$@" </dev/null &
server=$!
exec >&-
read -r nothing
if read -r id name state parent rest <"/proc/$server/stat" && [ "$parent" = "$$" ]; then
    [ "$reach" = children ] && for file in /proc/[0-9]*/stat; do
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
    reach: Reach,
    shell: Child,
    /// When it is closed the shell ends the process.
    hold: Option<ChildStdin>,
}

/// Who is killed, paused and resumed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process. What it started may be guarded by itself, and its guard must live to do so.
    Alone,
    /// Its children too: a database's backends go on when only their parent is stopped.
    Children,
}

impl Guarded {
    /// Starts a command. The lines of [`Output::Lines`] can be read from what is handed back.
    pub(crate) fn start(command: &Command, output: Output, reach: Reach) -> Result<(Self, BufReader<ChildStdout>)> {
        let (redirect, errors) = match output {
            Output::Log(file) => (">&2", Stdio::from(file)),
            Output::Lines => ("", Stdio::inherit()),
        };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(SHELL.replace("OUTPUT", redirect)).arg("sh");
        shell.arg(if reach == Reach::Children { "children" } else { "alone" });
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
        Ok((Self { pid, reach, shell, hold }, lines))
    }

    pub(crate) fn id(&self) -> u32 {
        number(self.pid)
    }

    /// Whether the process itself has ended, by whatever cause.
    pub(crate) fn has_ended(&self) -> bool {
        status(self.id()).is_none_or(|it| it.parent != self.shell.id() || matches!(it.state, 'Z' | 'X'))
    }

    /// Sends a signal to the process alone. One that has ended is left alone.
    pub(crate) fn signal(&self, signal: Signal) {
        send(&self.running(), signal);
    }

    /// Kills it, and waits until it is gone: a child that is left for a moment would still have its sockets.
    pub(crate) fn kill(&self) {
        let killed = self.reached();
        send(&killed, Signal::KILL);
        let is_gone = |id: &Pid| status(number(*id)).is_none_or(|it| matches!(it.state, 'Z' | 'X'));
        wait_until(Duration::from_secs(5), || killed.iter().all(is_gone));
    }

    /// Stops it from doing anything, and waits until that is so.
    pub(crate) fn pause(&self) {
        send(&self.reached(), Signal::STOP);
        self.await_state(true);
    }

    /// Lets it go on, and waits until it does.
    pub(crate) fn resume(&self) {
        send(&self.reached(), Signal::CONT);
        self.await_state(false);
    }

    /// At most a second: a process in the middle of a disk access may take its time.
    fn await_state(&self, stopped: bool) {
        let as_wanted = |id: &Pid| status(number(*id)).is_none_or(|it| (it.state == 'T') == stopped || it.state == 'Z');
        wait_until(Duration::from_secs(1), || self.reached().iter().all(as_wanted));
    }

    fn running(&self) -> Vec<Pid> {
        if self.has_ended() { Vec::new() } else { vec![self.pid] }
    }

    /// The process first, then its children.
    fn reached(&self) -> Vec<Pid> {
        let mut reached = self.running();
        if self.reach == Reach::Children && !reached.is_empty() {
            reached.extend(children(self.id()));
        }
        reached
    }

    /// Waits until the process has ended; whether it did.
    pub(crate) fn await_end(&self, within: Duration) -> bool {
        wait_until(within, || self.has_ended())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.hold.take());
        let _ = self.shell.wait();
    }
}

fn send(to: &[Pid], signal: Signal) {
    for id in to {
        // The only error is that it has just ended.
        let _ = kill_process(*id, signal);
    }
}

/// Whether it came to be so in that time.
fn wait_until(within: Duration, is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + within;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
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

    fn start(command: &str, reach: Reach) -> (Guarded, BufReader<ChildStdout>) {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        Guarded::start(&shell, Output::Lines, reach).unwrap()
    }

    #[test]
    fn it_is_paused_goes_on_and_ends() {
        let (process, _) = start("exec sleep 1000", Reach::Alone);
        assert!(!process.has_ended());
        process.pause();
        assert_eq!(status(process.id()).unwrap().state, 'T');
        process.resume();
        assert_ne!(status(process.id()).unwrap().state, 'T');
        process.kill();
        assert!(process.await_end(Duration::from_secs(5)));
        // Nobody to reach, and no harm.
        process.kill();
    }

    #[test]
    fn it_ends_with_its_guard_and_so_do_its_children_if_they_are_reached_even_paused() {
        for reach in [Reach::Children, Reach::Alone] {
            let (process, mut lines) = start("sleep 1000 & echo $!; wait", reach);
            let mut child = String::new();
            lines.read_line(&mut child).unwrap();
            let (id, child) = (process.id(), child.trim().parse().unwrap());
            process.pause();
            assert_eq!(status(id).unwrap().state, 'T');
            assert_eq!(status(child).unwrap().state == 'T', reach == Reach::Children);
            drop(process);
            assert!(status(id).is_none());
            if reach == Reach::Alone {
                assert_ne!(status(child).unwrap().state, 'Z');
                let _ = kill_process(Pid::from_raw(child.cast_signed()).unwrap(), Signal::KILL);
                continue;
            }
            // Somebody else's orphan by now: it is killed, and reaped when they get to it.
            assert!(wait_until(Duration::from_secs(5), || status(child).is_none_or(|it| it.state == 'Z')));
        }
    }

    #[test]
    fn its_lines_are_read_from_the_first_to_the_last() {
        let (process, lines) = start("echo first; echo last", Reach::Alone);
        let lines: Vec<_> = lines.lines().map(std::result::Result::unwrap).collect();
        assert_eq!(lines, ["first", "last"]);
        assert!(process.await_end(Duration::from_secs(5)));
    }
}
