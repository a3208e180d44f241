//! Messages in a database.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use gone::db::sqlx::any::AnyRow;
use gone::db::sqlx::{self, Row};
use gone::db::{Db, DbError, Migration};
use gone::{Goner, Init};

use crate::message::{Limit, Message, Session};
use crate::store::{MessageStore, StoreError};

/// Times are kept as milliseconds since 1970.
const MIGRATIONS: &[Migration] = &[
    Migration::new(
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
    ),
    // Ids were UUIDs in the order of time. Their messages are numbered from 1 in that order: a snowflake is greater than
    // every such number, whatever its epoch, so that old messages come before new ones.
    Migration::new(
        2,
        "snowflakes",
        "ALTER TABLE messages RENAME TO messages_with_uuids;
    CREATE TABLE messages (
        session TEXT NOT NULL,
        id BIGINT NOT NULL,
        user_id TEXT NOT NULL,
        content TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (session, id)
    );
    INSERT INTO messages (session, id, user_id, content, created_at)
        SELECT session, ROW_NUMBER() OVER (ORDER BY id, session), user_id, content, created_at
        FROM messages_with_uuids;
    DROP TABLE messages_with_uuids",
    ),
];

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
                .bind(message.id)
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

    async fn find(&self, session: &Session, id: i64) -> Result<Option<Message>, StoreError> {
        let row = sqlx::query(
            "SELECT session, id, user_id, content, created_at FROM messages WHERE session = $1 AND id = $2",
        )
        .bind(session.as_str())
        .bind(id)
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
    let number = |column| row.try_get::<i64, _>(column).map_err(backend);
    let session = Session::new(text("session")?).map_err(|error| StoreError::Backend(error.into()))?;
    let created_at = UNIX_EPOCH + Duration::from_millis(u64::try_from(number("created_at")?).unwrap_or_default());
    Ok(Message { id: number("id")?, session, user_id: text("user_id")?, content: text("content")?, created_at })
}

fn millis(time: SystemTime) -> i64 {
    let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}
