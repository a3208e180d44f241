//! The container's side: the provider of [`Logger`], and the module that loads it.

use std::sync::Arc;

use gone_config::{ConfigErrors, Settings};
use gone_core::{
    Asker, Close, CloseReport, Code, Deadline, Error, Goner, Init, Loader, Provider, Result, Sources, Tag,
};
use gone_kit::{Stat, StatsReader};
use gone_macros::Goner;

use crate::profile::defaults;
use crate::{Clog, ClogConfig, Logger};

/// The section of the config that the log reads.
const SECTION: &str = "clog";

/// Loads the log. It is set up before every other goner is built, and flushed after all of them are closed.
pub fn module(loader: &mut Loader) {
    loader.load(ClogProvider::goner().early());
}

/// Sets up the log as the section `clog` of the config says, makes it the process's default subscriber if there is none yet,
/// and provides loggers.
///
/// `#[gone] log: Logger` has the namespace of the asking goner under the service's: its type in snake_case.
/// `#[gone("*,orders.import")] log: Logger` has that namespace instead. A function's parameter has the service's own.
///
/// The section is a [`ClogConfig`], over its defaults for the profile, and is checked in the plan for whoever asks for a logger. A
/// profile that is neither `development` nor `production` has to set `level` and `format` there.
#[derive(Goner)]
#[goner(offers(dyn StatsReader), crate = gone_core)]
pub struct ClogProvider {
    #[gone]
    settings: Arc<Settings>,
    log: Option<Clog>,
}

impl Init for ClogProvider {
    async fn init(&mut self) -> Result<()> {
        let log = Clog::open(config(&self.settings)?)?;
        log.install();
        self.log = Some(log);
        Ok(())
    }
}

impl Provider for ClogProvider {
    type Output = Logger;

    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        if tag.extend().split('.').any(|name| name.contains(|c: char| c.is_whitespace() || c.is_control())) {
            return Err(Error::new(Code::Config, "a namespace is names with a dot between them, without spaces"));
        }
        // What a source could not read stands in the report by itself.
        sources.get::<Settings>().map_or(Ok(()), |settings| config(settings).map(drop))
    }

    async fn provide(&self, tag: &Tag) -> Result<Logger> {
        let root = self.log.as_ref().map(Clog::logger).ok_or_else(|| Error::msg("the log is not set up"))?;
        Ok(match tag.extend() {
            "" => root.namespace(namespace(tag.asker())),
            name => root.namespace(name),
        })
    }
}

fn config(settings: &Settings) -> Result<ClogConfig> {
    let defaults = defaults(settings, SECTION)?;
    let config = settings.component(SECTION, "", &defaults).map_err(ConfigErrors::into_error)?;
    config.validate().map_err(|error| Error::new(Code::Config, format_args!("config section `{SECTION}`: {error}")))?;
    Ok(config)
}

/// A goner's type in snake_case, without its parameters; nothing for a function.
fn namespace(asker: &Asker) -> String {
    if asker.module_path().is_empty() {
        return String::new();
    }
    let name = asker.goner().split('<').next().unwrap_or_default();
    let mut out = String::with_capacity(name.len() + 4);
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && before_lower {
            out.push('_');
        }
        before_lower = !c.is_uppercase() && c != '_';
        out.extend(c.to_lowercase());
    }
    out
}

impl StatsReader for ClogProvider {
    fn name(&self) -> &str {
        SECTION
    }

    fn stats(&self) -> Vec<Stat> {
        let lines = self.log.as_ref().map(Clog::lines);
        let (written, lost) = lines.map_or((0, 0), |lines| (lines.written, lines.lost));
        let suppressed = self.log.as_ref().map_or(0, Clog::suppressed);
        vec![
            Stat::counter("lines_written", written),
            Stat::counter("lines_lost", lost),
            Stat::counter("lines_suppressed", suppressed),
        ]
    }
}

impl Close for ClogProvider {
    /// Flushes. The output stays open: the process may still have something to say, and another application in it may log here.
    async fn close(&self, _: Deadline) -> Result<CloseReport> {
        let lines = self.log.as_ref().map(Clog::flush);
        Ok(lines.map_or(CloseReport::clean(), |lines| CloseReport::clean().flushed(lines.written).lost(lines.lost)))
    }
}
