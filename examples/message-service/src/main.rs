//! Runs the message service until SIGINT or SIGTERM.

use gone::prelude::*;
use message_service::SqlStore;

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load(gone::db::module).load(message_service::module).load(SqlStore::goner()).serve().await
}
