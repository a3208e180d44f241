//! Services: registering, finding, watching, and going.

use std::time::Duration;

use gone_coord::{Coord, CoordError, Registration, RegistrationStatus, ServiceEvent, ServiceInfo};
use gone_core::Deadline;
use tokio::time::{Instant, sleep};

use crate::At;
use crate::at::{PATIENCE, never, soon};

const TTL: Duration = Duration::from_secs(2);

fn info(id: &str, port: u16) -> ServiceInfo {
    ServiceInfo::new("users", id, "10.0.0.7", port).with_metadata("zone", "b")
}

async fn register(coord: &Coord, id: &str, port: u16) -> Registration {
    coord.registry().register(info(id, port), TTL).await.expect("registered")
}

async fn found(coord: &Coord) -> Vec<ServiceInfo> {
    coord.registry().discover("users").await.expect("the registry answers")
}

/// Waits until the ids are those that are found.
async fn until(coord: &Coord, ids: &[&str]) {
    while found(coord).await.iter().map(|info| info.id.as_str()).ne(ids.iter().copied()) {
        sleep(Duration::from_millis(20)).await;
    }
}

// REG-1
pub(crate) async fn what_is_registered_is_found_as_it_was_given(at: At) {
    let other = at.other().await;
    let registration = register(&at.coord, "users-1", 9000).await;
    assert_eq!(registration.info(), &info("users-1", 9000));
    assert_eq!(registration.status(), RegistrationStatus::Registered);
    assert_eq!(found(&other).await, [info("users-1", 9000)]);
    let stored: ServiceInfo = other.config().get("/services/users/users-1").await.unwrap();
    assert_eq!(stored, info("users-1", 9000));
}

// REG-2
pub(crate) async fn an_instance_is_gone_when_it_is_unregistered_and_another_id_is_not_found(at: At) {
    let registration = register(&at.coord, "users-1", 9000).await;
    let _other = register(&at.coord, "users-2", 9001).await;
    registration.unregister().await.unwrap();
    assert_eq!(found(&at.coord).await, [info("users-2", 9001)]);
    at.coord.registry().unregister("users-2").await.unwrap();
    assert!(found(&at.coord).await.is_empty());
    for id in ["users-1", "users-2", "users-3"] {
        match at.coord.registry().unregister(id).await {
            Err(CoordError::NotFound { key }) => assert_eq!(key, id),
            other => panic!("{other:?}"),
        }
    }
    // What another process has registered is not this one's to unregister.
    let other = at.other().await;
    let _theirs = register(&other, "users-4", 9004).await;
    assert!(matches!(at.coord.registry().unregister("users-4").await, Err(CoordError::NotFound { .. })));
}

// REG-3
pub(crate) async fn the_instance_of_a_killed_process_is_gone_after_its_ttl(at: At) {
    let killed = at.other().await;
    let _registration = register(&killed, "users-1", 9000).await;
    sleep(TTL * 2).await;
    assert_eq!(found(&at.coord).await.len(), 1, "it is renewed while the process lives");
    let began = Instant::now();
    drop(killed);
    soon("the end of the ttl", until(&at.coord, &[])).await;
    let took = began.elapsed();
    println!("gone after {took:?}, with a ttl of {TTL:?}");
    assert!(took <= TTL + Duration::from_secs(1), "{took:?}");
}

// REG-4
pub(crate) async fn instances_are_found_in_order_and_neither_siblings_nor_what_cannot_be_read_are(at: At) {
    let _two = register(&at.coord, "users-2", 9002).await;
    let _one = register(&at.coord, "users-1", 9001).await;
    let sibling = ServiceInfo::new("users-old", "users-1", "10.0.0.8", 1);
    let _sibling = at.coord.registry().register(sibling, TTL).await.unwrap();
    at.coord.config().set("/services/users/broken", &"10.0.0.9:9000").await.unwrap();
    at.coord.config().set("/services/users/alias", &info("users-1", 9001)).await.unwrap();
    assert_eq!(found(&at.coord).await, [info("users-1", 9001), info("users-2", 9002)]);
    assert!(at.coord.registry().discover("nobody").await.unwrap().is_empty());
}

// REG-5
pub(crate) async fn a_watch_tells_who_comes_and_who_goes_with_what_was_known(at: At) {
    let other = at.other().await;
    let _one = register(&at.coord, "users-1", 9001).await;
    let mut events = other.registry().watch("users").await.unwrap();
    assert!(matches!(&events.initial()[..], [ServiceEvent::Put(it)] if **it == info("users-1", 9001)));
    let two = register(&at.coord, "users-2", 9002).await;
    match soon("the second", events.next()).await {
        Some(ServiceEvent::Put(it)) => assert_eq!(*it, info("users-2", 9002)),
        other => panic!("{other:?}"),
    }
    two.unregister().await.unwrap();
    match soon("its end", events.next()).await {
        Some(ServiceEvent::Delete(it)) => assert_eq!(*it, info("users-2", 9002)),
        other => panic!("{other:?}"),
    }
    at.coord.config().set("/services/users/broken", &1).await.unwrap();
    match soon("what cannot be read", events.next()).await {
        Some(ServiceEvent::Undecodable { key, error: CoordError::Decode { .. } }) => {
            assert_eq!(key, "/services/users/broken");
        }
        other => panic!("{other:?}"),
    }
    at.coord.config().delete("/services/users/broken").await.unwrap();
    never(events.next()).await;
    let _ = other.close(Deadline::after(PATIENCE)).await;
    assert!(soon("the end", events.next()).await.is_none());
}

