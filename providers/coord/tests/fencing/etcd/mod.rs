//! On a real etcd.

mod contenders;
mod paused;
#[allow(dead_code, reason = "the other tests need more of it")]
#[path = "../../conformance/random.rs"]
mod random;
mod store;

use std::time::Duration;

use gone_coord::{Coord, CoordConfig};
use gone_test_bench::Etcd;

/// The shortest ttl that there is.
const TTL: Duration = Duration::from_secs(1);

/// What the other processes of a test have to be told.
struct Place {
    url: String,
    root: String,
}

impl Place {
    /// A root of one's own on the etcd of this binary.
    async fn new(test: &str) -> Self {
        let url = format!("etcd://{}", Etcd::shared().await.address());
        Self { url, root: format!("/{test}-{}", std::process::id()) }
    }

    /// The place that this process was told of.
    fn told() -> Self {
        Self { url: told("URL"), root: told("ROOT") }
    }

    fn environment(&self) -> [(&str, &str); 2] {
        [("URL", &self.url), ("ROOT", &self.root)]
    }

    async fn connect(&self) -> Coord {
        let (url, root) = (self.url.clone(), self.root.clone());
        Coord::connect(&CoordConfig { url: url.into(), root, ..CoordConfig::default() }).await.unwrap()
    }
}

/// What the first process of the test says to this one.
fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} was not said"))
}
