//! Plain sqlx queries on a handle and in a transaction.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, Either, Execute, Executor, SqlStr};

use crate::db::Db;
use crate::statement_log::{Watch, WatchedStream};
use crate::transaction::Tx;

/// Runs each statement on a connection of its own.
///
/// Dropping a query's future or stream gives its connection back; a statement that the database has already taken may
/// still be carried out.
impl<'p> Executor<'p> for &'_ Db {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<AnyQueryResult, AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (query, watch) = Watch::over(query, self.log());
        Box::pin(WatchedStream { answers: self.pool().fetch_many(query), watch })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (query, watch) = Watch::over(query, self.log());
        let answer = self.pool().fetch_optional(query);
        Box::pin(watch.over_one(answer))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
    where
        'p: 'e,
    {
        self.pool().prepare_with(sql, parameters)
    }
}

/// Runs each statement in the transaction. Write `&mut *tx`, since an executor is taken by value.
///
/// Dropping a query's future or stream leaves the transaction usable; a statement that the database has already taken
/// may still be carried out, as part of the transaction.
impl<'c> Executor<'c> for &'c mut Tx {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<AnyQueryResult, AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (query, watch) = Watch::over(query, self.log());
        Box::pin(WatchedStream { answers: self.connection().fetch_many(query), watch })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<AnyRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let (query, watch) = Watch::over(query, self.log());
        let answer = self.connection().fetch_optional(query);
        Box::pin(watch.over_one(answer))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, sqlx::Result<AnyStatement>>
    where
        'c: 'e,
    {
        self.connection().prepare_with(sql, parameters)
    }
}
