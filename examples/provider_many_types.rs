//! One provider, one name, many types: it fills whatever a site wants, as far as it accepts the type.
//!
//! `cargo run -q --example provider_many_types`, and with `-- --bad` a site of a type that it refuses: the plan says so before
//! anything is built.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use gone::prelude::*;
use serde::Deserialize;

#[derive(Goner)]
#[goner(name = "settings")]
struct SettingsProvider {
    #[gone]
    settings: Arc<BTreeMap<&'static str, serde_json::Value>>,
}

impl NamedProvider for SettingsProvider {
    fn accepts(target: &Target, tag: &Tag, _: &Sources) -> gone::Result<()> {
        if tag.extend().is_empty() {
            gone::bail!("the tag names no setting: write `settings,port`");
        }
        if !target.is_deserialize() {
            gone::bail!("settings are read by serde, and the type does not implement `Deserialize`");
        }
        Ok(())
    }

    async fn provide(&self, tag: &Tag, request: Request<'_>) -> gone::Result<Given> {
        match self.settings.get(tag.extend()) {
            Some(value) => request.deserialize(value),
            None => request.absent(),
        }
    }
}

#[derive(Deserialize)]
struct Limits {
    burst: u32,
}

#[derive(Goner)]
struct User {
    #[gone("settings,port")]
    port: u16,
    #[gone("settings,host")]
    host: String,
    #[gone("settings,tags")]
    tags: Vec<String>,
    #[gone("settings,limits")]
    limits: Limits,
}

/// An `Instant` cannot be read from settings.
#[derive(Goner)]
struct BadUser {
    #[gone("settings,since")]
    #[allow(dead_code, reason = "it never gets that far")]
    since: Instant,
}

fn settings() -> BTreeMap<&'static str, serde_json::Value> {
    BTreeMap::from([
        ("port", serde_json::json!(8080)),
        ("host", serde_json::json!("localhost")),
        ("tags", serde_json::json!(["a", "b"])),
        ("limits", serde_json::json!({ "burst": 100 })),
    ])
}

#[gone::main]
async fn main() -> gone::Result<()> {
    let bad = std::env::args().any(|argument| argument == "--bad");
    Gone::load(User::goner())
        .load(SettingsProvider::goner())
        .load(value(Arc::new(settings())))
        .load(move |loader: &mut Loader| {
            if bad {
                loader.load(BadUser::goner());
            }
        })
        .run(async |user: Arc<User>, log: Logger| {
            log.info(format_args!("user.port->{}", user.port));
            log.info(format_args!("user.host->{}", user.host));
            log.info(format_args!("user.tags->{:?}", user.tags));
            log.info(format_args!("user.limits.burst->{}", user.limits.burst));
            Ok(())
        })
        .await
}
