//! Messages in a database that an earlier version of the service has made.

use std::sync::Arc;

use gone::config::ConfigSource;
use gone::db::sqlx;
use gone::db::{Db, DbConfig, Migration};
use gone::prelude::*;
use message_service::{Message, MessageService, MessageStore, NewMessage, PageLimits, Session, SqlStore};

/// The schema that had UUIDs for ids, to the letter: its checksum is in the database.
const WITH_UUIDS: Migration = Migration::new(
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
);

/// Session, id and time of old messages, in no order: two have one time, and only their ids tell which came first.
const OLD: [(&str, &str, i64); 5] = [
    ("room", "018bcfe5-687c-7000-8000-000000000000", 1_700_000_000_124),
    ("room", "018bcfe5-687b-7000-9000-000000000000", 1_700_000_000_123),
    ("hall", "018bcfe5-687b-7000-a000-000000000000", 1_700_000_000_123),
    ("room", "018bcfe5-687b-7000-8000-000000000000", 1_700_000_000_123),
    ("room", "018bcfe9-0000-7000-8000-000000000000", 1_700_000_235_776),
];

async fn old_database(url: &str) {
    let db = Db::connect(&DbConfig { url: url.into(), ..DbConfig::default() }).await.expect("it opens");
    db.migrate(&[WITH_UUIDS]).await.expect("as it was");
    for (session, id, created_at) in OLD {
        sqlx::query("INSERT INTO messages (session, id, user_id, content, created_at) VALUES ($1, $2, 'ann', $3, $4)")
            .bind(session)
            .bind(id)
            .bind(format!("said as {id}"))
            .bind(created_at)
            .execute(&db)
            .await
            .expect("stored");
    }
    let report = db.close(Deadline::after(std::time::Duration::from_secs(5))).await;
    assert_eq!(report.still_running, 0);
}

async fn app(url: &str, epoch_ms: Option<u64>) -> gone::Running {
    let config = ConfigSource::hermetic().set("server.addr", "127.0.0.1:0").set("clog.level", "error");
    let config = message_service::defaults(config.set("db.url", url).set("uid.epoch_ms", epoch_ms));
    let parts = (gone::db::module, SqlStore::goner(), message_service::module, source(config));
    Gone::load(parts).boot().await.expect("it starts")
}

async fn newest(app: &gone::Running, session: &Session) -> Vec<Message> {
    let service: Arc<MessageService> = app.get().expect("it is there");
    service.newest(session, PageLimits::default().unsaid()).await.expect("it reads")
}

#[tokio::test]
async fn old_messages_stay_in_order_before_new_ones_and_are_found_by_their_new_ids() {
    // Also under an epoch that makes snowflakes as small as they ever are.
    let just_now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as u64 - 1_000;
    for epoch_ms in [None, Some(just_now)] {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("old.db").display());
        old_database(&url).await;
        let room = Session::new("room").expect("valid");
        for new in 1..=2_usize {
            let app = app(&url, epoch_ms).await;
            let service: Arc<MessageService> = app.get().expect("it is there");
            let draft = NewMessage::new(room.clone(), "bob", format!("new {new}")).expect("valid");
            let posted = service.post(draft).await.expect("stored");
            let messages = newest(&app, &room).await;
            assert!(messages.is_sorted_by(|a, b| a.id > b.id), "{messages:?}");
            assert!(messages.is_sorted_by(|a, b| a.created_at >= b.created_at), "{messages:?}");
            assert_eq!(messages[0], posted);
            let contents: Vec<_> = messages[new..].iter().map(|it| it.content.as_str()).collect();
            let expected = [OLD[4].1, OLD[0].1, OLD[1].1, OLD[3].1].map(|id| format!("said as {id}"));
            assert_eq!(contents, expected);
            for message in &messages {
                assert!(message.id > 0);
                let store: Arc<dyn MessageStore> = app.get().expect("it is there");
                assert_eq!(store.find(&room, message.id).await.expect("it reads").as_ref(), Some(message));
            }
            let [in_hall] = &newest(&app, &Session::new("hall").expect("valid")).await[..] else { panic!("one") };
            assert!(in_hall.content.ends_with(OLD[2].1) && !messages.iter().any(|it| it.id == in_hall.id));
            app.stop().await.expect("it stops");
        }
    }
}
