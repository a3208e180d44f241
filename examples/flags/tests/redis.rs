//! What only a server can do: be away.
#![cfg(feature = "redis")]

use std::time::Duration;

use gone_config::{CallError, Outcome};
use gone_flags::{Flags, FlagsConfig, FlagsError};
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
    assert!(matches!(error, FlagsError::Call(CallError::TimedOut { .. })), "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    server.resume();
}

#[tokio::test]
#[ignore = "needs redis: cargo xtask test"]
async fn a_killed_server_is_an_error_and_is_used_again_when_it_is_back() {
    let server = Redis::start().await.unwrap();
    let flags = Flags::connect(&config(server.url(), Duration::from_secs(1))).await.unwrap();
    server.kill9();
    assert!(flags.ping().await.is_err());
    let absent = Flags::connect(&config(server.url(), Duration::from_millis(500))).await.unwrap_err();
    assert_eq!(absent.outcome(), Outcome::NotApplied, "{absent:?}");
    server.start().await.unwrap();
    let begun = std::time::Instant::now();
    while let Err(error) = flags.ping().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "{error:?}");
    }
    flags.set("a", true).await.unwrap();
}

#[tokio::test]
async fn an_address_that_the_client_cannot_use_is_told_with_its_key() {
    use gone_config::ConfigSource;
    use gone_core::{AppBuilder, Code, source};

    let config = ConfigSource::hermetic().set("flags.url", "redis://host:hunter2");
    let app = AppBuilder::new().fallback(gone_config::module).load((source(config), gone_flags::module));
    let error = app.run(async |_: Flags| Ok(())).await.unwrap_err();
    assert_eq!(error.code(), Code::Config, "{error}");
    let text = error.to_string();
    assert!(
        text.contains("config key `flags.url`")
            && text.contains("it must be `redis://host:6379`")
            && !text.contains("hunter2"),
        "{text}"
    );
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
