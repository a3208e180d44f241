//! What only a server can do: be away.
#![cfg(feature = "redis")]

use std::time::Duration;

use gone_flags::{Flags, FlagsConfig, FlagsError};
use gone_kit::{Outcome, Refused};
use gone_test_bench::{Redis, drop_at_each_poll};

fn config(url: String, request_timeout: Duration) -> FlagsConfig {
    FlagsConfig { url: url.into(), request_timeout, ..FlagsConfig::default() }
}

#[tokio::test]
#[ignore = "needs redis: cargo xtask test"]
async fn a_server_that_stands_still_is_given_up_in_time_and_what_was_set_is_unknown() {
    let server = Redis::start().await.unwrap();
    let flags = Flags::connect(&config(server.url(), Duration::from_millis(200))).await.unwrap();
    server.pause();
    let error = flags.set("a", true).await.unwrap_err();
    assert!(matches!(error, FlagsError::Refused(Refused::TimedOut { .. })), "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    server.resume();
}

#[tokio::test]
#[ignore = "needs redis: cargo xtask test"]
async fn a_connecting_that_is_dropped_leaves_nothing_and_the_next_one_works() {
    let server = Redis::shared().await;
    let config = config(server.url(), Duration::from_secs(5));
    let dropped = drop_at_each_poll(
        async |_| drop(Flags::connect(&config).await.unwrap()),
        async |_| Flags::connect(&config).await.unwrap().ping().await.unwrap(),
    )
    .await;
    assert!(dropped.dropped > 0, "{dropped:?}");
}
