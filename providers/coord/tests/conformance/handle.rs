//! The connection itself.

use gone_coord::{Coord, CoordConfig, CoordError};
use gone_core::Deadline;

use crate::At;
use crate::at::PATIENCE;

// CRD-1
pub(crate) async fn all_parts_are_there_and_closing_is_clean(at: At) {
    let centre = at.coord.config();
    centre.set("/a", &1).await.unwrap();
    at.coord.ping().await.unwrap();
    assert!(at.coord.close(Deadline::after(PATIENCE)).await.is_clean());
}

pub(crate) async fn closing_twice_is_harmless_and_ends_everything(at: At) {
    let clone = at.coord.clone();
    assert!(at.coord.close(Deadline::after(PATIENCE)).await.is_clean());
    assert!(clone.close(Deadline::after(PATIENCE)).await.is_clean());
    assert!(matches!(clone.ping().await, Err(CoordError::Closed)));
    assert!(matches!(clone.config().get::<u32>("/a").await, Err(CoordError::Closed)));
    assert!(matches!(clone.config().set("/a", &1).await, Err(CoordError::Closed)));
    assert!(matches!(clone.config().watch::<u32>("/a").await, Err(CoordError::Closed)));
}

pub(crate) async fn a_root_is_seen_by_nobody(at: At) {
    at.coord.config().set("/a/b", &1).await.unwrap();
    let inner = CoordConfig { root: format!("{}/a", at.config.root), ..at.config.clone() };
    let inner = Coord::connect(&inner).await.unwrap();
    assert_eq!(inner.config().get::<u32>("/b").await.unwrap(), 1);
    assert_eq!(inner.config().list("/").await.unwrap(), ["/b"]);
    assert_eq!(at.coord.config().list("/").await.unwrap(), ["/a/b"]);
    let mut watch = inner.config().watch_prefix::<u32>("/").await.unwrap();
    at.coord.config().set("/a/c", &2).await.unwrap();
    assert_eq!(crate::at::soon("an event", watch.next()).await.unwrap().key(), "/c");
}
