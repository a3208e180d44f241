//! The config centre as a part of a service's config: read before the plan, and followed while the application runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gone_config::{ConfigErrors, ConfigLayer, RemoteLayer, Settings};
use gone_core::{BeforeInit, Code, Deadline, Error, Goner, Result, Run, ShutdownToken, Spec};
use gone_kit::{Health, HealthIndicator, Stat, StatsReader};
use gone_macros::Goner;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::backend::{Entry, Range};
use crate::follow::SETTLE;
use crate::value::decode;
use crate::watch::FeedState;
use crate::watch::feed::Feed;
use crate::{Coord, CoordError};

/// The name of the layer, and of the goner in health and figures.
const NAME: &str = "remote_config";

/// How long the connection that reads the config before the plan may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The config of a service in the config centre, as a layer above all local ones.
///
/// What stands under `/config/{env}/global/{component}` is the section `{component}` for all services, and what stands under
/// `/config/{env}/{service}/{component}` lies over it, key by key. The environment is `dev` for the profile `development`,
/// `prod` for `production`, else the profile's own name. A longer path is nested: `/config/dev/orders/ratelimit/login` is
/// `login` in `ratelimit`; `.json` at the end of a key is left out.
///
/// It is read when the application boots, over a connection of its own to where the section `coord` of the local config says. If
/// it cannot be read, or holds what is no JSON, the boot fails. Afterwards the [`follower`](Self::follower), if it is loaded,
/// hands each change to all [`Live`](gone_config::Live) values.
///
/// ```
/// use gone_config::ConfigSource;
/// use gone_coord::RemoteConfig;
/// use gone_core::{AppBuilder, source};
///
/// let remote = RemoteConfig::new("orders");
/// let app = AppBuilder::new()
///     .load(gone_coord::module)
///     .load(remote.follower())
///     .load(source(ConfigSource::new().remote(remote)));
/// ```
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    service: String,
}

impl RemoteConfig {
    /// The config of a service. The name is one part of a path, and not `global`.
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into() }
    }

    /// The goner that follows what changes while the application runs.
    pub fn follower(&self) -> Spec<RemoteConfigFollower> {
        let service = self.service.clone();
        RemoteConfigFollower::goner().with(|follower| follower.service = service)
    }
}

#[async_trait]
impl RemoteLayer for RemoteConfig {
    /// A dropped future leaves no connection.
    async fn fetch(&self, local: &Settings) -> Result<ConfigLayer> {
        let prefixes = prefixes(local.profile(), &self.service)?;
        let coord = Coord::connect(&local.instance("").map_err(ConfigErrors::into_error)?).await?;
        let mut parts = Vec::new();
        for prefix in prefixes {
            let listing = coord.shared().backend.list(&Range::Prefix(prefix.clone())).await?;
            let entries: BTreeMap<String, Entry> =
                listing.entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
            parts.push((prefix, entries));
        }
        let layer = layer(coord.backend(), parts.iter().map(|(prefix, entries)| (prefix.as_str(), entries)));
        let _ = coord.close(Deadline::after(GOODBYE)).await;
        layer.map_err(|error| Error::from(error).with_code(Code::Config))
    }
}

/// Where the config of all services stands, and that of this one.
fn prefixes(profile: &str, service: &str) -> Result<[String; 2]> {
    let environment = match profile {
        "development" => "dev",
        "production" => "prod",
        other => other,
    };
    for (what, name) in [("service", service), ("profile", environment)] {
        if name.is_empty() || name.contains('/') || name == "global" {
            let text =
                format!("the remote config has the {what} {name:?}: it must be a part of a path, and not `global`");
            return Err(Error::new(Code::Config, text));
        }
    }
    Ok([format!("/config/{environment}/global/"), format!("/config/{environment}/{service}/")])
}

/// All parts as one layer, the last one strongest.
fn layer<'a>(
    backend: &str,
    parts: impl Iterator<Item = (&'a str, &'a BTreeMap<String, Entry>)>,
) -> std::result::Result<ConfigLayer, CoordError> {
    let mut layer = ConfigLayer::new(NAME);
    for (prefix, entries) in parts {
        for (key, entry) in entries {
            let path = &key[prefix.len()..];
            let path = path.strip_suffix(".json").unwrap_or(path);
            let mut value: Value = decode(key, &entry.value)?;
            for name in path.rsplit('/').filter(|name| !name.is_empty()) {
                value = Value::Object(serde_json::Map::from_iter([(name.to_owned(), value)]));
            }
            layer = layer.set("", value, format!("{backend} {key}"));
        }
    }
    Ok(layer)
}

/// Hands what changes in the config centre to all live values, while the application runs: see [`RemoteConfig::follower`].
///
/// A change that does not hold, because it is no JSON or because a live value cannot be read from it, changes nothing: all
/// that was good stays, the refusal is logged at `warn` for the target `gone_coord`, counted, and stands in the detail of the
/// health until a change holds. Changes in quick succession are one, and hold after 20 ms. While the config centre cannot be
/// reached everything stays; the detail of the health says since when.
#[derive(Debug, Goner)]
#[goner(offers(dyn HealthIndicator, dyn StatsReader), crate = gone_core)]
pub struct RemoteConfigFollower {
    #[gone]
    settings: Arc<Settings>,
    #[gone]
    coord: Coord,
    service: String,
    told: Mutex<Told>,
}

