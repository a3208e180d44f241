//! The container's side: the source, the many-type provider named `config`, and the module that loads both.

use std::sync::Arc;

use gone_core::{
    Code, Error, Given, Goner, Loader, NamedProvider, Request, Result, Review, Run, Setting, ShutdownToken, Source,
    Sources, Tag, Target, source,
};
use gone_kit::{Stat, StatsReader};
use gone_macros::Goner;

use crate::{Answer, ConfigError, ConfigErrors, ConfigSource, Lookup, Settings, watch};

/// Loads the config: read from where [`ConfigSource::new`] looks, and answered under the name `config`.
///
/// There is one source of the config: a program that needs it read from elsewhere loads `source(ConfigSource::new()…)` itself,
/// and this module as a fallback, `AppBuilder::new().fallback(gone_config::module)`, as the facade does.
pub fn module(loader: &mut Loader) {
    loader.load((source(ConfigSource::new()), ConfigProvider::goner()));
}

impl Source for ConfigSource {
    type Snapshot = Settings;

    fn read(&self) -> Result<Settings> {
        ConfigSource::read(self).map_err(ConfigErrors::into_error)
    }

    async fn open(&self, local: Settings, _: &Sources) -> Result<Settings> {
        for remote in self.remotes() {
            let layer = remote.fetch(&local).await?;
            local.handle().put(layer).map_err(ConfigErrors::into_error)?;
        }
        Ok(local.handle().settings())
    }

    fn review(settings: &Settings, review: &mut Review) {
        settings.hub().asked.review(settings, review);
    }

    fn dump(settings: &Settings) -> Vec<Setting> {
        settings.dump()
    }
}

/// Answers `#[gone("config,key=default")]` for every type that serde can read. Behind `config,` stands
///
/// - `key`: the key, required unless the site is an `Option` or has a `default = …`;
/// - `key=default`: all text after the first `=` is the default, further `=` and `,` included, not trimmed; it may be empty;
/// - `key,default=text`: the same, read so only when no `=` comes before the comma.
///
/// `default=x` alone asks for the key named `default`. Blanks around the key are ignored. The key is a [`Key`](crate::Key).
///
/// All keys and values are checked in the plan. A key that is set nowhere and has no default is `None` for an `Option`,
/// and a problem for every other type, save a struct of which every field has a default: that reads from the empty table.
///
/// While the application runs, it looks after the files for the sake of [`Live`](crate::Live) values; where there are none,
/// nothing is looked at.
#[derive(Debug, Goner)]
#[goner(name = "config", offers(dyn StatsReader), crate = gone_core)]
pub struct ConfigProvider {
    #[gone]
    settings: Arc<Settings>,
}

impl NamedProvider for ConfigProvider {
    fn accepts(target: &Target, tag: &Tag, sources: &Sources) -> Result<()> {
        if !target.is_deserialize() {
            let text = format!("config is read by serde, and `{}` does not implement `Deserialize`", target.name());
            return Err(Error::new(Code::Config, text));
        }
        // What a source could not read stands in the report by itself.
        let Some(settings) = sources.get::<Settings>() else { return Ok(()) };
        if target.has_default()
            && let Ok(lookup) = Lookup::parse(tag.extend())
            && lookup.default().is_some()
        {
            let text = format!("`{}` has two defaults: keep the one in the text, or `default = …`", lookup.key());
            return Err(Error::new(Code::Config, text));
        }
        match settings
            .check(tag.extend(), &mut |value| target.check_deserialize(value))
            .map_err(ConfigErrors::into_error)?
        {
            Answer::Absent if !target.is_optional() => absent(settings, target, tag),
            Answer::Absent | Answer::Filled => Ok(()),
        }
    }

    async fn provide(&self, tag: &Tag, request: Request<'_>) -> Result<Given> {
        let (mut request, mut given) = (Some(request), None);
        let answer = self.settings.answer(tag.extend(), &mut |value| give(&mut request, &mut given, value));
        match (answer.map_err(ConfigError::into_error)?, given, request) {
            (Answer::Filled, Some(given), _) => Ok(given),
            (_, _, Some(request)) if request.target().is_optional() => request.absent(),
            (_, _, Some(request)) => {
                absent(&self.settings, request.target(), tag)?;
                let (mut request, mut given) = (Some(request), None);
                let answer =
                    self.settings.answer_absent(tag.extend(), &mut |value| give(&mut request, &mut given, value));
                answer.map_err(ConfigError::into_error)?;
                given.ok_or_else(|| missing(&self.settings, tag))
            }
            _ => Err(missing(&self.settings, tag)),
        }
    }
}

/// Answers the request with what is read, once.
fn give(
    request: &mut Option<Request<'_>>,
    given: &mut Option<Given>,
    value: &mut dyn erased_serde::Deserializer<'_>,
) -> Result<(), erased_serde::Error> {
    if let Some(request) = request.take() {
        *given = Some(request.deserialize_erased(value).map_err(serde::de::Error::custom)?);
    }
    Ok(())
}

impl Run for ConfigProvider {
    async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
        watch::watch(Arc::clone(self.settings.hub()), shutdown).await;
        Ok(())
    }
}

impl StatsReader for ConfigProvider {
    fn name(&self) -> &str {
        "config"
    }

    fn stats(&self) -> Vec<Stat> {
        self.settings.handle().stats().into()
    }
}

/// Whether the type may do without a value; if not, why.
fn absent(settings: &Settings, target: &Target, tag: &Tag) -> Result<()> {
    match settings
        .answer_absent(tag.extend(), &mut |value| target.check_deserialize(value))
        .map_err(ConfigError::into_error)?
    {
        Answer::Filled => Ok(()),
        Answer::Absent => Err(missing(settings, tag)),
    }
}

fn missing(settings: &Settings, tag: &Tag) -> Error {
    match Lookup::parse(tag.extend()) {
        Ok(lookup) => settings.missing(lookup.key()).into_error(),
        Err(error) => error.into_error(),
    }
}
