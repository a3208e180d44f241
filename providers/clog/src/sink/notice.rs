//! What the log says of itself, in its own stream.

use std::io;
use std::mem;

use gone_kit::Clock;

use crate::config::Format;
use crate::escape::{Escape, console_word, json_string, push};
use crate::level::Level;
use crate::time::LocalTime;

/// What has happened to the log and stands in no line of it yet.
#[derive(Default)]
pub(super) struct Untold {
    /// Lines that were lost because the queue was full.
    pub(super) overflow: u64,
    /// Lines that were lost because the output failed.
    pub(super) failed: u64,
    pub(super) write_failures: u64,
    /// The last failure.
    pub(super) error: Option<io::Error>,
    pub(super) events: Vec<String>,
    /// Events that found no room among these.
    pub(super) more_events: u64,
}

impl Untold {
    pub(super) fn is_empty(&self) -> bool {
        self.overflow + self.failed + self.write_failures + self.more_events == 0 && self.events.is_empty()
    }

    /// Takes back what a notice that was not written would have told.
    pub(super) fn give_back(&mut self, other: Self) {
        self.overflow += other.overflow;
        self.failed += other.failed;
        self.write_failures += other.write_failures;
        self.error = other.error.or(self.error.take());
        let later = mem::replace(&mut self.events, other.events);
        self.events.extend(later);
        self.more_events += other.more_events;
    }
}

/// How lines look.
pub(crate) struct NoticeStyle {
    pub(crate) format: Format,
    pub(crate) is_coloured: bool,
    pub(crate) service: String,
    pub(crate) clock: Clock,
}

impl NoticeStyle {
    /// Writes one line for what was lost and failed, and one for each event.
    pub(super) fn write(&self, untold: &Untold, out: &mut Vec<u8>) {
        let mut text = String::new();
        let lost = untold.overflow + untold.failed;
        if lost > 0 || untold.write_failures > 0 {
            let message = match lost {
                0 => "the log could not be written for a while; nothing is lost".to_owned(),
                1 => "1 line of the log is lost".to_owned(),
                _ => format!("{lost} lines of the log are lost"),
            };
            let figures = [
                ("overflow", untold.overflow, lost > 0),
                ("failed", untold.failed, lost > 0),
                ("write_failures", untold.write_failures, untold.write_failures > 0),
            ];
            self.line(&mut text, &message, &figures, untold.error.as_ref());
        }
        for event in &untold.events {
            self.line(&mut text, event, &[], None);
        }
        if untold.more_events > 0 {
            let message = format!("{} more messages of the log itself are not shown", untold.more_events);
            self.line(&mut text, &message, &[], None);
        }
        out.extend_from_slice(text.as_bytes());
    }

    fn line(&self, out: &mut String, message: &str, figures: &[(&str, u64, bool)], error: Option<&io::Error>) {
        let now = self.clock.wall();
        let as_json = self.format == Format::Json;
        let namespace = format!("{}.clog", self.service);
        let mut local = LocalTime::default();
        if as_json {
            out.push_str("{\"time\":\"");
            local.write(out, now, false);
            out.push_str("\",\"level\":\"");
            out.push_str(Level::Warn.as_str());
            for (key, text) in
                [("\",\"msg\":", message), (",\"namespace\":", &namespace), (",\"service\":", &self.service)]
            {
                out.push_str(key);
                json_string(out, text);
            }
        } else {
            local.write(out, now, true);
            out.push_str(if self.is_coloured { " \u{1b}[33mWARN \u{1b}[0m [" } else { " WARN  [" });
            push(out, &namespace, Escape::Plain);
            out.push_str("] ");
            push(out, message, Escape::Plain);
        }
        for (key, figure, _) in figures.iter().filter(|(_, _, is_shown)| *is_shown) {
            out.push_str(&if as_json { format!(",\"{key}\":{figure}") } else { format!(" {key}={figure}") });
        }
        if let Some(error) = error {
            let error = error.to_string();
            out.push_str(if as_json { ",\"error\":" } else { " error=" });
            if as_json { json_string(out, &error) } else { console_word(out, &error) }
        }
        out.push_str(if as_json { "}\n" } else { "\n" });
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use gone_kit::ManualClock;

    use super::*;

    fn written(format: Format, untold: &Untold) -> String {
        let style = NoticeStyle {
            format,
            is_coloured: false,
            service: "shop".to_owned(),
            clock: ManualClock::at(UNIX_EPOCH).0,
        };
        let mut out = Vec::new();
        style.write(untold, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_notice_is_a_line_of_the_log_in_its_own_format() {
        let untold = Untold {
            overflow: 40,
            failed: 2,
            write_failures: 3,
            error: Some(io::Error::other("no \"room\"\nleft")),
            ..Untold::default()
        };
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &untold)).unwrap();
        assert_eq!(json["level"], "warn");
        assert_eq!(json["namespace"], "shop.clog");
        assert_eq!(json["service"], "shop");
        assert_eq!(json["msg"], "42 lines of the log are lost");
        assert_eq!((&json["overflow"], &json["failed"], &json["write_failures"]), (&40.into(), &2.into(), &3.into()));
        assert_eq!(json["error"], "no \"room\"\nleft");
        let console = written(Format::Console, &untold);
        assert_eq!(console.lines().count(), 1);
        assert!(
            console.contains(" WARN  [shop.clog] 42 lines of the log are lost overflow=40 failed=2 write_failures=3"),
            "{console}"
        );
    }

    #[test]
    fn each_event_has_a_line_of_its_own() {
        let untold = Untold {
            events: vec!["cannot \"rotate\"".to_owned(), "b".to_owned()],
            more_events: 7,
            ..Untold::default()
        };
        let text = written(Format::Json, &untold);
        let messages: Vec<_> =
            text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["msg"].clone()).collect();
        assert_eq!(messages, ["cannot \"rotate\"", "b", "7 more messages of the log itself are not shown"]);
    }
}
