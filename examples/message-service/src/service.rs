//! What the service does, apart from HTTP.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gone::Goner;
use tokio::time::timeout;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::message::{Limit, Message, NewMessage, Session};
use crate::store::{MessageStore, StoreError};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now; it may go back.
    fn now(&self) -> SystemTime;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default, Goner)]
#[goner(offers(dyn Clock))]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Why the service did not do what it was asked. Its cause is for the log, not for clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
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
/// It gives each message an id and a time. Ids of one service rise with every call, also within one millisecond and
/// when the clock goes back, and the time of a message is that of its id, so that both have one order.
#[derive(Goner)]
pub struct MessageService {
    #[gone]
    store: Arc<dyn MessageStore>,
    #[gone]
    clock: Arc<dyn Clock>,
    #[gone("config,message.store_budget=5s")]
    store_budget: Duration,
    ids: Ids,
}

/// What makes ids rise within one millisecond.
struct Ids(Mutex<ContextV7>);

impl Default for Ids {
    fn default() -> Self {
        Ids(Mutex::new(ContextV7::new()))
    }
}

impl MessageService {
    /// How long one call of the store may take, unless said otherwise.
    pub const STORE_BUDGET: Duration = Duration::from_secs(5);

    /// A service on a store, with the machine's clock and the default budget.
    pub fn new(store: Arc<dyn MessageStore>) -> Self {
        Self { store, clock: Arc::new(SystemClock), store_budget: Self::STORE_BUDGET, ids: Ids::default() }
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
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
    /// [`ServiceError`] when the store fails or does not answer within its budget.
    pub async fn post(&self, new: NewMessage) -> Result<Message, ServiceError> {
        let (id, created_at) = self.next_id();
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
    pub async fn find(&self, session: &Session, id: Uuid) -> Result<Option<Message>, ServiceError> {
        self.within_budget(self.store.find(session, id)).await
    }

    async fn within_budget<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, ServiceError> {
        match timeout(self.store_budget, call).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ServiceError::StoreTimeout { budget: self.store_budget }),
        }
    }

    fn next_id(&self) -> (Uuid, SystemTime) {
        // A clock before 1970 is a broken clock; the context still makes ids that rise.
        let now = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = Uuid::new_v7(Timestamp::from_unix(&self.ids.0, now.as_secs(), now.subsec_nanos()));
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |time| time.to_unix());
        (id, UNIX_EPOCH + Duration::new(seconds, nanos))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_trait::async_trait;

    use super::*;
    use crate::store::MemoryStore;

    /// A clock that shows what it is set to.
    struct SetClock(Mutex<SystemTime>);

    impl Clock for SetClock {
        fn now(&self) -> SystemTime {
            *self.0.lock().expect("no test panics with it")
        }
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
        let clock = Arc::new(SetClock(Mutex::new(at(1_700_000_000_123))));
        let service = MessageService::new(Arc::new(MemoryStore::default())).with_clock(clock);
        for number in 0..100 {
            let draft = draft(&number.to_string());
            let message = service.post(draft).await.expect("memory takes it");
            assert_eq!(message.created_at, at(1_700_000_000_123));
        }
        let session = Session::new("room").expect("valid");
        let limit = Limit::new(200).expect("valid");
        let newest = service.newest(&session, limit).await.expect("reads");
        let contents: Vec<_> = newest.into_iter().map(|it| it.content).collect();
        let expected: Vec<_> = (0..100).rev().map(|it| it.to_string()).collect();
        assert_eq!(contents, expected);
    }

    #[tokio::test]
    async fn a_clock_that_goes_back_takes_neither_ids_nor_times_back() {
        let clock = Arc::new(SetClock(Mutex::new(at(5_000))));
        let service = MessageService::new(Arc::new(MemoryStore::default())).with_clock(clock.clone());
        let first = service.post(draft("1")).await.expect("stored");
        *clock.0.lock().expect("not poisoned") = at(1_000);
        let second = service.post(draft("2")).await.expect("stored");
        assert!(second.id > first.id);
        assert!(second.created_at >= first.created_at);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn ids_made_at_once_are_all_different() {
        let service = Arc::new(MessageService::new(Arc::new(MemoryStore::default())));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let service = service.clone();
            tasks.spawn(async move { (0..500).map(|_| service.next_id().0).collect::<Vec<_>>() });
        }
        let lists = tasks.join_all().await;
        assert!(lists.iter().all(|list| list.is_sorted()));
        let ids: BTreeSet<_> = lists.into_iter().flatten().collect();
        assert_eq!(ids.len(), 8 * 500);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
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
        async fn find(&self, _: &Session, _: Uuid) -> Result<Option<Message>, StoreError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_store_is_given_up_after_the_budget() {
        let service = MessageService::new(Arc::new(Stuck)).with_store_budget(Duration::from_secs(2));
        let before = tokio::time::Instant::now();
        let failed = service.post(draft("x")).await;
        assert!(matches!(failed, Err(ServiceError::StoreTimeout { .. })));
        assert_eq!(before.elapsed(), Duration::from_secs(2));
    }
}
