//! What flags promise, run against every backend.

mod closing;
mod switching;

use gone_flags::{Flags, FlagsConfig};

/// The backend under test.
struct At {
    flags: Flags,
}

impl At {
    async fn memory(_: &str) -> Self {
        Self { flags: Flags::connect(&FlagsConfig::default()).await.unwrap() }
    }

    /// The Redis that all cases share: each has a key of its own.
    #[cfg(feature = "redis")]
    async fn redis(case: &str) -> Self {
        let url = gone_test_bench::Redis::shared().await.url().into();
        let config = FlagsConfig { url, key: gone_test_bench::unique(case), ..FlagsConfig::default() };
        Self { flags: Flags::connect(&config).await.unwrap() }
    }
}

gone_test_bench::conformance! {
    backends {
        memory: #[tokio::test(start_paused = true)] At::memory;
        redis: #[cfg(feature = "redis")] #[tokio::test] #[ignore = "needs redis: cargo xtask test"] At::redis;
    }
    cases {
        switching: a_flag_is_off_until_it_is_switched_on, flags_are_apart, a_flag_may_be_set_twice;
        closing: a_closed_handle_says_so_to_all_clones;
    }
}
