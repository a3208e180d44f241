//! A finished line.

use std::fmt::Write;
use std::time::SystemTime;

use crate::callsite::{Callsite, Origin};
use crate::clog::Core;
use crate::config::Format;
use crate::escape::cut_escaped;
use crate::fields::Written;
use crate::level::Level;
use crate::time::LocalTime;

/// The parts of a line, in the order in which they come to light.
#[derive(Default)]
pub(crate) struct Parts {
    /// Escaped, without quotes.
    pub(crate) message: String,
    /// As given; empty: that of the callsite.
    pub(crate) namespace: String,
    /// As given; empty: the root of the namespace is worked out.
    pub(crate) service: String,
    /// As given; empty: none.
    pub(crate) trace_id: String,
    /// As given; empty: that of the callsite.
    pub(crate) file: String,
    pub(crate) line: Option<u64>,
    /// As given, of a record of the `log` crate.
    pub(crate) target: String,
    pub(crate) fields: Written,
    /// `error` with its key, ready.
    pub(crate) error: String,
    /// `error_chain` with its key, ready.
    pub(crate) chain: String,
    /// Caller, as it is written.
    pub(crate) caller: String,
    /// Namespace and service, as they are written.
    pub(crate) place: String,
    /// Lines like this one that were left out before it.
    pub(crate) suppressed: u64,
    /// Bytes of fields that were not even written here.
    pub(crate) cut: usize,
    /// For texts on their way.
    pub(crate) spare: [String; 2],
}

/// What a line must have left for the mark that something was cut.
const MARK: usize = 40;

impl Parts {
    pub(crate) fn clear(&mut self) {
        for text in [
            &mut self.message,
            &mut self.namespace,
            &mut self.service,
            &mut self.trace_id,
            &mut self.file,
            &mut self.target,
            &mut self.error,
            &mut self.chain,
            &mut self.caller,
            &mut self.place,
        ] {
            text.clear();
        }
        self.fields.clear();
        self.line = None;
        self.suppressed = 0;
        self.cut = 0;
    }

    /// Whether one of the buffers has grown beyond this.
    pub(crate) fn is_larger_than(&self, most: usize) -> bool {
        let [first, second] = &self.spare;
        let own = [&self.message, &self.fields.text, &self.error, &self.chain, &self.caller, &self.place];
        let given = [&self.namespace, &self.service, &self.file, &self.target, first, second];
        own.into_iter().chain(given).any(|text| text.capacity() > most)
    }

    /// Works caller, namespace and service out, where the callsite does not know them.
    pub(crate) fn locate(&mut self, core: &Core, callsite: &Callsite) {
        if !self.file.is_empty() {
            let file = crate::caller::shown(&self.file, &core.root_path);
            core.write_caller(&mut self.caller, file, self.line);
        } else if callsite.origin == Origin::Macro {
            self.caller.push_str(&callsite.caller);
        }
        if self.namespace.is_empty() && self.service.is_empty() {
            self.place.push_str(&callsite.place);
        } else {
            core.write_place(&mut self.place, &self.namespace, &self.service);
        }
    }

    /// Writes the line with its line break; no more than the log allows, and how much was cut.
    pub(crate) fn write(
        &mut self,
        out: &mut String,
        core: &Core,
        level: Level,
        local: &mut LocalTime,
        now: SystemTime,
    ) {
        self.write_whole(out, core, level, local, now);
        let most = core.lines.max_line;
        if out.len() > most {
            self.cut += self.shrink(out.len() + MARK - most, core.format == Format::Json);
            out.clear();
            self.write_whole(out, core, level, local, now);
        }
    }

    /// Takes at least `over` bytes away: the last fields first, the beginning of the message last.
    /// Tells how many it took.
    fn shrink(&mut self, over: usize, as_json: bool) -> usize {
        let mut cut = 0;
        while cut < over
            && let Some(length) = self.fields.pop()
        {
            cut += length;
        }
        for part in [&mut self.chain, &mut self.error] {
            if cut < over {
                cut += part.len();
                part.clear();
            }
        }
        if cut < over {
            let room = self.message.len().saturating_sub(over - cut);
            let kept = if as_json { cut_escaped(&self.message, room) } else { self.message.floor_char_boundary(room) };
            cut += self.message.len() - kept;
            self.message.truncate(kept);
        }
        cut
    }

    fn write_whole(&self, out: &mut String, core: &Core, level: Level, local: &mut LocalTime, now: SystemTime) {
        match core.format {
            Format::Json => self.write_json(out, core, level, local, now),
            Format::Console => self.write_console(out, core, level, local, now),
        }
    }

    fn write_json(&self, out: &mut String, core: &Core, level: Level, local: &mut LocalTime, now: SystemTime) {
        out.push_str("{\"time\":\"");
        local.write(out, now, false);
        out.push_str(match level {
            Level::Trace => "\",\"level\":\"trace\",\"msg\":\"",
            Level::Debug => "\",\"level\":\"debug\",\"msg\":\"",
            Level::Info => "\",\"level\":\"info\",\"msg\":\"",
            Level::Warn => "\",\"level\":\"warn\",\"msg\":\"",
            Level::Error => "\",\"level\":\"error\",\"msg\":\"",
            Level::Fatal => "\",\"level\":\"fatal\",\"msg\":\"",
        });
        out.push_str(&self.message);
        out.push('"');
        out.push_str(&self.caller);
        out.push_str(&self.place);
        if !self.trace_id.is_empty() {
            core.style().key(out, "trace_id");
            core.style().text(out, &self.trace_id);
        }
        self.write_rest(out);
        out.push_str("}\n");
    }

    fn write_console(&self, out: &mut String, core: &Core, level: Level, local: &mut LocalTime, now: SystemTime) {
        local.write(out, now, true);
        let (name, colour) = match level {
            Level::Trace => ("TRACE", "35"),
            Level::Debug => ("DEBUG", "36"),
            Level::Info => ("INFO", "32"),
            Level::Warn => ("WARN", "33"),
            Level::Error => ("ERROR", "31"),
            Level::Fatal => ("FATAL", "1;31"),
        };
        // Writing into a `String` does not fail.
        let _ = match core.is_coloured {
            true => write!(out, " \u{1b}[{colour}m{name:<5}\u{1b}[0m ["),
            false => write!(out, " {name:<5} ["),
        };
        out.push_str(&self.place);
        out.push_str("] ");
        out.push_str(&self.message);
        if !self.trace_id.is_empty() {
            core.style().key(out, "trace_id");
            core.style().text(out, &self.trace_id);
        }
        self.write_rest(out);
        out.push_str(&self.caller);
        out.push('\n');
    }

    /// The fields, the error, and what the log has to say about the line.
    fn write_rest(&self, out: &mut String) {
        out.push_str(&self.fields.text);
        out.push_str(&self.error);
        out.push_str(&self.chain);
        let as_json = out.starts_with('{');
        for (name, number) in [("suppressed", self.suppressed), ("cut_bytes", self.cut as u64)] {
            if number > 0 {
                out.push_str(if as_json { ",\"" } else { " " });
                out.push_str(name);
                out.push_str(if as_json { "\":" } else { "=" });
                out.push_str(itoa::Buffer::new().format(number));
            }
        }
    }
}