/// What became of the changes so far.
#[derive(Debug, Default)]
struct Told {
    /// The version of the store of what holds now.
    version: i64,
    taken: u64,
    refused: u64,
    /// Why the last change does not hold.
    error: Option<String>,
    feeds: Vec<watch::Receiver<FeedState>>,
}

impl BeforeInit for RemoteConfigFollower {
    async fn before_init(&mut self) -> Result<()> {
        prefixes(self.settings.profile(), &self.service).map(drop)
    }
}

impl Run for RemoteConfigFollower {
    async fn run(&self, shutdown: ShutdownToken) -> Result<()> {
        let prefixes = prefixes(self.settings.profile(), &self.service)?;
        shutdown.run_until_cancelled(self.follow(prefixes)).await;
        Ok(())
    }
}

impl RemoteConfigFollower {
    /// Ends when the connection is closed.
    async fn follow(&self, prefixes: [String; 2]) {
        let shared = self.coord.shared();
        let feed = |prefix: &String| {
            let range = Range::Prefix(prefix.clone());
            Feed::new(Arc::clone(&shared.backend), range, shared.clock.clone(), shared.config.watch_relist)
        };
        let (mut all, mut own) = (feed(&prefixes[0]), feed(&prefixes[1]));
        self.told().feeds = vec![all.state(), own.state()];
        while changed(&mut all, &mut own).await {
            let settled = Instant::now() + SETTLE;
            while let Ok(true) = timeout_at(settled, changed(&mut all, &mut own)).await {}
            // What one of them has not read yet must not count as deleted.
            if [&all, &own].iter().all(|feed| feed.is_listed()) {
                let parts = prefixes.iter().map(String::as_str).zip([all.known(), own.known()]);
                self.take(layer(self.coord.backend(), parts), all.revision().max(own.revision()));
            }
        }
    }

    fn take(&self, layer: std::result::Result<ConfigLayer, CoordError>, version: i64) {
        let put = layer
            .map_err(|error| error.to_string())
            .and_then(|layer| self.settings.handle().put(layer).map_err(|errors: ConfigErrors| errors.to_string()));
        let mut told = self.told();
        match put {
            Ok(_) => {
                (told.version, told.error) = (version, None);
                told.taken += 1;
            }
            Err(error) => {
                tracing::warn!(
                    target: "gone_coord",
                    version,
                    error,
                    "a change in the config centre was refused; the last good config stays"
                );
                told.refused += 1;
                told.error = Some(error);
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the config centre has not been heard of.
    fn age(&self) -> Duration {
        let clock = &self.coord.shared().clock;
        self.told().feeds.iter().map(|feed| feed.borrow().status(clock).age).max().unwrap_or_default()
    }
}

/// Waits for a change of either; `false`: the connection is closed. A dropped future loses nothing.
async fn changed(all: &mut Feed, own: &mut Feed) -> bool {
    tokio::select! {
        updates = all.next() => updates.is_some(),
        updates = own.next() => updates.is_some(),
    }
}

#[async_trait]
impl HealthIndicator for RemoteConfigFollower {
    fn name(&self) -> &str {
        NAME
    }

    /// Always up: the last good config holds. The detail says what is not taken up, and since when nothing was heard.
    async fn check(&self) -> Health {
        let age = self.age();
        let mut details = Vec::new();
        if !age.is_zero() {
            details.push(format!("not heard of for {:.1} s", age.as_secs_f64()));
        }
        if let Some(error) = &self.told().error {
            details.push(format!("the last change was refused: {error}"));
        }
        let mut health = Health::up();
        health.detail = details.join("; ");
        health
    }
}

impl StatsReader for RemoteConfigFollower {
    fn name(&self) -> &str {
        NAME
    }

    fn stats(&self) -> Vec<Stat> {
        let age = self.age().as_secs_f64();
        let told = self.told();
        vec![
            Stat::gauge("version", u64::try_from(told.version).unwrap_or_default()),
            Stat::counter("changes_taken", told.taken),
            Stat::counter("changes_refused", told.refused),
            Stat::gauge("is_refused", u64::from(told.error.is_some())),
            Stat::gauge("age_seconds", age),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_names_its_key_and_quotes_nothing() {
        let value = Arc::from(&b"hunter2"[..]);
        let key = "/config/dev/global/db".to_owned();
        let entry = Entry { key: key.clone(), value, created: 1, modified: 1, session: 0 };
        let entries = BTreeMap::from([(key, entry)]);
        let error = layer("etcd", [("/config/dev/global/", &entries)].into_iter()).unwrap_err().to_string();
        assert_eq!(error, "the value under `/config/dev/global/db` cannot be read: expected value at line 1 column 1");
    }

    #[test]
    fn a_profile_of_another_name_is_an_environment_of_that_name() {
        assert_eq!(prefixes("staging", "orders").unwrap(), ["/config/staging/global/", "/config/staging/orders/"]);
    }
}
