//! How a log is set up.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::ClogError;
use crate::filter;
use crate::level::Level;
use crate::levels::check_keys;
use crate::lines::{LONGEST_LINE, SHORTEST_FIELD, SHORTEST_LINE};
use crate::queue::Queue;
use crate::rotation::Rotation;
use crate::sampling::Sampling;
use crate::secrets::Redaction;
use gone_config::{Faults, Section, SectionFault};
use gone_kit::{named, nearest};

/// The settings of a log.
///
/// What a configuration leaves out is as in [`for_profile("development")`](Section::for_profile);
/// a key that is not known is refused.
///
/// Which lines are written:
///
/// | setting | holds for |
/// |---|---|
/// | [`filter`](Self::filter), or `RUST_LOG` where that is not set | the targets and namespaces that it names; its level without a target for all others, in the place of `level` |
/// | [`levels`](Self::levels) | the namespaces and targets that it names; of one that both name, `filter` tells. Whichever key is longer counts, from either |
/// | `warn` | the transports under the providers (`h2`, `hyper`, `hyper_util`, `mio`, `rustls`, `tokio_util`, `tonic`, `tower`), where `debug` or `trace` is on for anything, no target of theirs is named, and the filter has no level for all |
/// | [`level`](Self::level) | all others |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClogConfig {
    /// The least level that is written: `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
    pub level: Level,
    /// Levels of single namespaces and of all below them, instead of [`level`](Self::level):
    /// `"orders.store" = "debug"`. The longest match counts. A line of `tracing`'s own macros that
    /// names no namespace is matched by its target too: `"sqlx::query" = "warn"`.
    pub levels: BTreeMap<String, Level>,
    /// Levels as the variable `RUST_LOG` has them: `"info,hyper=warn,my_crate::db=debug"`. Not set:
    /// that variable is read when the log is opened.
    ///
    /// Between commas stands a level, or `target=level`, or a target alone, which stands for
    /// `target=trace`. Levels are `trace`, `debug`, `info`, `warn`, `error`, `fatal` and `off`, which leaves only
    /// fatal lines. A target holds for every target that begins with it, and for a namespace and
    /// all below it. Of two that match, the longer counts; spans and fields are not filtered by.
    pub filter: Option<String>,
    /// `json` or `console`.
    pub format: Format,
    /// `stdout`, `stderr`, or the path of a file, which is appended to; its folder is made.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub output: Output,
    /// Whether a line names the place that it was logged from.
    pub add_source: bool,
    /// Whether a console line colours its level: `auto`, `always` or `never`.
    #[serde(alias = "color")]
    pub colour: Colour,
    /// The root namespace, normally the service's name. Empty: the name of the running program.
    pub service: String,
    /// Callers are shown relative to the folder of this name, where their path has one. Empty: as
    /// the compiler was given them, from the root of the workspace.
    pub root_path: String,
    /// How lines wait for the output, and what happens when they come faster than it takes them.
    pub queue: Queue,
    /// When a log file makes room for a new one. Nothing: never.
    pub rotation: Option<Rotation>,
    /// Whether the fields of the spans around a line stand on it, after its own.
    pub span_fields: bool,
    /// The most bytes of a line, from 4 KiB to 16 MiB. Of a longer one the last fields are left out,
    /// then the error, then the end of the message; `cut_bytes` tells how many bytes that were.
    pub max_line: usize,
    /// The most bytes of a message or of a value, from 64 to [`max_line`](Self::max_line). A longer one is cut and ends
    /// in `…(123 bytes cut)`; a list or an object becomes a text then.
    pub max_field: usize,
    /// Which fields are hidden by their keys, besides those that always are.
    pub redaction: Redaction,
    /// How many lines of one message are written when many come.
    pub sampling: Sampling,
}

#[cfg(feature = "schema")]
gone_config::config_section!("clog", ClogConfig);

