//! A store that no other test has.

use std::time::{Duration, SystemTime};

use gone_coord::{Coord, CoordConfig};
use gone_core::Deadline;
use gone_test_bench::unique;
use gone_uid::{Uid, UidConfig, UidError};

/// The backend under test.
#[derive(Clone)]
pub(crate) struct At(pub(crate) CoordConfig);

impl At {
    pub(crate) async fn memory(case: &str) -> Self {
        let name = unique(case);
        Self(CoordConfig { url: format!("memory:{name}").into(), root: format!("/{name}"), ..CoordConfig::default() })
    }

    /// The etcd that all tests share.
    #[cfg(feature = "etcd")]
    pub(crate) async fn etcd(case: &str) -> Self {
        let url = format!("etcd://{}", gone_test_bench::Etcd::shared().await.address());
        Self(CoordConfig { url: url.into(), root: format!("/{}", unique(case)), ..CoordConfig::default() })
    }

    /// A connection of its own, as of another process.
    pub(crate) async fn coord(&self) -> Coord {
        Coord::connect(&self.0).await.expect("the backend is there")
    }

    /// A handle over a connection of its own.
    pub(crate) async fn open(&self, config: &UidConfig) -> Result<Uid, UidError> {
        Uid::open(config, Some(&self.coord().await)).await
    }

    pub(crate) async fn uid(&self) -> Uid {
        self.open(&config()).await.unwrap()
    }
}

pub(crate) fn config() -> UidConfig {
    UidConfig { service_name: "test".into(), ..UidConfig::default() }
}

pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// Now, in whole milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

/// Whether no id is twice in it, and the number that were looked at.
pub(crate) fn all_differ(ids: impl IntoIterator<Item = Vec<i64>>) -> usize {
    let mut all: Vec<i64> = ids.into_iter().flatten().collect();
    all.sort_unstable();
    let again: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(again.is_empty(), "{} ids came again, the first is {:?}", again.len(), again[0]);
    all.len()
}
