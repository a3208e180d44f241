//! What befalls registrations when the network does its worst.

use gone_kit::{LeaseEnd, Outcome};
use gone_test_bench::drop_at_each_poll;
use tokio::time::Instant;

use super::*;
use crate::backend::unreliable::{Fault, Unreliable};
use crate::backend::{Entry, Session, Step, Txn};

const TTL: Duration = Duration::from_secs(10);
const KEY: &str = "/services/users/users-1";

fn one() -> (Arc<Unreliable>, Registry) {
    let backend = Unreliable::open("");
    let registry = Registry::new(Shared::over(backend.clone()));
    (backend, registry)
}

fn info(port: u16) -> ServiceInfo {
    ServiceInfo::new("users", "users-1", "10.0.0.7", port)
}

/// Lets the background do what is due now.
async fn settle() {
    sleep(Duration::from_millis(500)).await;
}

async fn keys(backend: &Unreliable) -> Vec<String> {
    backend.keys("/services/").await
}

async fn stored(registry: &Registry) -> Entry {
    registry.shared.backend.get(KEY).await.unwrap().expect("it is there")
}

async fn session(registry: &Registry) -> Arc<Session> {
    registry.shared.sessions.get(TTL).await.unwrap()
}

/// The session ends here, and not yet in the store: as for one who was cut off.
async fn lose(session: &Session) {
    session.keeper.finish(LeaseEnd::Lost("cut off".into()));
}

