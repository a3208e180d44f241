//! Messages in a database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use gone::db::sqlx::any::AnyRow;
use gone::db::sqlx::{self, Row};
use gone::db::{Db, DbError, Migration};
use gone::{Goner, Init};
use uuid::Uuid;

use crate::message::{Limit, Message, Session};
use crate::store::{MessageStore, StoreError};

/// Ids are kept as text, of which the order is that of the ids; times as milliseconds since 1970.
const MIGRATIONS: &[Migration] = &[Migration::new(
    1,
    "messages",
    "CREATE TABLE messages (
        session TEXT NOT NULL,
        id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        content TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (session, id)
    )",
)];

/// Messages in the database of the config section `db`.
#[derive(Goner)]
#[goner(offers(dyn MessageStore))]
pub struct SqlStore {
    #[gone]
    db: Db,
}

impl Init for SqlStore {
    async fn init(&mut self) -> gone::Result<()> {
        self.db.migrate(MIGRATIONS).await?;
        Ok(())
    }
}

#[async_trait]
impl MessageStore for SqlStore {
    async fn append(&self, message: Message) -> Result<(), StoreError> {
        let inserted =
            sqlx::query("INSERT INTO messages (session, id, user_id, content, created_at) VALUES ($1, $2, $3, $4, $5)")
                .bind(message.session.as_str())
                .bind(message.id.to_string())
                .bind(message.user_id)
                .bind(message.content)
                .bind(millis(message.created_at))
                .execute(&self.db)
                .await;
        match inserted.map_err(DbError::from) {
            Ok(_) => Ok(()),
            Err(error) if error.is_unique_violation() => Err(StoreError::Duplicate { id: message.id }),
            Err(error) => Err(backend(error)),
        }
    }

    async fn newest(&self, session: &Session, limit: Limit) -> Result<Vec<Message>, StoreError> {
        let rows = sqlx::query(
            "SELECT session, id, user_id, content, created_at FROM messages WHERE session = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(session.as_str())
        .bind(limit.get() as i64)
        .fetch_all(&self.db)
        .await
        .map_err(backend)?;
        rows.iter().map(read).collect()
    }

    async fn find(&self, session: &Session, id: Uuid) -> Result<Option<Message>, StoreError> {
        let row = sqlx::query(
            "SELECT session, id, user_id, content, created_at FROM messages WHERE session = $1 AND id = $2",
        )
        .bind(session.as_str())
        .bind(id.to_string())
        .fetch_optional(&self.db)
        .await
        .map_err(backend)?;
        row.as_ref().map(read).transpose()
    }
}

fn backend(error: impl Into<DbError>) -> StoreError {
    StoreError::Backend(Box::new(error.into()))
}

fn read(row: &AnyRow) -> Result<Message, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(backend);
    let id = Uuid::parse_str(&text("id")?).map_err(|error| StoreError::Backend(error.into()))?;
    let session = Session::new(text("session")?).map_err(|error| StoreError::Backend(error.into()))?;
    let created_at = row.try_get::<i64, _>("created_at").map_err(backend)?;
    let created_at = UNIX_EPOCH + Duration::from_millis(u64::try_from(created_at).unwrap_or_default());
    Ok(Message { id, session, user_id: text("user_id")?, content: text("content")?, created_at })
}

fn millis(time: SystemTime) -> i64 {
    let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}
