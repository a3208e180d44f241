//! The container's side: the provider of [`Logger`], and the module that loads it.

use std::sync::Arc;

use gone_config::{ConfigErrors, Live, Section, Settings};
use gone_core::{
    Asker, Close, CloseReport, Code, Deadline, Error, Goner, Init, Loader, Provider, Result, Run, ShutdownToken,
    Sources, Tag,
};
use gone_kit::{Stat, StatsReader};
use gone_macros::Goner;

use crate::live::{Checked, follow};
use crate::{Clog, ClogConfig, Logger};

/// Loads the log. It is set up before every other goner is built, and flushed after all of them are closed.
pub fn module(loader: &mut Loader) {
    // The section is checked in the plan, also if nobody asks for a logger.
    loader.load(ClogProvider::goner().early().when(|sources: &Sources| checked(sources).map(|()| true)));
}

/// Sets up the log as the section `clog` of the config says, makes it the process's default subscriber if there is none yet,
/// and provides loggers.
///
/// `#[gone] log: Logger` has the namespace of the asking goner under the service's: its type in snake_case.
/// `#[gone("*,orders.import")] log: Logger` has that namespace instead. A function's parameter has the service's own.
///
/// The section is a [`ClogConfig`], over its defaults for the profile, and is checked in the plan, by [`module`] also where nobody asks
/// for a logger. A profile that is neither `development` nor `production` has to set `level` and `format` there.
///
/// `level`, `levels` and `filter` follow the config while the application runs, within a second of a change; a section that does not
/// hold as a whole is refused, and what held before is kept. The other settings hold from the start to the end.
#[derive(Debug, Goner)]
#[goner(offers(dyn StatsReader), crate = gone_core)]
pub struct ClogProvider {
    #[gone]
    settings: Arc<Settings>,
    log: Option<Clog>,
    section: Option<Live<Checked>>,
}

impl Init for ClogProvider {
    async fn init(&mut self) -> Result<()> {
        let (config, section) = config(&self.settings)?;
        let log = Clog::open(config)?;
        log.install();
        (self.log, self.section) = (Some(log), section);
        Ok(())
    }
}

// A type that is no provider is not helped by a list of those that are.
#[diagnostic::do_not_recommend]
impl Provider for ClogProvider {
    type Output = Logger;

    fn accepts(tag: &Tag, sources: &Sources) -> Result<()> {
        if tag.extend().split('.').any(|name| name.contains(|c: char| c.is_whitespace() || c.is_control())) {
            return Err(Error::new(Code::Config, "a namespace is names with a dot between them, without spaces"));
        }
        checked(sources)
    }

    async fn provide(&self, tag: &Tag) -> Result<Logger> {
        let root = self.log.as_ref().map(Clog::logger).ok_or_else(|| Error::msg("the log is not set up"))?;
        Ok(match tag.extend() {
            "" => root.namespace(namespace(tag.asker())),
            name => root.namespace(name),
        })
    }
}

/// Whether the section holds, for all who ask for a logger.
#[derive(Clone)]
struct Sound(Result<()>);

fn checked(sources: &Sources) -> Result<()> {
    // What a source could not read stands in the report by itself.
    let Some(settings) = sources.get::<Settings>() else { return Ok(()) };
    settings.once(|settings| Sound(config(settings).map(drop))).0
}

/// The settings of the log; and the section, if it is set. One that is not is worked out when there is time for it.
fn config(settings: &Settings) -> Result<(ClogConfig, Option<Live<Checked>>)> {
    if settings.origin(ClogConfig::NAME).is_none() {
        return Ok((defaults(settings)?, None));
    }
    let section = section(settings)?;
    Ok((section.get().0.clone(), Some(section)))
}

fn defaults(settings: &Settings) -> Result<ClogConfig> {
    settings.defaults("").map_err(ConfigErrors::into_error)
}

fn section(settings: &Settings) -> Result<Live<Checked>> {
    let defaults = Live::constant(Checked(defaults(settings)?));
    let section: Live<Checked> =
        settings.component(ClogConfig::NAME, "", &defaults).map_err(ConfigErrors::into_error)?;
    Ok(section.without_new_files())
}

impl Run for ClogProvider {
    /// Follows the levels of the section.
    async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let section = self.section.clone().map_or_else(|| section(&self.settings), Ok)?;
        shutdown.run_until_cancelled(follow(log, &section)).await;
        Ok(())
    }
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
        ClogConfig::NAME
    }

    fn stats(&self) -> Vec<Stat> {
        let suppressed = self.log.as_ref().map_or(0, Clog::suppressed);
        let it = self.log.as_ref().map(Clog::stats).unwrap_or_default();
        vec![
            Stat::counter("lines_written", it.written),
            Stat::counter("lines_lost", it.lost_by_overflow + it.lost_by_failure + it.lost_by_close),
            Stat::counter("lines_lost_by_overflow", it.lost_by_overflow),
            Stat::counter("lines_lost_by_failure", it.lost_by_failure),
            Stat::counter("lines_lost_by_close", it.lost_by_close),
            Stat::counter("lines_suppressed", suppressed),
            Stat::counter("notices", it.notices),
            Stat::gauge("queue_lines", it.pending),
            Stat::gauge("queue_lines_max", it.max_pending),
            Stat::gauge("queue_bytes", it.pending_bytes),
            Stat::gauge("queue_bytes_max", it.max_pending_bytes),
            Stat::counter("write_failures", it.write_failures),
            Stat::counter("rotations", it.rotations),
            Stat::counter("rotation_failures", it.rotation_failures),
            Stat::counter("reopenings", it.reopenings),
        ]
    }
}