#[tokio::test(start_paused = true)]
async fn registering_is_one_transaction_and_unregistering_another_under_one_session() {
    let (backend, registry) = one();
    for port in 1..=3 {
        let registration = registry.register(info(port), TTL).await.unwrap();
        registration.unregister().await.unwrap();
    }
    assert_eq!(backend.commits(), ["register", "unregister", "register", "unregister", "register", "unregister"]);
    assert_eq!(backend.sessions(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_registered_though_its_answer_was_lost_is_removed() {
    let (backend, registry) = one();
    backend.fail("register", Fault::AnswerLost);
    // The removal may fail at first, too.
    backend.fail("unregister", Fault::Refused);
    backend.fail("unregister", Fault::AnswerLost);
    let error = registry.register(info(1), TTL).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    settle().await;
    assert!(keys(&backend).await.is_empty());
    assert_eq!(backend.struck(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_registered_after_all_when_nobody_waits_any_more_is_removed() {
    let (backend, registry) = one();
    backend.fail("register", Fault::Late(Duration::from_secs(9)));
    registry.register(info(1), TTL).await.unwrap_err();
    sleep(Duration::from_secs(16)).await;
    assert_eq!(backend.commits(), ["register", "unregister"], "it has arrived, and was removed");
    assert!(keys(&backend).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_registered_leaves_nothing_and_the_next_try_is_a_new_one() {
    let (backend, registry) = one();
    backend.fail("register", Fault::Refused);
    let error = registry.register(info(1), TTL).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotApplied);
    assert!(matches!(registry.unregister("users-1").await, Err(CoordError::NotFound { .. })));
    let registration = registry.register(info(2), TTL).await.unwrap();
    assert_eq!(registration.status(), RegistrationStatus::Registered);
    assert_eq!(registry.stats().registrations, 1);
}

#[tokio::test(start_paused = true)]
async fn an_id_registered_while_the_old_one_is_still_being_removed_stays() {
    let (backend, registry) = one();
    backend.fail("register", Fault::AnswerLost);
    for _ in 0..3 {
        backend.fail("unregister", Fault::Refused);
    }
    registry.register(info(1), TTL).await.unwrap_err();
    let registration = registry.register(info(2), TTL).await.unwrap();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(registry.discover("users").await.unwrap(), [info(2)]);
    assert_eq!(registration.status(), RegistrationStatus::Registered);
}

#[tokio::test(start_paused = true)]
async fn unregistering_that_fails_says_so_and_goes_on_in_the_background() {
    let (backend, registry) = one();
    let registration = registry.register(info(1), TTL).await.unwrap();
    backend.fail("unregister", Fault::Refused);
    assert_eq!(registration.unregister().await.unwrap_err().outcome(), Outcome::NotApplied);
    settle().await;
    assert!(keys(&backend).await.is_empty());

    let _registration = registry.register(info(1), TTL).await.unwrap();
    backend.fail("unregister", Fault::AnswerLost);
    assert_eq!(registry.unregister("users-1").await.unwrap_err().outcome(), Outcome::Unknown);
    settle().await;
    assert!(keys(&backend).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_is_lost_and_not_wanted_any_more_does_not_come_back() {
    let (backend, registry) = one();
    let mut registration = registry.register(info(1), TTL).await.unwrap();
    let lost = session(&registry).await;
    lose(&lost).await;
    assert_eq!(registration.changed().await, Some(RegistrationStatus::Restoring));
    registration.unregister().await.unwrap();
    registry.shared.backend.close_session(&lost).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert!(keys(&backend).await.is_empty());
    assert_eq!(registry.stats(), RegistryStats { registrations_lost: 1, ..RegistryStats::default() });
}

#[tokio::test(start_paused = true)]
async fn what_another_process_put_while_the_session_was_lost_is_left_alone() {
    let (backend, registry) = one();
    let mut registration = registry.register(info(1), TTL).await.unwrap();
    lose(&*session(&registry).await).await;
    let put = Step::Put { key: KEY.to_owned(), value: info(2).encode().into(), session: 0 };
    let txn = Txn { then: vec![put], ..Txn::default() };
    assert!(registry.shared.backend.commit("theirs", txn).await.unwrap().succeeded);
    assert_eq!(registration.changed().await, Some(RegistrationStatus::Restoring));
    assert_eq!(registration.changed().await, Some(RegistrationStatus::Taken));
    registration.unregister().await.unwrap();
    assert_eq!(registry.discover("users").await.unwrap(), [info(2)]);
    assert_eq!(keys(&backend).await, [KEY]);
}

#[tokio::test(start_paused = true)]
async fn registering_dropped_wherever_it_waits_leaves_nothing() {
    let (backend, registry) = one();
    let dropped = drop_at_each_poll(
        async |_| registry.register(info(1), TTL).await.map(drop),
        async |polls| {
            sleep(Duration::from_secs(20)).await;
            assert!(keys(&backend).await.is_empty(), "dropped after {polls} polls");
            assert_eq!(registry.stats().registrations, 0, "dropped after {polls} polls");
        },
    );
    let dropped = dropped.await;
    println!("{dropped:?}");
    assert!(dropped.dropped >= 2, "{dropped:?}");
}

#[tokio::test(start_paused = true)]
async fn unregistering_dropped_wherever_it_waits_is_done_all_the_same() {
    let (backend, registry) = one();
    let dropped = drop_at_each_poll(
        async |_| {
            let registration = registry.register(info(1), TTL).await.unwrap();
            registration.unregister().await.unwrap();
        },
        async |polls| {
            settle().await;
            assert!(keys(&backend).await.is_empty(), "dropped after {polls} polls");
        },
    );
    let dropped = dropped.await;
    assert!(dropped.dropped >= 3, "{dropped:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_on_when_the_connection_is_gone() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    for close in [true, false] {
        let (_backend, registry) = one();
        let registration = registry.register(info(1), TTL).await.unwrap();
        let picture = registry.discovery("users").await.unwrap();
        let events = registry.watch("users").await.unwrap();
        assert!(alive() > before);
        if close {
            let deadline = Deadline::after(Duration::from_secs(1));
            assert!(registry.shared.directory.close(deadline).await.is_clean());
            let _ = registry.shared.backend.close(deadline).await;
        }
        drop(registry);
        // The handles are there still.
        sleep(Duration::from_secs(120)).await;
        assert_eq!(alive(), before, "closed: {close}");
        assert_eq!(registration.status(), RegistrationStatus::Ended);
        assert_eq!(picture.instances().list().len(), usize::from(!close));
        assert!(picture.newer_than(picture.instances().version()).await.is_none());
        drop((registration, events));
    }
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_longer_than_its_deadline_and_counts_what_is_left() {
    let (backend, registry) = one();
    let _registration = registry.register(info(1), TTL).await.unwrap();
    backend.fail("unregister", Fault::Refused);
    let report = registry.shared.directory.close(Deadline::after(Duration::from_secs(1))).await;
    assert_eq!(report.lost, 1);
    assert!(matches!(registry.register(info(1), TTL).await, Err(CoordError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn no_more_services_are_followed_than_there_is_room_for() {
    let (_backend, registry) = one();
    for number in 0..MOST_SERVICES {
        registry.discovery(&format!("service-{number}")).await.unwrap();
    }
    match registry.discovery("one-more").await {
        Err(CoordError::Invalid { argument, reason }) => {
            assert_eq!(
                (argument, reason.as_str()),
                ("name", "1000 services are followed already, and no more are allowed")
            );
        }
        other => panic!("{other:?}"),
    }
    registry.discovery("service-0").await.unwrap();
}

/// Rows of the contract, on this backend.
mod memory {
    use super::*;

    // REG-21
    #[tokio::test(start_paused = true)]
    async fn a_lost_registration_comes_back_under_a_new_session_and_is_never_two() {
        let (backend, registry) = one();
        let mut registration = registry.register(info(1), TTL).await.unwrap();
        let mut events = registry.watch("users").await.unwrap();
        let lost = session(&registry).await;
        lose(&lost).await;
        let began = Instant::now();
        assert_eq!(registration.changed().await, Some(RegistrationStatus::Restoring));
        assert_eq!(registry.stats().registrations_missing, 1);
        // The answer to the first try is lost, and the second is not made.
        backend.fail("register", Fault::AnswerLost);
        backend.fail("register", Fault::Refused);
        assert_eq!(registration.changed().await, Some(RegistrationStatus::Registered));
        assert!(began.elapsed() <= keeper::SPREAD + Duration::from_millis(300), "{:?}", began.elapsed());
        assert_eq!(backend.struck(), 2);
        let fresh = session(&registry).await;
        assert_ne!(fresh.id, lost.id);
        assert_eq!(stored(&registry).await.session, fresh.id);
        // The end of the old session takes nothing with it.
        registry.shared.backend.close_session(&lost).await.unwrap();
        assert_eq!(keys(&backend).await, [KEY]);
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_millis(1), events.next()).await {
            assert!(matches!(&event, ServiceEvent::Put(it) if **it == info(1)), "it was never gone: {event:?}");
        }
        let stats = registry.stats();
        assert_eq!((stats.registrations_lost, stats.registrations_restored, stats.registrations_missing), (1, 1, 0));
        registration.unregister().await.unwrap();
        assert!(keys(&backend).await.is_empty());
    }

    // REG-20
    #[tokio::test(start_paused = true)]
    async fn a_hundred_who_lost_their_session_come_back_spread_and_under_one_session() {
        let (backend, registry) = one();
        let mut registrations = Vec::new();
        for port in 1..=100 {
            let info = ServiceInfo::new("users", format!("users-{port}"), "10.0.0.7", port);
            registrations.push(registry.register(info, TTL).await.unwrap());
        }
        lose(&*session(&registry).await).await;
        let began = Instant::now();
        let mut back = Vec::new();
        for mut registration in registrations {
            back.push(tokio::spawn(async move {
                assert_eq!(registration.changed().await, Some(RegistrationStatus::Restoring));
                assert_eq!(registration.changed().await, Some(RegistrationStatus::Registered));
                (began.elapsed(), registration)
            }));
        }
        let (mut times, mut kept) = (Vec::new(), Vec::new());
        for back in back {
            let (time, registration) = back.await.unwrap();
            times.push(time);
            kept.push(registration);
        }
        times.sort_unstable();
        let (first, last) = (times[0], times[99]);
        println!("a hundred came back after {first:?} to {last:?}");
        assert!(last <= keeper::SPREAD + Duration::from_millis(1), "{last:?}");
        assert!(last - first >= Duration::from_millis(700), "{first:?} to {last:?}");
        assert_eq!(registry.discover("users").await.unwrap().len(), 100);
        assert_eq!(backend.sessions().0, 2);
    }
}
