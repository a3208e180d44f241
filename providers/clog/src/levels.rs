//! Which lines are written.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::layer::{Context, Filter};

use crate::config::ClogConfig;
use crate::emit;
use crate::level::Level;

/// The thresholds of a log: one for all, and one for each namespace or target that has its own.
#[derive(Debug)]
pub(crate) struct Levels {
    default: Level,
    /// The longest key first, so that the first match is the longest.
    rules: Vec<(String, Level)>,
    /// The least of all thresholds.
    least: Level,
}

impl Levels {
    pub(crate) fn new(config: &ClogConfig) -> Self {
        let mut rules: Vec<_> = config.levels.iter().map(|(key, level)| (key.clone(), *level)).collect();
        rules.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        let least = rules.iter().map(|(_, level)| *level).fold(config.level, Level::min);
        Self { default: config.level, rules, least }
    }

    /// Whether the namespace of a line can change what happens to it.
    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether a line of this namespace is written.
    pub(crate) fn passes(&self, level: Level, namespace: &str) -> bool {
        level >= self.rule(namespace, ".").unwrap_or(self.default)
    }

    /// The threshold that a line has by its target, for lines that name no namespace.
    pub(crate) fn of_target(&self, target: &str) -> Option<Level> {
        self.rule(target, "::")
    }

    fn rule(&self, name: &str, separator: &str) -> Option<Level> {
        self.rules
            .iter()
            .find(|(key, _)| {
                name.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
            })
            .map(|(_, level)| *level)
    }

    /// Whether a span or an event may be wanted, as far as its callsite tells.
    pub(crate) fn may_pass(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            // A span carries the trace id of the lines in it, also of those that matter more.
            return *metadata.level() <= self.most_verbose();
        }
        let Some(level) = emit::level_of(metadata) else { return false };
        let by_target = if emit::is_logger(metadata) || metadata.fields().field("namespace").is_some() {
            None
        } else {
            self.of_target(metadata.target())
        };
        level >= by_target.unwrap_or(self.least)
    }

    /// What is of no use at all lies beyond this.
    pub(crate) fn most_verbose(&self) -> LevelFilter {
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

    fn levels(default: Level, rules: &[(&str, Level)]) -> Levels {
        Levels::new(&ClogConfig {
            level: default,
            levels: rules.iter().map(|(key, level)| ((*key).to_owned(), *level)).collect(),
            ..ClogConfig::default()
        })
    }

    #[test]
    fn the_longest_namespace_that_matches_by_whole_names_counts() {
        let levels =
            levels(Level::Warn, &[("app.db", Level::Debug), ("app.db.pool", Level::Error), ("app", Level::Info)]);
        for (namespace, threshold) in [
            ("app", Level::Info),
            ("app.mq", Level::Info),
            ("app.db", Level::Debug),
            ("app.db.rows", Level::Debug),
            ("app.dbx", Level::Info),
            ("app.db.pool.one", Level::Error),
            ("application", Level::Warn),
        ] {
            let all = [Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
            for level in all {
                assert_eq!(levels.passes(level, namespace), level >= threshold, "{namespace} {level}");
            }
        }
    }

    #[test]
    fn a_target_is_matched_by_whole_names_too() {
        let levels = levels(Level::Info, &[("sqlx", Level::Warn), ("sqlx::query", Level::Debug)]);
        assert_eq!(levels.of_target("sqlx::pool"), Some(Level::Warn));
        assert_eq!(levels.of_target("sqlx::query::slow"), Some(Level::Debug));
        assert_eq!(levels.of_target("sqlx_core"), None);
    }
}
