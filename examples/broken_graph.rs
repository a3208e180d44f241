//! Everything that is wrong with a program, in one report: `cargo run -q --example broken_graph`. It ends with exit code 1, and says the
//! same bytes every time.

use std::sync::Arc;

use gone::prelude::*;

trait MessageStore: Send + Sync {}
trait Notifier: Send + Sync {}

/// Needs much that is not there.
#[derive(Goner)]
struct MessageService {
    // `SqlStore` is loaded and implements the trait; it does not say that it offers it.
    #[gone]
    _store: Arc<dyn MessageStore>,
    // Misspelt.
    #[gone("orders-databse")]
    _database: Arc<Database>,
    // Two offer it, and neither is the default.
    #[gone]
    _notifier: Arc<dyn Notifier>,
    // A goner is shared: it is offered as `Arc<Clock>`.
    #[gone]
    _clock: Clock,
    // The program has it, and nobody loaded it.
    #[gone]
    _audit: Arc<Audit>,
    // The default is no number.
    #[gone("config,message.page_limit=many")]
    _page_limit: u16,
}

#[derive(Goner)]
struct SqlStore;
impl MessageStore for SqlStore {}

#[derive(Goner)]
struct Database;

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Mail;
impl Notifier for Mail {}

#[derive(Goner)]
#[goner(offers(dyn Notifier))]
struct Sms;
impl Notifier for Sms {}

#[derive(Goner)]
struct Clock;

#[derive(Goner)]
struct Audit;

/// Needs the index, which needs the cache.
#[derive(Goner)]
struct Cache {
    #[gone]
    _index: Arc<Index>,
}

#[derive(Goner)]
struct Index {
    #[gone]
    _cache: Arc<Cache>,
}

/// Left out, and missed.
#[derive(Goner)]
struct Tracing;

#[derive(Goner)]
struct Requests {
    #[gone]
    _tracing: Arc<Tracing>,
}

fn storage(loader: &mut Loader) {
    loader.load(SqlStore::goner());
    loader.load(Database::goner().named("orders-database"));
    loader.load(Database::goner().named("orders-database"));
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(storage)
        .load((MessageService::goner(), Mail::goner(), Sms::goner(), Clock::goner()))
        .load((Cache::goner(), Index::goner(), Requests::goner()))
        .load(Tracing::goner().when(|_: &Sources| Ok(false)))
        .run(async |_: Arc<MessageService>| Ok(()))
        .await
}
