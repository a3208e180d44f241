//! The behaviour of `gone-db`, on each database that it can open without a server.

mod bench;
mod cancellation;
mod close;
mod config;
mod log;
mod migration;
mod query;
mod sqlite;
mod transaction;
