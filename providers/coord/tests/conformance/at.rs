//! Where a case runs: a connection to the backend under test, with a root of its own.

use std::time::Duration;

use gone_coord::{Coord, CoordConfig};
use gone_test_bench::unique;

/// The longest that a case waits for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The backend under test.
#[derive(Clone)]
pub(crate) struct At {
    /// A connection.
    pub(crate) coord: Coord,
    /// How it was made.
    pub(crate) config: CoordConfig,
}

impl At {
    /// A store in memory that no other case has.
    pub(crate) async fn memory(case: &str) -> Self {
        let name = unique(case);
        Self::on(CoordConfig {
            url: format!("memory:{name}").into(),
            root: format!("/{name}"),
            ..CoordConfig::default()
        })
        .await
    }

    /// The etcd that all cases share.
    #[cfg(feature = "etcd")]
    pub(crate) async fn etcd(case: &str) -> Self {
        let url = format!("etcd://{}", gone_test_bench::Etcd::shared().await.address());
        Self::on(CoordConfig { url: url.into(), root: format!("/{}", unique(case)), ..CoordConfig::default() }).await
    }

    async fn on(config: CoordConfig) -> Self {
        Self { coord: Coord::connect(&config).await.expect("the backend is there"), config }
    }

    /// A bound as it is asserted here: in memory, where time is paused, as it stands; with real processes on a busy machine five
    /// times as long, and 2 s at least.
    pub(crate) fn bound(&self, exact: Duration) -> Duration {
        match self.coord.backend() {
            "memory" => exact,
            _ => (5 * exact).max(Duration::from_secs(2)),
        }
    }

    /// Another connection to the same store, as of another process.
    pub(crate) async fn other(&self) -> Coord {
        Coord::connect(&self.config).await.expect("the backend is there")
    }
}

/// Waits for what must come, and says so if it does not.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// Asserts that nothing comes for a while.
pub(crate) async fn never<T: std::fmt::Debug>(future: impl Future<Output = T>) {
    if let Ok(value) = tokio::time::timeout(Duration::from_millis(300), future).await {
        panic!("nothing more was due, and there came {value:?}");
    }
}
