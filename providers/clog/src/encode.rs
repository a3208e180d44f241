//! A finished line.

use std::fmt::{self, Write};
use std::time::SystemTime;

use crate::clog::Core;
use crate::config::Format;
use crate::escape::{Escape, Escaped, console_word, json_string};
use crate::fields::write_key;
use crate::level::Level;
use crate::{caller, time};

/// The parts of a line, in the order in which they come to light.
#[derive(Default)]
pub(crate) struct Parts {
    /// Escaped, without quotes.
    pub(crate) message: String,
    /// As given.
    pub(crate) namespace: String,
    /// As given; empty: the root of the namespace is worked out.
    pub(crate) service: String,
    /// As given; empty: none.
    pub(crate) trace_id: String,
    /// As given; empty: unknown.
    pub(crate) file: String,
    pub(crate) line: Option<u64>,
    /// Keys and values, ready.
    pub(crate) fields: String,
    /// `error` and what belongs to it, ready.
    pub(crate) error: String,
}

impl Parts {
    pub(crate) fn clear(&mut self) {
        for text in [
            &mut self.message,
            &mut self.namespace,
            &mut self.service,
            &mut self.trace_id,
            &mut self.file,
            &mut self.fields,
            &mut self.error,
        ] {
            text.clear();
        }
        self.line = None;
    }

    /// Writes the line with its line break.
    pub(crate) fn write(&self, out: &mut String, core: &Core, level: Level, now: SystemTime) {
        // Writing into a `String` does not fail.
        let _ = match core.format {
            Format::Json => self.write_json(out, core, level, now),
            Format::Console => self.write_console(out, core, level, now),
        };
    }

    fn write_json(&self, out: &mut String, core: &Core, level: Level, now: SystemTime) -> fmt::Result {
        out.push_str("{\"time\":\"");
        time::write_local(out, now, false);
        write!(out, "\",\"level\":\"{}\",\"msg\":\"{}\"", level.as_str(), self.message)?;
        if core.add_source && !self.file.is_empty() {
            write_key(out, "caller", true)?;
            out.push('"');
            self.write_caller(&mut Escaped { out, escape: Escape::Json }, core)?;
            out.push('"');
        }
        write_key(out, "namespace", true)?;
        json_string(out, &self.namespace)?;
        write_key(out, "service", true)?;
        json_string(out, self.root(core))?;
        if !self.trace_id.is_empty() {
            write_key(out, "trace_id", true)?;
            json_string(out, &self.trace_id)?;
        }
        out.push_str(&self.fields);
        out.push_str(&self.error);
        out.push_str("}\n");
        Ok(())
    }

    fn write_console(&self, out: &mut String, core: &Core, level: Level, now: SystemTime) -> fmt::Result {
        time::write_local(out, now, true);
        let (name, colour) = match level {
            Level::Debug => ("DEBUG", "36"),
            Level::Info => ("INFO", "32"),
            Level::Warn => ("WARN", "33"),
            Level::Error => ("ERROR", "31"),
            Level::Fatal => ("FATAL", "1;31"),
        };
        if core.is_coloured {
            write!(out, " \u{1b}[{colour}m{name:<5}\u{1b}[0m [")?;
        } else {
            write!(out, " {name:<5} [")?;
        }
        Escaped { out, escape: Escape::Plain }.write_str(&self.namespace)?;
        out.push_str("] ");
        out.push_str(&self.message);
        if !self.trace_id.is_empty() {
            out.push_str(" trace_id=");
            console_word(out, &self.trace_id)?;
        }
        out.push_str(&self.fields);
        out.push_str(&self.error);
        if core.add_source && !self.file.is_empty() {
            out.push_str(" (");
            self.write_caller(&mut Escaped { out, escape: Escape::Plain }, core)?;
            out.push(')');
        }
        out.push('\n');
        Ok(())
    }

    fn write_caller(&self, out: &mut dyn Write, core: &Core) -> fmt::Result {
        out.write_str(caller::shown(&self.file, &core.root_path))?;
        self.line.map_or(Ok(()), |line| write!(out, ":{line}"))
    }

    /// The root of the namespace: the log's own service where the namespace lies below it, else
    /// its first name.
    fn root<'a>(&'a self, core: &'a Core) -> &'a str {
        if !self.service.is_empty() {
            return &self.service;
        }
        match self.namespace.strip_prefix(core.service.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => &core.service,
            _ => self.namespace.split('.').next().unwrap_or_default(),
        }
    }
}