/// The defaults of the profiles:
///
/// | setting | `development` | `production` |
/// |---|---|---|
/// | level | `debug` | `info` |
/// | levels | none | none |
/// | format | `console` | `json` |
/// | output | `stdout` | `stdout` |
/// | add_source | `true` | `true` |
/// | colour | `auto` | `never` |
/// | service, root_path | empty | empty |
/// | queue.mode | `direct` | `queued` |
/// | queue.overflow | `block` | `block` |
/// | queue.drop_below | `warn` | `warn` |
/// | queue.max_lines, queue.max_bytes | 100,000, 8 MiB | 100,000, 8 MiB |
/// | queue.max_wait, queue.error_wait | 30 s, 1 s | 30 s, 1 s |
/// | rotation | none | none |
/// | filter | not set | not set |
/// | span_fields | `true` | `true` |
/// | max_line, max_field | 16 KiB, 8 KiB | 16 KiB, 8 KiB |
/// | redaction.keys | none besides those that always are | as there |
/// | sampling.first, .then_every | 0 (off), 100 | 0 (off), 100 |
impl Section for ClogConfig {
    const NAME: &'static str = "clog";

    const OPEN: Option<&'static [&'static str]> = Some(&["level", "format"]);

    fn production() -> Self {
        let (level, format, colour) = (Level::Info, Format::Json, Colour::Never);
        Self { level, format, colour, queue: Queue::in_production(), ..Self::default() }
    }

    fn check(&self, faults: &mut Faults) {
        // A path from code has not gone through `Output::from_str`.
        if matches!(&self.output, Output::File(path) if path.as_os_str().is_empty()) {
            faults.push(SectionFault::hidden("output", EMPTY_OUTPUT));
        }
        if !self.service.is_empty() && !is_namespace(&self.service) {
            faults.push(SectionFault::unfit("service", format!("{:?}", self.service), NO_NAMESPACE));
        }
        check_keys(&self.levels).unwrap_or_else(|problem| faults.push(SectionFault::hidden("levels", problem)));
        if self.root_path.contains(char::is_control) {
            faults.push(SectionFault::hidden("root_path", "it holds control characters"));
        }
        faults.within("max_line", self.max_line, SHORTEST_LINE..=LONGEST_LINE);
        faults.within("max_field", self.max_field, SHORTEST_FIELD..=self.max_line.max(SHORTEST_FIELD));
        if let Some(problem) = self.redaction.problem() {
            faults.push(SectionFault::hidden("redaction", problem));
        }
        if let Some(Err(problem)) = self.filter.as_deref().map(filter::parse) {
            faults.push(SectionFault::hidden("filter", problem));
        }
        self.queue.check(faults);
        match (&self.rotation, &self.output) {
            (None, _) => {}
            (Some(rotation), Output::File(_)) => rotation.check(faults),
            (Some(_), output) => {
                faults.push(SectionFault::hidden("rotation", format!("it is for files, and `output` is `{output}`")));
            }
        }
    }
}

const EMPTY_OUTPUT: &str = "it is empty: `stdout`, `stderr`, or the path of a file";
const NO_NAMESPACE: &str =
    "it must be a namespace: names with a dot between them, without spaces and control characters";

pub(crate) fn is_namespace(text: &str) -> bool {
    text.split('.').all(|name| !name.is_empty()) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl Default for ClogConfig {
    /// The defaults of the profile `development`.
    fn default() -> Self {
        Self {
            level: Level::Debug,
            levels: BTreeMap::new(),
            format: Format::Console,
            output: Output::Stdout,
            add_source: true,
            colour: Colour::Auto,
            service: String::new(),
            root_path: String::new(),
            queue: Queue::default(),
            rotation: None,
            filter: None,
            span_fields: true,
            max_line: 16 * 1024,
            max_field: 8 * 1024,
            redaction: Redaction::default(),
            sampling: Sampling::default(),
        }
    }
}

named! {
    /// How a line is written.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Format ("log format") {
        /// One JSON object a line.
        Json = "json",
        /// Text for people.
        Console = "console",
    }
}

