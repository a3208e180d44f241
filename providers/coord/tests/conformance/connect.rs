//! Connecting: what is not there, and who does not wait for it.

use std::time::Duration;

use gone_coord::{Coord, CoordConfig};

/// Connects and changes its mind, at every point at which it may; nothing may be left.
async fn a_connection_given_up_at_any_time_leaves_no_task(config: CoordConfig) {
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let dropped = gone_test_bench::drop_at_each_poll(
        async |_| drop(Coord::connect(&config).await.expect("the backend is there")),
        async |poll| {
            crate::at::soon(&format!("no task is left after poll {poll}"), async {
                while metrics.num_alive_tasks() > before {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            })
            .await;
        },
    )
    .await;
    println!("{dropped:?}");
}

mod memory {
    use gone_config::SectionFault;
    use gone_coord::CoordError;

    use super::*;

    // CRD-13
    #[tokio::test]
    async fn an_address_that_is_none_is_an_error() {
        let config = CoordConfig { url: "memory://host:2379".into(), ..CoordConfig::default() };
        let error = Coord::connect(&config).await.unwrap_err();
        assert!(
            matches!(&error, CoordError::Config(error) if matches!(error.faults(), [SectionFault::Unfit { field: "url", .. }]))
        );
    }

    // CRD-14
    #[tokio::test(start_paused = true)]
    async fn connecting_is_given_up_at_any_time() {
        a_connection_given_up_at_any_time_leaves_no_task(CoordConfig::default()).await;
    }
}

#[cfg(feature = "etcd")]
mod etcd {
    use std::time::Instant;

    use gone_coord::CoordError;
    use gone_kit::Outcome;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::At;
    use crate::at::soon;

    fn at(address: &str) -> CoordConfig {
        let dial_timeout = Duration::from_secs(1);
        CoordConfig { url: format!("etcd://{address}").into(), dial_timeout, ..CoordConfig::default() }
    }

    // CRD-13
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn where_nobody_answers_connecting_fails_within_its_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap().to_string();
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        for address in [nobody.as_str(), silent.as_str(), "no-such-host.invalid"] {
            let begun = Instant::now();
            let error = Coord::connect(&at(address)).await.unwrap_err();
            let took = begun.elapsed();
            println!("{address}: {error} after {took:?}");
            assert!(took < Duration::from_secs(5), "{took:?}");
            assert!(matches!(error, CoordError::Unavailable { .. } | CoordError::Timeout { .. }), "{error:?}");
            assert_eq!(error.outcome(), Outcome::NotApplied);
            let host = address.split(':').next().unwrap();
            assert!(error.to_string().contains(host), "{error}");
        }
        // One that is there is enough.
        let url = At::etcd("connect").await.config.url;
        let among = at(&format!("{nobody},{silent},{}", url.as_str().strip_prefix("etcd://").unwrap()));
        Coord::connect(&CoordConfig { dial_timeout: Duration::from_secs(5), ..among }).await.unwrap();
    }

    // CRD-14
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn connecting_is_given_up_at_any_time() {
        // While nobody answers: the connection is closed at once.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = listener.local_addr().unwrap().to_string();
        let connecting = tokio::spawn(async move { Coord::connect(&at(&silent)).await });
        let (mut stream, _) = soon("a connection", listener.accept()).await.unwrap();
        connecting.abort();
        assert!(connecting.await.unwrap_err().is_cancelled());
        let mut greeting = Vec::new();
        let _ = soon("the end of the connection", stream.read_to_end(&mut greeting)).await;
        // And at every other time.
        a_connection_given_up_at_any_time_leaves_no_task(At::etcd("connect").await.config).await;
    }
}
