//! Runs the message service until SIGINT or SIGTERM.

use gone::config::ConfigSource;
use gone::prelude::*;
use message_service::SqlStore;

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(message_service::module)
        .load((gone::db::module, SqlStore::goner()))
        .load(source(message_service::defaults(ConfigSource::new())))
        .serve()
        .await
}
