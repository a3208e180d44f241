//! A store that does nothing but fail.

use async_trait::async_trait;
use message_service::{Limit, Message, MessageStore, Session, StoreError};

/// How the store fails.
pub(crate) enum Broken {
    Fails,
    Panics,
}

impl Broken {
    fn break_down<T>(&self) -> Result<T, StoreError> {
        let inner = "password of db.internal refused";
        match self {
            Self::Fails => Err(StoreError::Backend(inner.into())),
            Self::Panics => panic!("a store that panics"),
        }
    }
}

#[async_trait]
impl MessageStore for Broken {
    async fn append(&self, _: Message) -> Result<(), StoreError> {
        self.break_down()
    }
    async fn newest(&self, _: &Session, _: Limit) -> Result<Vec<Message>, StoreError> {
        self.break_down()
    }
    async fn find(&self, _: &Session, _: i64) -> Result<Option<Message>, StoreError> {
        self.break_down()
    }
}
