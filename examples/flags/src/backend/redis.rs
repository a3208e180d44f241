//! `redis:`: flags that processes share, as a set.

use std::fmt;

use gone_config::{CallError, Outcome, SectionError, SectionFault, async_trait};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisError, cmd};

use super::Backend;
use crate::{FlagsConfig, FlagsError};

pub(crate) struct Redis {
    /// Made again by itself when it breaks.
    connection: ConnectionManager,
    key: String,
}

impl Redis {
    /// A dropped future leaves no connection.
    pub(crate) async fn connect(config: &FlagsConfig) -> Result<Self, FlagsError> {
        // What is wrong with the URL is wrong with the section. Its text is not repeated: it may hold a password.
        let client = Client::open(config.url.as_str())
            .map_err(|_| SectionError::from(SectionFault::hidden("url", "it must be `redis://host:6379`")))?;
        // The handle limits the time of a call, so that it is told what became of it.
        let settings = ConnectionManagerConfig::new().set_number_of_retries(1).set_response_timeout(None);
        let connection = ConnectionManager::new_with_config(client, settings).await.map_err(server)?;
        Ok(Self { connection, key: config.key.clone() })
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, FlagsError> {
        command.query_async(&mut self.connection.clone()).await.map_err(server)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("key", &self.key).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for Redis {
    async fn set(&self, name: &str, on: bool) -> Result<(), FlagsError> {
        self.ask(cmd(if on { "SADD" } else { "SREM" }).arg(&self.key).arg(name)).await
    }

    async fn is_on(&self, name: &str) -> Result<bool, FlagsError> {
        self.ask(cmd("SISMEMBER").arg(&self.key).arg(name)).await
    }

    async fn ping(&self) -> Result<(), FlagsError> {
        self.ask(&cmd("PING")).await
    }
}

fn server(error: RedisError) -> FlagsError {
    // An answer of the server's, or a connection that never was: nothing was done.
    let refused = error.code().is_some() || error.is_connection_refusal();
    let outcome = if refused { Outcome::NotApplied } else { Outcome::Unknown };
    CallError::failed(outcome, error).into()
}