impl Close for ClogProvider {
    /// Flushes until the deadline. The output stays open: the process may still have something to say, and another application in
    /// it may log here; each of these lines is waited for as one at `error` is, see [`Queue`](crate::Queue). Lines that are pending at the deadline count as still running: they go on being written.
    ///
    /// A future that is dropped leaves the flush behind, which ends by its deadline.
    async fn close(&self, deadline: Deadline) -> Result<CloseReport> {
        let Some(log) = self.log.clone() else { return Ok(CloseReport::clean()) };
        let limit = deadline.remaining();
        let lines = tokio::task::spawn_blocking(move || log.flush_for_the_end(limit)).await?;
        Ok(CloseReport::clean().flushed(lines.written).lost(lines.lost).still_running(lines.pending))
    }
}

#[cfg(test)]
mod tests {
    use gone_config::ConfigSource;

    use super::*;
    use crate::{Overflow, QueueMode};

    #[test]
    fn the_tables_of_the_section_lie_over_the_defaults_of_the_profile() {
        let folder = tempfile::tempdir().unwrap();
        let read = |max_bytes: &str| {
            let source = ConfigSource::new().folder(folder.path()).profile("production");
            let source = source.environment([("GONE_CLOG__QUEUE__OVERFLOW", "drop_newest")]);
            let source = source.set("clog.output", "app.log").set("clog.rotation.max_bytes", max_bytes);
            section(&source.read().unwrap()).map(|section| section.get().0.clone())
        };
        let config = read("2000000").unwrap();
        assert_eq!((config.queue.mode, config.queue.overflow), (QueueMode::Queued, Overflow::DropNewest));
        assert_eq!(config.rotation.unwrap().max_bytes, 2_000_000);
        let error = read("7").unwrap_err().to_string();
        assert!(error.contains("config key `clog`") && error.contains("`rotation.max_bytes` is 7"), "{error}");
    }

    #[derive(Goner)]
    #[goner(crate = gone_core)]
    struct Asks {
        #[gone]
        _log: Logger,
    }

    #[test]
    fn a_plan_knows_the_keys_of_the_tables_that_have_no_default() {
        let folder = tempfile::tempdir().unwrap();
        let problems = |key: &str| {
            let source = ConfigSource::new().folder(folder.path()).environment([("GONE_CLOG__OUTPUT", "app.log")]);
            let source = source.set(key, 7_000);
            let builder = gone_core::AppBuilder::new().fallback(gone_config::module).fallback(module);
            builder.load((Asks::goner(), gone_core::source(source))).check().map_err(|error| error.to_string())
        };
        problems("clog.rotation.max_bytes").unwrap();
        problems("clog.queue.max_lines").unwrap();
        for (key, unknown) in [
            ("clog.rotation.max_byts", "max_byts"),
            ("clog.queue.max_lnes", "max_lnes"),
            ("clog.rotatio.max_bytes", "config key `clog.rotatio`: unknown"),
        ] {
            let error = problems(key).unwrap_err();
            assert!(error.contains(unknown), "{error}");
        }
    }

    #[test]
    fn a_section_that_only_the_environment_sets_counts_from_the_first_line_on() {
        let settings = ConfigSource::hermetic().environment([("GONE_CLOG__LEVEL", "error")]).read().unwrap();
        let (config, section) = config(&settings).unwrap();
        assert_eq!((config.level, section.is_some()), (crate::Level::Error, true));
        let (config, section) = super::config(&ConfigSource::hermetic().read().unwrap()).unwrap();
        assert_eq!((config.level, section.is_some()), (crate::Level::Debug, false));
    }

    fn settings(profile: &str, set: &[(&'static str, &'static str)]) -> Settings {
        ConfigSource::hermetic().profile(profile).environment(set.iter().copied()).read().unwrap()
    }

    #[test]
    fn a_known_profile_needs_no_section() {
        assert_eq!(defaults(&settings("production", &[])).unwrap().format, crate::Format::Json);
        assert_eq!(defaults(&settings("development", &[])).unwrap().level, crate::Level::Debug);
    }

    #[test]
    fn another_profile_is_fine_when_the_section_says_level_and_format() {
        let both = [("GONE_CLOG__LEVEL", "info"), ("GONE_CLOG__FORMAT", "json")];
        assert_eq!(defaults(&settings("staging", &both)).unwrap(), ClogConfig::default());
        let error = defaults(&settings("prodution", &both[..1])).unwrap_err().to_string();
        assert!(error.contains("unknown profile \"prodution\", did you mean `production`?"), "{error}");
        assert!(error.contains("has to set `clog.format` in the config"), "{error}");
        let error = defaults(&settings("staging", &[])).unwrap_err().to_string();
        assert!(error.contains("`clog.level`, `clog.format`"), "{error}");
    }

    #[test]
    fn every_setting_of_a_line_can_stand_in_the_section() {
        let set = [
            ("GONE_CLOG__FILTER", "info,hyper=warn"),
            ("GONE_CLOG__MAX_LINE", "8192"),
            ("GONE_CLOG__REDACTION__KEYS", r#"["iban"]"#),
            ("GONE_CLOG__SAMPLING__FIRST", "100"),
        ];
        let config: ClogConfig = settings("production", &set).instance("").unwrap();
        assert_eq!(
            (config.filter.as_deref(), config.max_line, config.max_field),
            (Some("info,hyper=warn"), 8_192, 8_192)
        );
        assert_eq!((config.redaction.keys.as_slice(), config.sampling.first), (&["iban".to_owned()][..], 100));
    }
}
