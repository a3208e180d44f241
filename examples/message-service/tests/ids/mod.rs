//! A handle that makes ids, without a server.

use gone::coord::{Coord, CoordConfig};
use gone::uid::{Uid, UidConfig};

pub(crate) async fn uid() -> Uid {
    let coord = Coord::connect(&CoordConfig::default()).await.expect("in memory");
    let config = UidConfig { service_name: "test".into(), ..UidConfig::default() };
    Uid::open(&config, Some(&coord)).await.expect("a free instance id")
}
