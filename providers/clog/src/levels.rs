//! Which lines are written.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use gone_config::{SectionError, SectionFault};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{Interest, NoSubscriber};
use tracing_subscriber::layer::{Context, Filter};

use crate::config::{ClogConfig, is_namespace};
use crate::emit;
use crate::error::ClogError;
use crate::filter;
use crate::level::Level;
use crate::place::namespace_of;

/// The crates that carry what the providers send and receive. At `debug` they tell of each frame, so they are written from
/// [`OF_TRANSPORTS`] on unless they are asked for.
const TRANSPORTS: [&str; 8] = ["h2", "hyper", "hyper_util", "mio", "rustls", "tokio_util", "tonic", "tower"];
const OF_TRANSPORTS: Level = Level::Warn;

/// What a configuration says about levels; see [`ClogConfig`] for what goes before what.
pub(crate) struct LevelSettings<'a> {
    pub(crate) level: Level,
    pub(crate) levels: &'a BTreeMap<String, Level>,
    pub(crate) filter: Option<&'a str>,
}

impl<'a> LevelSettings<'a> {
    pub(crate) fn of(config: &'a ClogConfig) -> Self {
        Self { level: config.level, levels: &config.levels, filter: config.filter.as_deref() }
    }

    /// Where no filter is set, the one of the environment.
    fn read(&self) -> Result<Thresholds, ClogError> {
        let unfit = |field| move |problem: String| SectionError::from(SectionFault::hidden(field, problem));
        check_keys(self.levels).map_err(unfit("levels"))?;
        let directives = match self.filter {
            Some(text) => filter::parse(text).map_err(unfit("filter"))?,
            None => match env::var(filter::VARIABLE) {
                Ok(text) => filter::parse(&text).map_err(|problem| ClogError::Filter { problem })?,
                Err(env::VarError::NotPresent) => Vec::new(),
                Err(env::VarError::NotUnicode(_)) => {
                    return Err(ClogError::Filter { problem: "it is not UTF-8".to_owned() });
                }
            },
        };
        let mut default = self.level;
        let mut for_all = false;
        // What comes later counts: of two rules with one key, that of the filter.
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for (key, level) in self.levels {
            rules.insert(key.clone(), Rule { key: key.clone(), level: *level, begins: false });
        }
        for directive in directives {
            match directive.target {
                None => (default, for_all) = (directive.level, true),
                Some(key) => {
                    rules.insert(key.clone(), Rule { key, level: directive.level, begins: true });
                }
            }
        }
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.key.len()));
        let least = rules.iter().map(|rule| rule.level).fold(default, Level::min);
        // A filter with a level for all means all, as with other readers of filters.
        let quiets_transports = least < Level::Info && !for_all;
        Ok(Thresholds { default, rules, quiets_transports, least })
    }
}

/// The error names a key that can be neither a namespace nor a target.
pub(crate) fn check_keys(levels: &BTreeMap<String, Level>) -> Result<(), String> {
    match levels.keys().find(|key| !is_namespace(key)) {
        None => Ok(()),
        Some(key) => {
            let key: String = key.chars().take(64).collect();
            Err(format!("it has a key that is neither a namespace nor a target, {key:?}"))
        }
    }
}

/// The thresholds of a log, which can be replaced while it is in use.
#[derive(Debug)]
pub(crate) struct Levels {
    current: RwLock<Thresholds>,
    has_rules: AtomicBool,
    service: String,
    /// Whether there was a span that names a namespace: then that of a line is not known before.
    spans_name_namespaces: AtomicBool,
}

/// The thresholds of a log: one for all, and one for each namespace or target that has its own.
#[derive(Debug)]
struct Thresholds {
    default: Level,
    /// The longest key first, so that the first match is the longest.
    rules: Vec<Rule>,
    /// Whether [`TRANSPORTS`] that no rule names have a level of their own.
    quiets_transports: bool,
    /// The least of all thresholds.
    least: Level,
}

#[derive(Debug)]
struct Rule {
    key: String,
    level: Level,
    /// Whether it holds for every target that begins with the key, as with other readers of
    /// filters; else the key ends where a name does.
    begins: bool,
}

impl Thresholds {
    fn of_namespace(&self, namespace: &str) -> Option<Level> {
        self.rule(|rule| within(namespace, &rule.key, "."))
    }

    fn of_target(&self, target: &str) -> Option<Level> {
        self.rule(|rule| if rule.begins { target.starts_with(&rule.key) } else { within(target, &rule.key, "::") })
            .or_else(|| (self.quiets_transports && is_transport(target)).then_some(OF_TRANSPORTS))
    }

    /// Whether all lines have one threshold.
    fn is_one(&self) -> bool {
        self.rules.is_empty() && !self.quiets_transports
    }

    fn rule(&self, matches: impl Fn(&Rule) -> bool) -> Option<Level> {
        self.rules.iter().find(|rule| matches(rule)).map(|rule| rule.level)
    }
}

