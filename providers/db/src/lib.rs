//! SQL databases for Gone: one handle to inject, whatever the database behind it.
//!
//! [`Db`] is a pool of connections to the database that [`DbConfig::url`] names. Its scheme chooses the backend;
//! SQLite is embedded and the default. Queries are plain [`sqlx`] queries, run on `&db` or, in a transaction, on
//! `&mut *tx`:
//!
//! ```
//! use gone_db::sqlx::{self, Row};
//! use gone_db::{Db, DbConfig, DbError, Migration};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), DbError> {
//! let config = DbConfig { url: "sqlite::memory:".into(), ..DbConfig::default() };
//! let db = Db::connect(&config).await?;
//! db.migrate(&[Migration::new(1, "messages", "CREATE TABLE messages (id BIGINT PRIMARY KEY, body TEXT NOT NULL)")])
//!     .await?;
//!
//! db.transaction(async |tx| -> Result<(), DbError> {
//!     sqlx::query("INSERT INTO messages (id, body) VALUES ($1, $2)").bind(1_i64).bind("hello").execute(&mut *tx).await?;
//!     sqlx::query("UPDATE messages SET body = $1 WHERE id = $2").bind("hello again").bind(1_i64).execute(&mut *tx).await?;
//!     Ok(())
//! })
//! .await?;
//!
//! let row = sqlx::query("SELECT body FROM messages WHERE id = $1").bind(1_i64).fetch_one(&db).await?;
//! assert_eq!(row.get::<String, _>("body"), "hello again");
//! # Ok(())
//! # }
//! ```
//!
//! # What travels between databases
//!
//! The handle speaks [`sqlx::Any`], so that one type serves every backend. Values are `bool`, `i16`, `i32`, `i64`,
//! `f32`, `f64`, text and bytes, each also as `Option`. Four things differ from a driver of its own:
//!
//! - SQL text goes to the database as written. `$1` works on SQLite and PostgreSQL, `?` on SQLite and MySQL.
//! - Times, UUIDs and JSON are bound and read as text, integers or bytes.
//! - On SQLite a column that is *declared* `BOOLEAN`, `DATE`, `TIME`, `DATETIME` or `TIMESTAMP` cannot be read; declare it
//!   `INTEGER` or `TEXT`. A bound `bool` is stored as 0 or 1 and read back as an integer.
//! - The key of an inserted row comes from `RETURNING`; [`last_insert_id`](sqlx::any::AnyQueryResult::last_insert_id) is
//!   empty on SQLite.
//!
//! # Dropped futures
//!
//! A future may be dropped at any time. What it leaves behind stands at each function: no connection is lost and no transaction
//! stays open; a commit or a list of migrations that has begun runs to its end.
//!
//! # In a container
//!
//! [`module`] loads the provider: `#[gone] db: Db` is the database of the section `db` of the config, a [`DbConfig`], and
//! `#[gone("*,sessions")] db: Db` that of the section `db.sessions`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod config;
mod db;
mod error;
mod executor;
mod migrate;
mod provider;
mod statement_log;
mod transaction;

pub use sqlx;

pub use backend::Dialect;
pub use config::{DbConfig, LogLevel};
pub use db::{Db, DbStats};
pub use error::{ConstraintKind, DbError};
#[doc(no_inline)]
pub use gone_config::{Section, SectionError, SectionFault};
#[doc(no_inline)]
pub use gone_core::{CloseReport, Deadline};
#[doc(no_inline)]
pub use gone_kit::{BackendUrl, Outcome};
pub use migrate::Migration;
pub use provider::{DbProvider, module};
pub use transaction::Tx;

/// The program of the README, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
