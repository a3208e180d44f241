//! Instance ids.

use std::collections::BTreeSet;
use std::time::Duration;

use gone_coord::{Coord, CoordError, InstanceId, InstanceIds};
use gone_kit::LeaseEnd;
use tokio::time::Instant;

use crate::At;
use crate::at::soon;

const TTL: Duration = Duration::from_secs(2);

fn ids(coord: &Coord, max: u32) -> InstanceIds {
    coord.instance_ids("orders", max).unwrap().with_ttl(TTL).unwrap()
}

async fn taken(coord: &Coord) -> usize {
    coord.config().list("/im-infra/allocators/orders/ids/").await.unwrap().len()
}

async fn all_are_free(coord: &Coord) {
    let free = async {
        while taken(coord).await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("what was held is free", free).await;
}

// CRD-11
pub(crate) async fn an_id_is_within_its_bounds_and_free_again_when_it_is_closed(at: At) {
    let id = ids(&at.coord, 1).acquire().await.unwrap();
    assert_eq!((id.id(), id.key()), (1, "/im-infra/allocators/orders/ids/1"));
    assert!(id.lease().is_held() && id.lease().fencing() > 0);
    let other = at.other().await;
    let error = ids(&other, 1).acquire().await.unwrap_err();
    assert_eq!(error.to_string(), "all 1 instance ids of `orders` are taken");
    // It is renewed.
    tokio::time::sleep(2 * TTL).await;
    id.lease().check().unwrap();
    id.release().await.unwrap();
    assert_eq!(id.lease().end(), Some(LeaseEnd::Released));
    let next = ids(&other, 1).acquire().await.unwrap();
    assert!(next.id() == 1 && next.lease().fencing() > id.lease().fencing());
    // Closing again leaves the next holder alone.
    id.release().await.unwrap();
    next.raise_floor(1).await.unwrap();
    drop(next);
    all_are_free(&at.coord).await;
}

// CRD-12
pub(crate) async fn ten_who_ask_for_five_get_five(at: At) {
    for shared in [true, false] {
        let mut asking = Vec::new();
        for _ in 0..10 {
            let coord = if shared { at.coord.clone() } else { at.other().await };
            asking.push(tokio::spawn(async move { (ids(&coord, 5).acquire().await, coord) }));
        }
        let (mut held, mut exhausted) = (Vec::new(), 0);
        for asking in asking {
            match asking.await.unwrap() {
                (Ok(id), coord) => held.push((id, coord)),
                (Err(CoordError::Exhausted { max: 5, .. }), _) => exhausted += 1,
                (Err(error), _) => panic!("{error}"),
            }
        }
        let unique: BTreeSet<_> = held.iter().map(|(id, _)| id.id()).collect();
        assert_eq!((unique, exhausted), (BTreeSet::from([1, 2, 3, 4, 5]), 5));
        for (id, _) in &held {
            id.release().await.unwrap();
        }
    }
}

// IDS-1
pub(crate) async fn the_first_free_id_is_taken(At { coord, .. }: At) {
    let mut held = Vec::new();
    for wanted in 1..=3 {
        let id = ids(&coord, 1023).acquire().await.unwrap();
        assert_eq!(id.id(), wanted);
        held.push(id);
    }
    held.remove(1).release().await.unwrap();
    assert_eq!(ids(&coord, 1023).acquire().await.unwrap().id(), 2);
    // Whatever the highest number is, they are the same ids; those of another service are not.
    assert!(matches!(ids(&coord, 1).acquire().await, Err(CoordError::Exhausted { .. })));
    assert_eq!(coord.instance_ids("payments", 1).unwrap().acquire().await.unwrap().id(), 1);
}

// CRD-15
pub(crate) async fn instances_have_different_ids_and_a_killed_one_leaves_its_id_after_the_ttl(at: At) {
    let mut instances: Vec<(Coord, InstanceId)> = Vec::new();
    for _ in 0..3 {
        let coord = at.other().await;
        let id = ids(&coord, 1023).acquire().await.unwrap();
        instances.push((coord, id));
    }
    let unique: BTreeSet<_> = instances.iter().map(|(_, id)| id.id()).collect();
    assert_eq!(unique, BTreeSet::from([1, 2, 3]));

    // Closed in order: free at once.
    instances[0].1.release().await.unwrap();
    let one = ids(&at.coord, 1023).acquire().await.unwrap();
    assert_eq!(one.id(), 1);

    // Killed: free after the ttl, and not before its holder has stopped to believe in it.
    let all = ids(&at.coord, 3);
    let (killed, id) = instances.remove(1);
    let begun = Instant::now();
    drop(killed);
    let next = loop {
        match all.acquire().await {
            Ok(next) => break next,
            Err(CoordError::Exhausted { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("{error}"),
        }
        assert!(begun.elapsed() < 5 * TTL);
    };
    println!("free again after {:?}", begun.elapsed());
    assert_eq!(next.id(), id.id());
    assert!(!id.lease().is_held());
}

// IDS-2
pub(crate) async fn a_lost_id_does_not_come_back(at: At) {
    let killed = at.other().await;
    let id = ids(&killed, 5).acquire().await.unwrap();
    drop(killed);
    assert!(matches!(id.lease().lost().await, LeaseEnd::Lost(_)));
    assert!(matches!(id.raise_floor(7).await, Err(CoordError::Lost { .. })));
    let error = id.release().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/im-infra/allocators/orders/ids/1` is no longer held: it was lost: it is no longer renewed"
    );

    all_are_free(&at.coord).await;

    // Its key is deleted, and another takes the number: the one that had it writes nothing any more.
    let id = ids(&at.coord, 5).acquire().await.unwrap();
    at.coord.config().delete(id.key()).await.unwrap();
    let other = at.other().await;
    let next = ids(&other, 5).acquire().await.unwrap();
    assert_eq!((next.id(), id.lease().is_held()), (id.id(), true));
    assert!(matches!(id.raise_floor(7).await, Err(CoordError::Lost { .. })));
    assert!(!id.lease().is_held());
    assert!(matches!(id.release().await, Err(CoordError::Lost { .. })));
    assert_eq!(taken(&at.coord).await, 1);
}

// IDS-3
pub(crate) async fn a_floor_outlives_its_holder_and_never_goes_back(at: At) {
    let id = ids(&at.coord, 1).acquire().await.unwrap();
    assert_eq!(id.floor(), 0);
    id.raise_floor(41).await.unwrap();
    id.raise_floor(42).await.unwrap();
    id.raise_floor(7).await.unwrap();
    assert_eq!(id.floor(), 42);
    id.release().await.unwrap();
    assert!(matches!(id.raise_floor(43).await, Err(CoordError::Lost { .. })));

    let killed = at.other().await;
    let id = ids(&killed, 1).acquire().await.unwrap();
    assert_eq!(id.floor(), 42);
    // Many raise it at once: the highest stays.
    let values = (0..20_u64).map(|n| 1000 + n * 7 % 20);
    let id = std::sync::Arc::new(id);
    let raised: Vec<_> = values
        .map(|value| {
            let id = id.clone();
            tokio::spawn(async move { id.raise_floor(value).await })
        })
        .collect();
    for raised in raised {
        raised.await.unwrap().unwrap();
    }
    // Somebody else writes there: it is not gone below.
    at.coord.config().set("/im-infra/allocators/orders/floors/1", &5000).await.unwrap();
    id.raise_floor(2000).await.unwrap();
    assert_eq!(id.floor(), 5000);
    drop(killed);
    all_are_free(&at.coord).await;
    let next = ids(&at.coord, 1).acquire().await.unwrap();
    assert_eq!(next.floor(), 5000);
    next.release().await.unwrap();

    // A floor that is no number is not passed over, and the number is given back.
    at.coord.config().set("/im-infra/allocators/orders/floors/1", "x").await.unwrap();
    let error = ids(&at.coord, 1).acquire().await.unwrap_err();
    assert!(matches!(error, CoordError::Decode { .. }), "{error}");
    all_are_free(&at.coord).await;
}

// IDS-4
pub(crate) async fn what_is_no_service_is_refused(At { coord, .. }: At) {
    let refused = |service: &str, max| coord.instance_ids(service, max).unwrap_err().to_string();
    assert_eq!(refused("", 5), "service: \"\" must be 1 to 256 bytes without a slash");
    assert_eq!(refused("a/b", 5), "service: \"a/b\" must be 1 to 256 bytes without a slash");
    assert_eq!(refused("a", 0), "max: 0 must be 1 to 1000000");
    assert_eq!(refused("a", 1_000_001), "max: 1000001 must be 1 to 1000000");
    let ids = coord.instance_ids("a", 5).unwrap();
    assert!(matches!(ids.with_ttl(Duration::from_millis(1)), Err(CoordError::Invalid { .. })));
}