fn is_transport(target: &str) -> bool {
    TRANSPORTS.contains(&target.split("::").next().unwrap_or_default())
}

/// Whether `name` is `key`, or lies below it.
fn within(name: &str, key: &str, separator: &str) -> bool {
    name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

impl Levels {
    /// # Errors
    ///
    /// [`ClogError::Config`] or [`ClogError::Filter`] for a filter that cannot be read.
    pub(crate) fn new(settings: &LevelSettings<'_>, service: String) -> Result<Self, ClogError> {
        let thresholds = settings.read()?;
        Ok(Self {
            has_rules: AtomicBool::new(!thresholds.is_one()),
            current: RwLock::new(thresholds),
            service,
            spans_name_namespaces: AtomicBool::new(false),
        })
    }

    /// Puts other thresholds in the place of these. They hold for every line that is logged after
    /// this returns. What cannot be read changes nothing.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn replace(&self, settings: &LevelSettings<'_>) -> Result<(), ClogError> {
        let thresholds = settings.read()?;
        let has_rules = !thresholds.is_one();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = thresholds;
        self.has_rules.store(has_rules, Ordering::Release);
        ask_again();
        Ok(())
    }

    /// Told of a span that names a namespace, before any line inside it.
    pub(crate) fn spans_name_namespaces(&self) {
        if !self.spans_name_namespaces.load(Ordering::Acquire)
            && !self.spans_name_namespaces.swap(true, Ordering::AcqRel)
        {
            ask_again();
        }
    }

    fn current(&self) -> RwLockReadGuard<'_, Thresholds> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the target or the namespace of a line can change what happens to it.
    pub(crate) fn has_rules(&self) -> bool {
        self.has_rules.load(Ordering::Acquire)
    }

    /// Whether a line of this namespace is written.
    pub(crate) fn passes(&self, level: Level, namespace: &str) -> bool {
        let current = self.current();
        level >= current.of_namespace(namespace).unwrap_or(current.default)
    }

    /// Whether a line is written that names no namespace itself: its target is asked first.
    pub(crate) fn passes_by_target(&self, level: Level, target: &str, namespace: &str) -> bool {
        let current = self.current();
        level >= current.of_target(target).or_else(|| current.of_namespace(namespace)).unwrap_or(current.default)
    }

    /// Whether a span or an event may be wanted, as far as its callsite tells.
    pub(crate) fn may_pass(&self, metadata: &Metadata<'_>) -> bool {
        let current = self.current();
        if metadata.is_span() {
            // A span carries the trace id of the lines in it, also of those that matter more.
            return *metadata.level() <= current.most_verbose();
        }
        let level = emit::level_of(metadata);
        let names_one = emit::is_logger(metadata) || metadata.fields().field("namespace").is_some();
        if names_one || current.is_one() {
            return level >= current.least;
        }
        let threshold = current.of_target(metadata.target()).unwrap_or_else(|| {
            if self.spans_name_namespaces.load(Ordering::Acquire) {
                return current.least;
            }
            // That of a record of the `log` crate is always made of its target.
            let is_log = metadata.fields().field("log.target").is_some();
            let module_path = if is_log { None } else { metadata.module_path() };
            let namespace = namespace_of(&self.service, metadata.target(), module_path);
            current.of_namespace(&namespace).unwrap_or(current.default)
        });
        level >= threshold
    }

    /// What is of no use at all lies beyond this.
    pub(crate) fn most_verbose(&self) -> LevelFilter {
        self.current().most_verbose()
    }
}

/// Has every callsite ask its subscribers again whether they want it: each keeps what it was told.
fn ask_again() {
    // While there is no more than one subscriber, callsites ask the one that is current here,
    // which may be another. With a second one they ask all, also when that is gone again.
    drop(tracing::Dispatch::new(NoSubscriber::default()));
    tracing_core::callsite::rebuild_interest_cache();
}

impl Thresholds {
    fn most_verbose(&self) -> LevelFilter {
        self.least.in_tracing().max(tracing::Level::INFO).into()
    }
}

/// [`Levels`] as the filter of the log's own layer, so that other layers keep their own.
#[derive(Clone, Debug)]
pub(crate) struct LevelsFilter(pub(crate) std::sync::Arc<Levels>);

