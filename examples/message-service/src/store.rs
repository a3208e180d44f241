//! Where messages are kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use gone::Goner;

use crate::message::{Limit, Message, Session};

/// Any error, with its source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A place that keeps messages.
///
/// Newest first is the order of ids from the greatest down, whatever the order of the calls.
#[async_trait]
pub trait MessageStore: Send + Sync {
    /// Keeps a message for good.
    ///
    /// A dropped future leaves the message either stored or not.
    ///
    /// # Errors
    /// [`StoreError`]; after one the message may have been stored, unless it is [`StoreError::Full`].
    async fn append(&self, message: Message) -> Result<(), StoreError>;

    /// The newest messages of a session, newest first; none for a session that nobody posted to.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    async fn newest(&self, session: &Session, limit: Limit) -> Result<Vec<Message>, StoreError>;

    /// One message of a session.
    ///
    /// A dropped future leaves nothing behind.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    async fn find(&self, session: &Session, id: i64) -> Result<Option<Message>, StoreError>;
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A bound of the store is reached; nothing was stored.
    #[error("the store is full: {bound} is reached")]
    Full {
        /// The bound, by its name in the store's settings.
        bound: &'static str,
    },
    /// The id is taken; nothing was stored.
    #[error("a message with the id {id} is stored already")]
    Duplicate {
        /// The id.
        id: i64,
    },
    /// What the store is built on failed.
    #[error("the store's backend failed")]
    Backend(#[source] BoxError),
}

/// How much a [`MemoryStore`] keeps. A bound of zero keeps nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The most sessions; 1,024 by default.
    pub sessions: usize,
    /// The most messages in one session; 1,000 by default.
    pub messages_per_session: usize,
    /// The most text of all messages together (session, user and content), in bytes; 256 MiB by default.
    pub bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self { sessions: 1_024, messages_per_session: 1_000, bytes: 256 * 1024 * 1024 }
    }
}

/// Messages in the memory of this process: bounded, and gone when it ends.
///
/// A message that would pass a bound is refused; none that was accepted is ever dropped to make room.
#[derive(Debug, Default, Goner)]
#[goner(offers(dyn MessageStore))]
pub struct MemoryStore {
    limits: MemoryLimits,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sessions: BTreeMap<Session, BTreeMap<i64, Message>>,
    bytes: usize,
}

