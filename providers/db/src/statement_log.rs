//! The log of statements: what failed, what was slow, or all of them.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement};
use sqlx::error::BoxDynError;
use sqlx::{Any, Either, Execute, SqlStr};

use crate::config::LogLevel;
use crate::error::ConstraintKind;

/// Longest SQL text that is logged, in bytes.
const TEXT_LIMIT: usize = 2_000;

/// Which statements are logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatementLog {
    pub(crate) level: LogLevel,
    pub(crate) slow_threshold: Duration,
}

/// With three digits after the point.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}

impl StatementLog {
    /// Logs one finished statement, if it is to be logged. Bound values are not known here.
    pub(crate) fn record(self, sql: &str, elapsed: Duration, rows: u64, error: Option<&sqlx::Error>) {
        let elapsed_ms = milliseconds(elapsed);
        let threshold_ms = milliseconds(self.slow_threshold);
        if self.level >= LogLevel::Error
            && let Some(error) = error.filter(|it| !is_answer(it))
        {
            let sql = shortened(sql);
            tracing::error!(target: "gone_db", sql, elapsed_ms, error = error as &dyn std::error::Error, "statement failed");
        }
        if self.level >= LogLevel::Warn && elapsed >= self.slow_threshold {
            let sql = shortened(sql);
            tracing::warn!(target: "gone_db", sql, elapsed_ms, threshold_ms, rows, "slow statement");
        } else if self.level >= LogLevel::Info {
            let sql = shortened(sql);
            tracing::info!(target: "gone_db", sql, elapsed_ms, rows, "statement");
        }
    }
}

/// An outcome that callers plan for, and not a fault.
fn is_answer(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::RowNotFound => true,
        sqlx::Error::Database(answer) => ConstraintKind::of(&answer.kind()).is_some(),
        _ => false,
    }
}

fn shortened(sql: &str) -> &str {
    &sql[..sql.floor_char_boundary(TEXT_LIMIT)]
}

/// A statement that tells its [`Watch`] when the driver takes it, so that the wait for a connection is not counted.
pub(crate) struct Watched<E> {
    query: E,
    started: Arc<OnceLock<Started>>,
}

struct Started {
    at: Instant,
    sql: SqlStr,
}

impl<'q, E: Execute<'q, Any>> Execute<'q, Any> for Watched<E> {
    fn sql(self) -> SqlStr {
        let sql = self.query.sql();
        let _ = self.started.set(Started { at: Instant::now(), sql: sql.clone() });
        sql
    }

    fn statement(&self) -> Option<&AnyStatement> {
        self.query.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<AnyArguments>, BoxDynError> {
        self.query.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.query.persistent()
    }
}

/// The clock of one statement. Records it when dropped, whether it ran to its end or not.
pub(crate) struct Watch {
    log: StatementLog,
    started: Arc<OnceLock<Started>>,
    /// When the caller last asked for an answer that has not come.
    asked: Option<Instant>,
    /// Time spent waiting for the database, without the time that the caller takes between rows.
    spent: Duration,
    rows: u64,
}

impl Watch {
    pub(crate) fn over<E>(query: E, log: StatementLog) -> (Watched<E>, Self) {
        let started = Arc::new(OnceLock::new());
        let watch = Self { log, started: Arc::clone(&started), asked: None, spent: Duration::ZERO, rows: 0 };
        (Watched { query, started }, watch)
    }

    /// Awaits the one answer of a statement that is not a stream.
    pub(crate) async fn over_one<T>(
        mut self,
        answer: impl Future<Output = sqlx::Result<Option<T>>>,
    ) -> sqlx::Result<Option<T>> {
        self.ask();
        let answer = answer.await;
        self.answered();
        self.rows = u64::from(matches!(answer, Ok(Some(_))));
        self.record(answer.as_ref().err());
        answer
    }

    fn ask(&mut self) {
        self.asked.get_or_insert_with(Instant::now);
    }

    fn answered(&mut self) {
        if let (Some(asked), Some(started)) = (self.asked.take(), self.started.get()) {
            self.spent += asked.max(started.at).elapsed();
        }
    }

    fn record(&mut self, error: Option<&sqlx::Error>) {
        if let Some(started) = self.started.get() {
            self.log.record(started.sql.as_str(), self.spent, self.rows, error);
            // Once is enough.
            self.started = Arc::default();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.answered();
        self.record(None);
    }
}

type Answer = Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>;

/// A stream of answers under a [`Watch`].
pub(crate) struct WatchedStream<'e> {
    pub(crate) answers: BoxStream<'e, Answer>,
    pub(crate) watch: Watch,
}

impl Stream for WatchedStream<'_> {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        self.watch.ask();
        let answer = std::task::ready!(self.answers.as_mut().poll_next(cx));
        self.watch.answered();
        match &answer {
            Some(Ok(Either::Left(_))) => {}
            Some(Ok(Either::Right(_))) => self.watch.rows += 1,
            Some(Err(error)) => self.watch.record(Some(error)),
            None => self.watch.record(None),
        }
        Poll::Ready(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_after_the_point() {
        assert_eq!(milliseconds(Duration::from_nanos(808_599)).to_string(), "0.808");
        assert_eq!(milliseconds(Duration::from_secs(2)).to_string(), "2000");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let sql = "é".repeat(TEXT_LIMIT);
        let shown = shortened(&sql);
        assert!(shown.len() <= TEXT_LIMIT && sql.starts_with(shown));
        assert_eq!(shortened("SELECT 1"), "SELECT 1");
    }
}
