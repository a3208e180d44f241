//! What the service does, apart from HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gone::Goner;
use gone::uid::{Uid, UidError};
use tokio::time::timeout;

use crate::message::{Limit, Message, NewMessage, Session};
use crate::store::{MessageStore, StoreError};

/// Why the service did not do what it was asked. Its cause is for the log, not for clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// No id could be made; nothing was stored.
    #[error("no id could be made for a message")]
    Id(#[from] UidError),
    /// The store failed.
    #[error("the message store failed")]
    Store(#[from] StoreError),
    /// The store did not answer in time; a message on its way may yet be stored.
    #[error("the message store did not answer within {budget:?}")]
    StoreTimeout {
        /// How long it was given.
        budget: Duration,
    },
}

/// Posts messages and reads them back.
///
/// It gives each message an id and a time. Ids rise with every call, also within one millisecond and when the clock goes
/// back, and the time of a message is that of its id, so that both have one order.
#[derive(Goner)]
pub struct MessageService {
    #[gone]
    store: Arc<dyn MessageStore>,
    #[gone]
    uid: Uid,
    #[gone("config,message.store_budget=5s")]
    store_budget: Duration,
}

impl MessageService {
    /// How long one call of the store may take, unless said otherwise.
    pub const STORE_BUDGET: Duration = Duration::from_secs(5);

    /// A service on a store, with the default budget, whose ids are snowflakes of this handle.
    pub fn new(store: Arc<dyn MessageStore>, uid: Uid) -> Self {
        Self { store, uid, store_budget: Self::STORE_BUDGET }
    }

    /// Gives each call of the store this long.
    #[must_use]
    pub fn with_store_budget(mut self, budget: Duration) -> Self {
        self.store_budget = budget;
        self
    }

    /// Stores a message and returns it with its id and time.
    ///
    /// A dropped future leaves the message either stored or not.
    ///
    /// # Errors
    /// [`ServiceError`] when no id can be made, or the store fails or does not answer within its budget.
    pub async fn post(&self, new: NewMessage) -> Result<Message, ServiceError> {
        let (id, created_at) = self.next_id().await?;
        let message = new.into_message(id, created_at);
        self.within_budget(self.store.append(message.clone())).await?;
        Ok(message)
    }

    /// The newest messages of a session, newest first; none for a session that nobody posted to.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`ServiceError`] when the store fails or does not answer within its budget.
    pub async fn newest(&self, session: &Session, limit: Limit) -> Result<Vec<Message>, ServiceError> {
        self.within_budget(self.store.newest(session, limit)).await
    }

    /// One message of a session.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`ServiceError`] when the store fails or does not answer within its budget.
    pub async fn find(&self, session: &Session, id: i64) -> Result<Option<Message>, ServiceError> {
        self.within_budget(self.store.find(session, id)).await
    }

    async fn within_budget<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, ServiceError> {
        match timeout(self.store_budget, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ServiceError::StoreTimeout { budget: self.store_budget }),
        }
    }

    async fn next_id(&self) -> Result<(i64, SystemTime), UidError> {
        let id = self.uid.snowflake().await?;
        Ok((id, self.uid.parse(id)?.time))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::UNIX_EPOCH;

    use async_trait::async_trait;
    use gone::coord::{Coord, CoordConfig};
    use gone::kit::{Clock, ManualClock};
    use gone::uid::UidConfig;

    use super::*;
    use crate::message::PageLimits;
    use crate::store::MemoryStore;

    async fn uid(clock: Clock, rollback_tolerance: Duration) -> Uid {
        let coord = Coord::connect_with_clock(&CoordConfig::default(), clock.clone()).await.expect("in memory");
        let config = UidConfig { service_name: "test".into(), rollback_tolerance, ..UidConfig::default() };
        Uid::open_with_clock(&config, Some(&coord), clock).await.expect("a free instance id")
    }

    async fn service(store: impl MessageStore + 'static) -> MessageService {
        MessageService::new(Arc::new(store), uid(Clock::system(), Duration::ZERO).await)
    }

    /// A service in memory, at a time that only the hand moves.
    async fn service_at(now: SystemTime, rollback_tolerance: Duration) -> (MessageService, ManualClock) {
        let (clock, hand) = ManualClock::at(now);
        (MessageService::new(Arc::new(MemoryStore::default()), uid(clock, rollback_tolerance).await), hand)
    }

    fn at(millis: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn draft(content: &str) -> NewMessage {
        let session = Session::new("room").expect("valid");
        NewMessage::new(session, "u", content).expect("valid")
    }

    #[tokio::test]
    async fn ties_in_time_keep_the_order_of_posting() {
        let (service, _hand) = service_at(at(1_700_000_000_123), Duration::ZERO).await;
        for number in 0..100 {
            let draft = draft(&number.to_string());
            let message = service.post(draft).await.expect("memory takes it");
            assert_eq!(message.created_at, at(1_700_000_000_123));
        }
        let session = Session::new("room").expect("valid");
        let limit = PageLimits::default().limit(200).expect("valid");
        let newest = service.newest(&session, limit).await.expect("reads");
        let contents: Vec<_> = newest.into_iter().map(|it| it.content).collect();
        let expected: Vec<_> = (0..100).rev().map(|it| it.to_string()).collect();
        assert_eq!(contents, expected);
    }

    #[tokio::test]
    async fn a_clock_that_goes_back_takes_neither_ids_nor_times_back() {
        let (service, hand) = service_at(at(1_700_000_005_000), Duration::from_secs(10)).await;
        let first = service.post(draft("1")).await.expect("stored");
        hand.set_wall(at(1_700_000_001_000));
        let second = service.post(draft("2")).await.expect("stored");
        assert!(second.id > first.id);
        assert!(second.created_at >= first.created_at);
    }

    #[tokio::test]
    async fn a_clock_that_goes_back_too_far_stores_nothing_until_it_has_caught_up() {
        let (service, hand) = service_at(at(1_700_000_005_000), Duration::from_millis(50)).await;
        let first = service.post(draft("1")).await.expect("stored");
        hand.set_wall(at(1_700_000_001_000));
        hand.advance(Duration::from_millis(20));
        let refused = service.post(draft("2")).await;
        assert!(matches!(refused, Err(ServiceError::Id(UidError::ClockBackwards { .. }))), "{refused:?}");
        hand.advance(Duration::from_secs(4));
        let second = service.post(draft("3")).await.expect("stored");
        assert!(second.id > first.id);
        let limit = PageLimits::default().limit(200).expect("valid");
        let newest = service.newest(&first.session, limit).await.expect("reads");
        assert_eq!(newest, [second, first]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ids_made_at_once_are_all_different() {
        let service = Arc::new(service(MemoryStore::default()).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let service = service.clone();
            tasks.spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..500 {
                    ids.push(service.next_id().await.expect("an id").0);
                }
                ids
            });
        }
        let lists = tasks.join_all().await;
        assert!(lists.iter().all(|list| list.is_sorted()));
        let ids: BTreeSet<_> = lists.into_iter().flatten().collect();
        assert_eq!(ids.len(), 8 * 500);
        assert!(
            ids.iter().all(|id| service.uid.parse(*id).is_ok_and(|it| Some(it.instance) == service.uid.instance()))
        );
    }

    struct Stuck;

    #[async_trait]
    impl MessageStore for Stuck {
        async fn append(&self, _: Message) -> Result<(), StoreError> {
            std::future::pending().await
        }
        async fn newest(&self, _: &Session, _: Limit) -> Result<Vec<Message>, StoreError> {
            std::future::pending().await
        }
        async fn find(&self, _: &Session, _: i64) -> Result<Option<Message>, StoreError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_store_is_given_up_after_the_budget() {
        let service = service(Stuck).await.with_store_budget(Duration::from_secs(2));
        let before = tokio::time::Instant::now();
        let failed = service.post(draft("x")).await;
        assert!(matches!(failed, Err(ServiceError::StoreTimeout { .. })));
        assert_eq!(before.elapsed(), Duration::from_secs(2));
    }
}