impl MemoryStore {
    /// An empty store with these bounds.
    pub fn new(limits: MemoryLimits) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    fn with_kept<T>(&self, f: impl FnOnce(&mut Kept) -> T) -> T {
        // Nothing between lock and release can stop half way, so a poisoned lock guards sound data.
        f(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn append(&mut self, limits: MemoryLimits, message: Message) -> Result<(), StoreError> {
        let bytes = self
            .bytes
            .saturating_add(message.session.as_str().len())
            .saturating_add(message.user_id.len())
            .saturating_add(message.content.len());
        if bytes > limits.bytes {
            return Err(StoreError::Full { bound: "bytes" });
        }
        match self.sessions.get_mut(&message.session) {
            Some(messages) => {
                if messages.contains_key(&message.id) {
                    return Err(StoreError::Duplicate { id: message.id });
                }
                if messages.len() >= limits.messages_per_session {
                    return Err(StoreError::Full { bound: "messages_per_session" });
                }
                messages.insert(message.id, message);
            }
            None => {
                if self.sessions.len() >= limits.sessions {
                    return Err(StoreError::Full { bound: "sessions" });
                }
                if limits.messages_per_session == 0 {
                    return Err(StoreError::Full { bound: "messages_per_session" });
                }
                let session = message.session.clone();
                let messages = BTreeMap::from([(message.id, message)]);
                self.sessions.insert(session, messages);
            }
        }
        self.bytes = bytes;
        Ok(())
    }
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn append(&self, message: Message) -> Result<(), StoreError> {
        self.with_kept(|kept| kept.append(self.limits, message))
    }

    async fn newest(&self, session: &Session, limit: Limit) -> Result<Vec<Message>, StoreError> {
        Ok(self.with_kept(|kept| {
            let messages = kept.sessions.get(session).into_iter().flatten();
            messages.rev().take(limit.get()).map(|(_, message)| message.clone()).collect()
        }))
    }

    async fn find(&self, session: &Session, id: i64) -> Result<Option<Message>, StoreError> {
        Ok(self.with_kept(|kept| kept.sessions.get(session)?.get(&id).cloned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::message::{NewMessage, PageLimits};

    fn message(session: &str, id: i64, content: &str) -> Message {
        NewMessage::new(Session::new(session).expect("valid"), "u", content)
            .expect("valid")
            .into_message(id, SystemTime::UNIX_EPOCH)
    }

    fn store(sessions: usize, messages_per_session: usize, bytes: usize) -> MemoryStore {
        MemoryStore::new(MemoryLimits { sessions, messages_per_session, bytes })
    }

    async fn contents(store: &MemoryStore, session: &str, limit: u16) -> Vec<String> {
        let session = Session::new(session).expect("valid");
        let limit = PageLimits::default().limit(limit).expect("valid");
        let messages = store.newest(&session, limit).await.expect("memory reads");
        messages.into_iter().map(|it| it.content).collect()
    }

    #[tokio::test]
    async fn the_newest_come_by_id_whatever_the_order_of_appends() {
        let store = MemoryStore::default();
        for id in [2, 3, 1] {
            let message = message("a", id, &id.to_string());
            store.append(message).await.expect("there is room");
        }
        assert_eq!(contents(&store, "a", 2).await, ["3", "2"]);
        assert_eq!(contents(&store, "b", 2).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_full_session_refuses_and_keeps_what_it_has() {
        let store = store(9, 1, 99);
        store.append(message("a", 1, "first")).await.expect("room");
        let refused = store.append(message("a", 2, "second")).await;
        assert!(matches!(refused, Err(StoreError::Full { bound: "messages_per_session" })));
        assert_eq!(contents(&store, "a", 9).await, ["first"]);
    }

    #[tokio::test]
    async fn one_session_too_many_is_refused() {
        let store = store(1, 9, 99);
        store.append(message("a", 1, "x")).await.expect("room");
        let refused = store.append(message("b", 2, "x")).await;
        assert!(matches!(refused, Err(StoreError::Full { bound: "sessions" })));
        assert_eq!(contents(&store, "b", 9).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn text_beyond_the_bytes_is_refused() {
        // Each message counts its session, its user and its content: "a", "u" and five make seven.
        let store = store(9, 9, 10);
        store.append(message("a", 1, "12345")).await.expect("room");
        let refused = store.append(message("a", 2, "12")).await;
        assert!(matches!(refused, Err(StoreError::Full { bound: "bytes" })));
        store.append(message("a", 3, "1")).await.expect("three fit exactly");
    }

    #[tokio::test]
    async fn an_id_is_taken_once() {
        let store = MemoryStore::default();
        store.append(message("a", 1, "first")).await.expect("room");
        let refused = store.append(message("a", 1, "second")).await;
        assert!(matches!(refused, Err(StoreError::Duplicate { .. })));
        assert_eq!(contents(&store, "a", 9).await, ["first"]);
    }

    #[tokio::test]
    async fn a_message_is_found_only_in_its_session() {
        let store = MemoryStore::default();
        store.append(message("a", 1, "x")).await.expect("room");
        let (a, b) = (Session::new("a").expect("valid"), Session::new("b").expect("valid"));
        assert!(store.find(&a, 1).await.expect("memory reads").is_some());
        assert!(store.find(&b, 1).await.expect("memory reads").is_none());
        assert!(store.find(&a, 2).await.expect("memory reads").is_none());
    }
}