// REG-6
pub(crate) async fn an_id_registered_anew_replaces_the_old_one_which_has_no_power_over_it(at: At) {
    let mut events = at.coord.registry().watch("users").await.unwrap();
    let mut next = async || soon("an event", events.next()).await.expect("the watch goes on");
    let old = register(&at.coord, "users-1", 9001).await;
    assert!(matches!(next().await, ServiceEvent::Put(it) if it.port == 9001));
    let new = register(&at.coord, "users-1", 9002).await;
    assert!(matches!(next().await, ServiceEvent::Put(it) if it.port == 9002), "it is never gone between");
    assert_eq!((old.status(), new.status()), (RegistrationStatus::Ended, RegistrationStatus::Registered));
    old.unregister().await.unwrap();
    assert_eq!(found(&at.coord).await, [info("users-1", 9002)]);
    // The same id under another service is another instance.
    let other = ServiceInfo::new("accounts", "users-1", "10.0.0.7", 9003);
    let _other = at.coord.registry().register(other.clone(), TTL).await.unwrap();
    new.unregister().await.unwrap();
    assert!(matches!(next().await, ServiceEvent::Delete(it) if it.port == 9002));
    assert_eq!(at.coord.registry().discover("accounts").await.unwrap(), [other]);
}

// REG-7
pub(crate) async fn what_cannot_be_registered_is_refused(at: At) {
    let registry = at.coord.registry();
    for (info, ttl, wrong) in [
        (ServiceInfo::new("users/", "a", "h", 1), TTL, "name"),
        (ServiceInfo::new("users", "", "h", 1), TTL, "id"),
        (ServiceInfo::new("users", "a", "h h", 1), TTL, "address"),
        (ServiceInfo::new("users", "a", "h", 0), TTL, "port"),
        (info("a", 1), Duration::ZERO, "ttl"),
        (info("a", 1), Duration::from_millis(1500), "ttl"),
        (info("a", 1), Duration::from_secs(3601), "ttl"),
    ] {
        match registry.register(info, ttl).await {
            Err(CoordError::Invalid { argument, .. }) => assert_eq!(argument, wrong),
            other => panic!("{other:?}"),
        }
    }
    for name in ["", "a/b"] {
        assert!(matches!(registry.discover(name).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(registry.watch(name).await, Err(CoordError::Invalid { .. })));
        assert!(matches!(registry.discovery(name).await, Err(CoordError::Invalid { .. })));
    }
}

// REG-8
pub(crate) async fn a_key_that_somebody_deletes_is_put_back(at: At) {
    let mut registration = register(&at.coord, "users-1", 9001).await;
    at.coord.config().delete("/services/users/users-1").await.unwrap();
    // It is looked for every ten seconds, and put back within one more.
    let noticed = tokio::time::timeout(Duration::from_secs(15), async {
        assert_eq!(registration.changed().await, Some(RegistrationStatus::Restoring));
        assert_eq!(registration.changed().await, Some(RegistrationStatus::Registered));
    });
    noticed.await.expect("noticed");
    assert_eq!(found(&at.coord).await, [info("users-1", 9001)]);
    registration.unregister().await.unwrap();
    assert!(found(&at.coord).await.is_empty());
}

// REG-9
pub(crate) async fn an_id_that_another_process_has_taken_is_not_fought_over(at: At) {
    let other = at.other().await;
    // One that leaves before it has noticed takes nothing with it.
    let unaware = register(&at.coord, "users-0", 9000).await;
    let replaced = register(&other, "users-0", 9003).await;
    unaware.unregister().await.unwrap();
    assert_eq!(found(&at.coord).await, [info("users-0", 9003)]);
    replaced.unregister().await.unwrap();

    let mut ours = register(&at.coord, "users-1", 9001).await;
    let theirs = register(&other, "users-1", 9002).await;
    assert_eq!(found(&at.coord).await, [info("users-1", 9002)]);
    let noticed = tokio::time::timeout(Duration::from_secs(15), async {
        while ours.changed().await.expect("it goes on") != RegistrationStatus::Taken {}
    });
    noticed.await.expect("noticed");
    ours.unregister().await.unwrap();
    assert_eq!(found(&at.coord).await, [info("users-1", 9002)]);
    assert_eq!(theirs.status(), RegistrationStatus::Registered);
}

// REG-10
pub(crate) async fn a_picture_follows_and_is_asked_without_asking_the_registry(at: At) {
    let other = at.other().await;
    let users = other.registry().discovery("users").await.unwrap();
    assert!(users.pick().is_none() && users.status().listings == 1);
    let _one = register(&at.coord, "users-1", 9001).await;
    let two = register(&at.coord, "users-2", 9002).await;
    let mut seen = users.instances();
    while seen.list().len() < 2 {
        seen = soon("both", users.newer_than(seen.version())).await.expect("open");
    }
    let ports: Vec<_> = (0..4).map(|_| users.pick().expect("two are there").port).collect();
    assert!(ports == [9001, 9002, 9001, 9002] || ports == [9002, 9001, 9002, 9001], "{ports:?}");
    let began = Instant::now();
    two.unregister().await.unwrap();
    seen = soon("the end of the second", users.newer_than(seen.version())).await.expect("open");
    println!("heard of after {:?}", began.elapsed());
    assert_eq!(seen.list().iter().map(|it| it.port).collect::<Vec<_>>(), [9001]);
    at.coord.config().set("/services/users/broken", &1).await.unwrap();
    seen = soon("what cannot be read", users.newer_than(seen.version())).await.expect("open");
    assert_eq!((seen.list().len(), seen.undecodable()), (1, 1));
    let same = other.registry().discovery("users").await.unwrap();
    assert_eq!(same.instances().version(), seen.version(), "it is one picture");
    let _ = other.close(Deadline::after(PATIENCE)).await;
    assert!(soon("the end", users.newer_than(seen.version())).await.is_none());
    assert_eq!(users.instances().list().len(), 1, "what was known last stays");
}

// REG-11
pub(crate) async fn closing_unregisters_at_once(at: At) {
    let other = at.other().await;
    let long = Duration::from_secs(3600);
    let registration = other.registry().register(info("users-1", 9001), long).await.unwrap();
    let mut second = other.registry().register(info("users-2", 9002), long).await.unwrap();
    assert!(other.close(Deadline::after(PATIENCE)).await.is_clean());
    assert!(found(&at.coord).await.is_empty());
    assert_eq!(registration.status(), RegistrationStatus::Ended);
    assert_eq!(second.changed().await, Some(RegistrationStatus::Ended));
    assert_eq!(second.changed().await, None);
    assert!(matches!(other.registry().register(info("users-3", 9003), TTL).await, Err(CoordError::Closed)));
    registration.unregister().await.unwrap();
}

// REG-12
pub(crate) async fn what_is_dropped_is_unregistered_in_the_background(at: At) {
    let long = Duration::from_secs(3600);
    let registration = at.coord.registry().register(info("users-1", 9001), long).await.unwrap();
    drop(registration);
    soon("the end of a dropped registration", until(&at.coord, &[])).await;
}

// REG-13
pub(crate) async fn withdrawing_unregisters_all_and_waits_until_peers_have_heard(at: At) {
    let peer = at.other().await;
    let _one = register(&at.coord, "users-1", 9001).await;
    let _two = register(&at.coord, "users-2", 9002).await;
    let _theirs = register(&peer, "users-3", 9003).await;
    let users = peer.registry().discovery("users").await.unwrap();
    let began = Instant::now();
    assert_eq!(at.coord.registry().withdraw().await, 0);
    let took = began.elapsed();
    assert!(took >= at.config.registry.drain_delay, "{took:?}");
    assert_eq!(users.instances().list().iter().map(|it| it.port).collect::<Vec<_>>(), [9003]);
    let began = Instant::now();
    assert_eq!(at.coord.registry().withdraw().await, 0);
    assert!(
        began.elapsed() < at.config.registry.drain_delay,
        "nothing was registered, so there is nothing to wait for"
    );
}

// REG-22
pub(crate) async fn a_list_that_is_suddenly_empty_is_shown_for_a_while(at: At) {
    let hold = Duration::from_secs(2);
    let mut config = at.config.clone();
    config.registry.hold_empty = hold;
    let peer = Coord::connect(&config).await.unwrap();
    let users = peer.registry().discovery("users").await.unwrap();
    let all = [register(&at.coord, "users-1", 9001).await, register(&at.coord, "users-2", 9002).await];
    let mut seen = users.instances();
    while seen.list().len() < 2 {
        seen = soon("both", users.newer_than(seen.version())).await.expect("open");
    }
    let began = Instant::now();
    drop(all);
    while !seen.is_held() {
        seen = soon("their end", users.newer_than(seen.version())).await.expect("open");
        assert!(!seen.list().is_empty(), "{seen:?}");
    }
    until(&at.coord, &[]).await;
    // One of them comes back, and is shown as it is now.
    let back = register(&at.coord, "users-1", 9003).await;
    while !seen.list().iter().any(|it| it.port == 9003) {
        seen = soon("its coming back", users.newer_than(seen.version())).await.expect("open");
    }
    while seen.is_held() {
        seen = soon("the end of the time", users.newer_than(seen.version())).await.expect("open");
    }
    let took = began.elapsed();
    assert!(took >= hold && took <= hold * 5, "{took:?}");
    assert_eq!(seen.list().iter().map(|it| it.port).collect::<Vec<_>>(), [9003]);
    // One that goes alone is gone at once.
    back.unregister().await.unwrap();
    seen = soon("its end", users.newer_than(seen.version())).await.expect("open");
    assert!(seen.list().is_empty() && !seen.is_held(), "{seen:?}");
}