named! {
    /// Whether the level of a console line is coloured. JSON never is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Colour ("colour setting") {
        /// On a terminal only, and not where the environment has `NO_COLOR`.
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

impl FromStr for Output {
    type Err = ClogError;

    /// `stdout`, `stderr`, or a path.
    ///
    /// # Errors
    ///
    /// [`ClogError::Output`] when the text is empty, and when it is a bare name that is nearly
    /// `stdout` or `stderr`: a file of that name is hardly what is meant. `./stdot` is a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = match text {
            "stdout" => return Ok(Self::Stdout),
            "stderr" => return Ok(Self::Stderr),
            _ if text.trim().is_empty() => EMPTY_OUTPUT.to_owned(),
            _ if text.contains(['/', '\\', '.']) => return Ok(Self::File(text.into())),
            _ => match nearest(text, &["stdout", "stderr"]) {
                None => return Ok(Self::File(text.into())),
                Some(near) => {
                    format!("it is {text:?}, did you mean `{near}`? A file of that name is `./{text}`")
                }
            },
        };
        Err(ClogError::Output { problem })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Serialize for Output {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stdout => to.serialize_str("stdout"),
            Self::Stderr => to.serialize_str("stderr"),
            Self::File(path) => path.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Output {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::queue::{Overflow, QueueMode};
    use crate::rotation::Every;

    fn read(json: &str) -> Result<ClogConfig, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    // CLG-1
    #[test]
    fn development_is_debug_on_a_console_in_colour() {
        let config = ClogConfig::for_profile("development").unwrap();
        assert_eq!(config.level, Level::Debug);
        assert_eq!(config.format, Format::Console);
        assert_eq!(config.colour, Colour::Auto);
        assert_eq!(config.output, Output::Stdout);
        assert!(config.add_source);
        config.validate().unwrap();
    }

    // CLG-2
    #[test]
    fn production_is_info_in_json_without_colour() {
        let config = ClogConfig::for_profile("production").unwrap();
        assert_eq!(config.level, Level::Info);
        assert_eq!(config.format, Format::Json);
        assert_eq!(config.colour, Colour::Never);
        assert_eq!(config.output, Output::Stdout);
        assert!(config.add_source);
        config.validate().unwrap();
    }

    #[test]
    fn any_other_profile_is_an_error_with_the_near_one() {
        let error = ClogConfig::for_profile("prod").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown profile \"prod\", did you mean `production`? \
             Allowed: `development`, `production`"
        );
        assert!(ClogConfig::for_profile("").is_err());
    }

    // container A-106
    #[test]
    fn an_unknown_level_or_format_names_the_value_the_allowed_ones_and_the_near_one() {
        let error = read(r#"{"level":"warning"}"#).unwrap_err();
        assert!(error.contains("unknown log level \"warning\", did you mean `warn`?"), "{error}");
        assert!(error.contains("`debug`, `info`, `warn`, `error`, `fatal`"), "{error}");
        let error = read(r#"{"format":"jsn"}"#).unwrap_err();
        assert!(error.contains("unknown log format \"jsn\", did you mean `json`?"), "{error}");
        let error = read(r#"{"colour":"yes"}"#).unwrap_err();
        assert!(error.contains("`auto`, `always`, `never`"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = read(r#"{"levle":"info"}"#).unwrap_err();
        assert!(error.contains("unknown field `levle`"), "{error}");
    }

    #[test]
    fn what_is_left_out_is_as_in_development() {
        let config = read(r#"{"level":"error","levels":{"app.db":"debug"},"color":"never"}"#);
        let expected = ClogConfig {
            level: Level::Error,
            levels: [("app.db".to_owned(), Level::Debug)].into(),
            colour: Colour::Never,
            ..ClogConfig::default()
        };
        assert_eq!(config, Ok(expected));
    }

    #[test]
    fn a_configuration_reads_back_as_written() {
        let mut config = ClogConfig::for_profile("production").unwrap();
        config.output = Output::File("logs/app.log".into());
        config.levels.insert("app.mq".to_owned(), Level::Fatal);
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(read(&text), Ok(config));
    }

    #[test]
    fn the_queue_and_the_rotation_have_sections_of_their_own() {
        let config = read(
            r#"{"output":"app.log","queue":{"mode":"queued","overflow":"drop_below","max_wait":"2s"},"rotation":{"every":"day"}}"#,
        )
        .unwrap();
        assert_eq!(config.queue.mode, QueueMode::Queued);
        assert_eq!(config.queue.overflow, Overflow::DropBelow);
        assert_eq!(config.queue.max_wait, Duration::from_secs(2));
        assert_eq!(config.queue.max_lines, Queue::default().max_lines);
        assert_eq!(config.rotation, Some(Rotation { every: Some(Every::Day), ..Rotation::default() }));
        config.validate().unwrap();
        for (json, problem) in [
            (r#"{"queue":{"overflow":"drop_oldest"}}"#, "`block`, `drop_newest`, `drop_below`"),
            (r#"{"queue":{"mode":"direkt"}}"#, "did you mean `direct`?"),
            (r#"{"rotation":{"max_size":7}}"#, "unknown field `max_size`"),
            (r#"{"rotation":{"max_backups":-1}}"#, "invalid value"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    // Rotation happens only where it is configured.
    #[test]
    fn no_profile_rotates() {
        for profile in ["development", "production"] {
            assert_eq!(ClogConfig::for_profile(profile).unwrap().rotation, None);
        }
    }

    #[test]
    fn a_misspelt_stream_is_not_taken_for_a_file() {
        assert_eq!("stderr".parse::<Output>().unwrap(), Output::Stderr);
        assert_eq!("./stdot".parse::<Output>().unwrap(), Output::File("./stdot".into()));
        assert_eq!("applog".parse::<Output>().unwrap(), Output::File("applog".into()));
        let error = "StdOut".parse::<Output>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the log's `output`: it is \"StdOut\", did you mean `stdout`? \
             A file of that name is `./StdOut`"
        );
        assert!(" ".parse::<Output>().is_err());
    }

    #[test]
    fn validation_names_the_setting_that_cannot_be_used() {
        type Spoil = fn(&mut ClogConfig);
        let cases: [(&str, Spoil); 8] = [
            ("output", |config| config.output = Output::File(PathBuf::new())),
            ("service", |config| config.service = "a..b".to_owned()),
            ("service", |config| config.service = "a b".to_owned()),
            ("levels", |config| {
                config.levels.insert(String::new(), Level::Info);
            }),
            ("root_path", |config| config.root_path = "a\nb".to_owned()),
            ("queue.max_lines", |config| config.queue.max_lines = 0),
            ("rotation", |config| config.rotation = Some(Rotation::default())),
            ("rotation.max_bytes", |config| {
                config.output = Output::File("app.log".into());
                config.rotation = Some(Rotation { max_bytes: 1, ..Rotation::default() });
            }),
        ];
        for (setting, spoil) in cases {
            let mut config = ClogConfig::default();
            spoil(&mut config);
            let error = config.validate().unwrap_err();
            assert_eq!(error.faults().iter().filter_map(SectionFault::field).collect::<Vec<_>>(), [setting]);
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let mut config = ClogConfig { service: "a b".to_owned(), max_line: 7, ..ClogConfig::default() };
        config.queue.max_wait = Duration::ZERO;
        config.filter = Some("a=loud".to_owned());
        let error = config.validate().unwrap_err();
        let fields: Vec<_> = error.faults().iter().filter_map(SectionFault::field).collect();
        assert_eq!(fields, ["service", "max_line", "max_field", "filter", "queue.max_wait"]);
    }
}