impl<S> Filter<S> for LevelsFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.may_pass(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.may_pass(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.most_verbose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Level; 6] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

    fn thresholds(level: Level, rules: &[(&str, Level)], filter: &str) -> Levels {
        let levels = &rules.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect();
        Levels::new(&LevelSettings { level, levels, filter: Some(filter) }, "app".to_owned()).unwrap()
    }

    #[test]
    fn the_longest_namespace_that_matches_by_whole_names_counts() {
        let rules = [("app.db", Level::Debug), ("app.db.pool", Level::Error), ("app", Level::Info)];
        let levels = thresholds(Level::Warn, &rules, "");
        for (namespace, threshold) in [
            ("app", Level::Info),
            ("app.mq", Level::Info),
            ("app.db", Level::Debug),
            ("app.db.rows", Level::Debug),
            ("app.dbx", Level::Info),
            ("app.db.pool.one", Level::Error),
            ("application", Level::Warn),
        ] {
            for level in ALL {
                assert_eq!(levels.passes(level, namespace), level >= threshold, "{namespace} {level}");
            }
        }
    }

    #[test]
    fn other_levels_hold_from_the_next_line_on_for_every_kind_of_subscriber() {
        use crate::{Clog, Format};
        use tracing_subscriber::layer::SubscriberExt;

        let mut config = ClogConfig { level: Level::Info, format: Format::Json, ..ClogConfig::default() };
        config.filter = Some(String::new());
        for is_alone in [true, false] {
            let clog = Clog::with_writer(config.clone(), std::io::sink()).unwrap();
            let dispatch = match is_alone {
                true => tracing::Dispatch::new(clog.subscriber()),
                false => tracing::Dispatch::new(tracing_subscriber::registry().with(clog.layer())),
            };
            let log = clog.logger().namespace("db");
            let written = |level: Level| {
                let before = clog.lines().written;
                tracing::dispatcher::with_default(&dispatch, || {
                    log.at(level).write("logger");
                    match level {
                        Level::Trace => tracing::trace!("macro"),
                        Level::Debug => tracing::debug!("macro"),
                        _ => tracing::info!("macro"),
                    }
                });
                clog.lines().written - before
            };
            let replace = |level, rules: &[(&str, Level)], filter| {
                let levels = &rules.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect();
                clog.replace_levels(&LevelSettings { level, levels, filter: Some(filter) })
            };
            let all = |expected: [u64; 3]| {
                assert_eq!([Level::Trace, Level::Debug, Level::Info].map(written), expected, "alone: {is_alone}");
            };
            all([0, 0, 2]);
            replace(Level::Trace, &[], "").unwrap();
            all([2, 2, 2]);
            replace(Level::Warn, &[], "").unwrap();
            all([0, 0, 0]);
            let own = format!("{}.db", clog.logger().path());
            replace(Level::Warn, &[(&own, Level::Debug)], "").unwrap();
            all([0, 1, 1]);
            assert!(replace(Level::Trace, &[("two words", Level::Debug)], "").is_err());
            assert!(replace(Level::Trace, &[], "loud=very").is_err());
            all([0, 1, 1]);
            replace(Level::Warn, &[], "debug,gone_clog=off").unwrap();
            all([0, 1, 1]);
        }
    }

    fn of_target(levels: &Levels, target: &str) -> Option<Level> {
        levels.current().of_target(target)
    }

    #[test]
    fn a_target_is_matched_by_whole_names_too() {
        let levels = thresholds(Level::Info, &[("sqlx", Level::Warn), ("sqlx::query", Level::Debug)], "");
        assert_eq!(of_target(&levels, "sqlx::pool"), Some(Level::Warn));
        assert_eq!(of_target(&levels, "sqlx::query::slow"), Some(Level::Debug));
        assert_eq!(of_target(&levels, "sqlx_core"), None);
    }

    #[test]
    fn a_filter_goes_before_the_levels_and_those_before_the_level() {
        let rules = [("hyper", Level::Error), ("hyper::client", Level::Info), ("app.db", Level::Debug)];
        let levels = thresholds(Level::Error, &rules, "warn,hyper=debug,app.db.pool=off");
        assert_eq!(of_target(&levels, "hyper::proto"), Some(Level::Debug));
        // As other readers of filters have it.
        assert_eq!(of_target(&levels, "hyper_util"), Some(Level::Debug));
        assert_eq!(of_target(&levels, "hyper::client::conn"), Some(Level::Info));
        assert!(levels.passes(Level::Debug, "app.db"));
        assert!(!levels.passes(Level::Error, "app.db.pool"));
        assert!(levels.passes(Level::Fatal, "app.db.pool"));
        assert!(levels.passes(Level::Warn, "app") && !levels.passes(Level::Info, "app"));
    }

    #[test]
    fn what_cannot_be_read_leaves_the_levels_as_they_are() {
        let levels = thresholds(Level::Warn, &[], "");
        let none = BTreeMap::new();
        let error = levels.replace(&LevelSettings { level: Level::Trace, levels: &none, filter: Some("a=loud") });
        let Err(ClogError::Config(error)) = error else { panic!("{error:?}") };
        assert_eq!(error.faults()[0].field(), Some("filter"));
        assert!(!levels.passes(Level::Info, "app") && !levels.has_rules());
        levels.replace(&LevelSettings { level: Level::Trace, levels: &none, filter: Some("a=error") }).unwrap();
        assert!(levels.passes(Level::Trace, "app") && levels.has_rules());
    }
}
