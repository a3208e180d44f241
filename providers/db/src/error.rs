//! What can go wrong: in the settings, at the database, at the commit.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gone_config::SectionError;
use gone_kit::Outcome;

use crate::db::DbStats;

/// What can go wrong at a database.
///
/// `?` turns every [`sqlx::Error`] into the variant that fits; the source is kept in all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The config section cannot be used.
    #[error("{0}")]
    Config(#[from] SectionError),
    /// The folder of a database file could not be created.
    #[error("cannot create the folder of the database file {}", path.display())]
    CreateFolder {
        /// The database file.
        path: PathBuf,
        /// What the file system answered.
        source: std::io::Error,
    },
    /// No connection to the database could be opened.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where it was tried, without credentials.
        address: String,
        /// What the database or the network answered.
        source: sqlx::Error,
    },
    /// The database did not answer in time.
    #[error("the database did not answer within {after:?} ({operation})")]
    Timeout {
        /// What was being done.
        operation: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// No connection became free within [`DbConfig::acquire_timeout`](crate::DbConfig::acquire_timeout).
    #[error("no database connection became free in time{}", stats.map_or(String::new(), |it| format!(" ({} of {} in use)", it.connections_in_use, it.connections_max)))]
    AcquireTimeout {
        /// The pool at that time, where it is known.
        stats: Option<DbStats>,
        /// The pool's own error.
        source: sqlx::Error,
    },
    /// The handle was closed.
    #[error("the database handle is closed")]
    Closed,
    /// A statement would have violated a constraint.
    #[error("a {kind} constraint was violated")]
    Constraint {
        /// The kind of constraint.
        kind: ConstraintKind,
        /// Its name, where the database gives it.
        name: Option<String>,
        /// The database's answer.
        source: sqlx::Error,
    },
    /// A statement failed for any other reason.
    #[error("a database statement failed")]
    Query(#[source] sqlx::Error),
    /// A migration could not be applied.
    #[error("{}", migration_failed(*version, name.as_deref()))]
    Migration {
        /// Its version, where one migration is to blame.
        version: Option<i64>,
        /// Its name, likewise.
        name: Option<String>,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// A migration list that cannot be used.
    #[error("the list of migrations cannot be used: version {version} {reason}")]
    MigrationList {
        /// The version to blame.
        version: i64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A transaction's commit failed.
    #[error("the commit failed; its changes {}", became(*outcome))]
    Commit {
        /// Whether the changes are in the database.
        outcome: Outcome,
        /// What the database or the network answered.
        source: sqlx::Error,
    },
    /// The async runtime shut down while the call was under way.
    #[error("the runtime shut down during {operation}")]
    Interrupted {
        /// What was being done.
        operation: &'static str,
    },
}

impl DbError {
    /// Whether a statement would have violated a unique or primary-key constraint.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Constraint { kind: ConstraintKind::Unique, .. })
    }
}

fn became(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "were applied",
        Outcome::NotApplied => "were not applied",
        Outcome::Unknown => "may or may not have been applied",
    }
}

fn migration_failed(version: Option<i64>, name: Option<&str>) -> String {
    match (version, name) {
        (Some(version), Some(name)) => format!("migration {version} ({name}) failed"),
        (Some(version), None) => format!("migration {version} failed"),
        (None, _) => "the migrations could not be run".to_owned(),
    }
}

impl From<sqlx::Error> for DbError {
    fn from(source: sqlx::Error) -> Self {
        match &source {
            sqlx::Error::PoolTimedOut => Self::AcquireTimeout { stats: None, source },
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::Database(answer) => match ConstraintKind::of(&answer.kind()) {
                Some(kind) => {
                    let name = answer.constraint().map(str::to_owned);
                    Self::Constraint { kind, name, source }
                }
                None => Self::Query(source),
            },
            _ => Self::Query(source),
        }
    }
}

/// The kind of a violated constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// Unique, or primary key.
    Unique,
    /// Foreign key.
    ForeignKey,
    /// Not null.
    NotNull,
    /// Check.
    Check,
    /// Exclusion, where the database has such.
    Exclusion,
}

impl ConstraintKind {
    pub(crate) fn of(kind: &sqlx::error::ErrorKind) -> Option<Self> {
        use sqlx::error::ErrorKind;
        match kind {
            ErrorKind::UniqueViolation => Some(Self::Unique),
            ErrorKind::ForeignKeyViolation => Some(Self::ForeignKey),
            ErrorKind::NotNullViolation => Some(Self::NotNull),
            ErrorKind::CheckViolation => Some(Self::Check),
            ErrorKind::ExclusionViolation => Some(Self::Exclusion),
            _ => None,
        }
    }
}

impl fmt::Display for ConstraintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign-key",
            Self::NotNull => "not-null",
            Self::Check => "check",
            Self::Exclusion => "exclusion",
        })
    }
}
