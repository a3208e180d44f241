//! The levels of the log follow the config centre. One test alone in its process: the first log becomes the process's default.

mod orders;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gone::config::ConfigSource;
use gone::coord::{self, Coord, CoordConfig, RemoteConfig};
use gone::prelude::*;

use crate::orders::Orders;

#[tokio::test]
async fn the_levels_of_the_log_follow_the_config_centre() {
    let folder = tempfile::TempDir::new().unwrap();
    let centre = CoordConfig { url: "memory:log-levels".into(), ..CoordConfig::default() };
    let centre = Coord::connect(&centre).await.unwrap().config();
    centre.set("/config/dev/global/clog", &BTreeMap::from([("level", "error")])).await.unwrap();

    let remote = RemoteConfig::new("shop");
    let local = ConfigSource::hermetic()
        .set("coord.url", "memory:log-levels")
        .set("clog.service", "shop")
        .set("clog.level", "debug")
        .set("clog.output", folder.path().join("app.log"));
    Gone::load((Orders::goner(), coord::module, remote.follower()))
        .load(source(local.remote(remote)))
        .run(async |orders: Arc<Orders>, coord: Coord| {
            orders.until("").await;
            let config = coord.config();
            let mut longest = Duration::ZERO;
            config.set("/config/dev/global/clog", &BTreeMap::from([("level", "debug")])).await?;
            longest = longest.max(orders.until("oi od sd").await);
            config.set("/config/dev/shop/clog", &BTreeMap::from([("level", "info")])).await?;
            longest = longest.max(orders.until("oi").await);
            let levels = BTreeMap::from([("shop.stock", "debug")]);
            config.set("/config/dev/shop/clog/levels", &levels).await?;
            longest = longest.max(orders.until("oi sd").await);
            // A level that is none changes nothing.
            config.set("/config/dev/shop/clog", &BTreeMap::from([("level", "debg")])).await?;
            orders.refused().await;
            orders.until("oi sd").await;
            config.set("/config/dev/shop/clog", &BTreeMap::from([("level", "debug")])).await?;
            longest = longest.max(orders.until("oi od sd").await);
            println!("the longest change took {longest:?}");
            Ok(())
        })
        .await
        .unwrap();
    let text = std::fs::read_to_string(folder.path().join("app.log")).unwrap();
    assert!(text.contains("a change in the config centre was refused"), "the refusal is told: {text}");
}
